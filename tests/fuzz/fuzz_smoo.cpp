// smoo's messages and ep0 data stages: what decodes is the same value after encoding and decoding
// again, and what converts to bytes converts back to the same blocks.

#include "core/wire/smoo.h"
#include "core/wire/smoo_control.h"
#include "core/wire/smoo_map.h"
#include "tests/fuzz/fuzz.h"

namespace belay::fuzz {
namespace {

using namespace wire::smoo;

constexpr Epoch kEpoch{1};
constexpr std::array<std::uint32_t, 5> kBlockSizes{0, 512, 4096, 65536, 1000};

void checkRequest(const Bytes& bytes) {
    const auto request = decodeRequest(bytes);
    if (!request)
        return;
    std::array<std::byte, MessageLayout::kBytes> again;
    encode(*request, again);
    require(decodeRequest(again).value() == *request);
    for (std::uint32_t blockSize : kBlockSizes) {
        const auto mapped = fromSmoo(*request, kEpoch, blockSize);
        if (!mapped)
            continue;
        require(mapped->offset + mapped->length >= mapped->offset);
        auto back = toSmoo(*mapped, request->requestId, blockSize).value();
        back.flags = request->flags;
        if (request->op == Op::Flush) {
            require(mapped->offset == 0 && mapped->length == 0);
            back.lba = request->lba;
            back.numBlocks = request->numBlocks;
        }
        require(back == *request);
    }
}

void checkResponse(const Bytes& bytes) {
    const auto response = decodeResponse(bytes);
    if (!response)
        return;
    std::array<std::byte, MessageLayout::kBytes> again;
    encode(*response, again);
    require(decodeResponse(again).value() == *response);
    for (std::uint32_t blockSize : kBlockSizes) {
        const auto mapped = fromSmoo(*response, kEpoch, blockSize);
        if (!mapped)
            continue;
        require(mapped->status == response->status);
        const auto back = toSmoo(*mapped, response->requestId, blockSize).value();
        require((back.status == 0) == (response->status == 0));
        require(response->op == Op::Flush || back.numBlocks == response->numBlocks);
    }
}

void checkControl(const Bytes& bytes) {
    if (const auto ident = decodeIdent(bytes))
        require(decodeIdent(encode(*ident)).value() == *ident);
    if (const auto status = decodeStatus(bytes))
        require(decodeStatus(encode(*status)).value() == *status);
    if (const auto exports = decodeConfigExports(bytes)) {
        const auto data = encodeConfigExports(*exports).value();
        require(data.size() == bytes.size());
        require(decodeConfigExports(data).value().size() == exports->size());
    }
}

}  // namespace
}  // namespace belay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = belay::fuzz::copyOf(data, size);
    belay::fuzz::checkRequest(bytes);
    belay::fuzz::checkResponse(bytes);
    belay::fuzz::checkControl(bytes);
    return 0;
}
