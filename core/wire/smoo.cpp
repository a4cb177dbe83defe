#include "core/wire/smoo.h"

#include <fmt/format.h>

#include <algorithm>

namespace belay::wire::smoo {
namespace {

using L = MessageLayout;

template <class From>
void encodeCommon(const From& from, ByteSpan out) {
    std::ranges::fill(out, std::byte{0});
    put<L::kOp>(out, static_cast<std::uint8_t>(from.op));
    put<L::kRequestId>(out, from.requestId);
    put<L::kExportId>(out, from.exportId.value);
    put<L::kLba>(out, from.lba.value);
    put<L::kNumBlocks>(out, from.numBlocks);
    put<L::kFlags>(out, from.flags);
}

template <class To>
Result<To> decodeCommon(std::string_view kind, ConstByteSpan bytes) {
    if (bytes.size() != L::kBytes)
        return failure(fmt::format("smoo {} refused: wrong length", kind),
                       fmt::format("{} bytes", bytes.size()));
    const auto op = get<L::kOp>(bytes);
    if (op > static_cast<std::uint8_t>(Op::Discard))
        return failure(fmt::format("smoo {} refused: unknown op", kind),
                       fmt::format("{:#04x}", op));
    To to;
    to.op = Op(op);
    to.requestId = get<L::kRequestId>(bytes);
    to.exportId = ExportId(get<L::kExportId>(bytes));
    to.lba = Lba(get<L::kLba>(bytes));
    to.numBlocks = get<L::kNumBlocks>(bytes);
    to.flags = get<L::kFlags>(bytes);
    return to;
}

}  // namespace

void encode(const Request& request, Message out) {
    encodeCommon(request, out);
}

void encode(const Response& response, Message out) {
    encodeCommon(response, out);
    put<L::kStatus>(out, response.status);
}

Result<Request> decodeRequest(ConstByteSpan transfer) {
    return decodeCommon<Request>("request", transfer);
}

Result<Response> decodeResponse(ConstByteSpan transfer) {
    auto response = decodeCommon<Response>("response", transfer);
    if (response)
        response->status = get<L::kStatus>(transfer);
    return response;
}

}  // namespace belay::wire::smoo
