#include "core/wire/native.h"

#include "core/base/crc32c.h"

#include <fmt/format.h>

#include <algorithm>

namespace belay::wire {
namespace {

using L = NativeLayout;

// One refusal: which kind of message, what is wrong with it, and the value that is.
tl::unexpected<Error> refuseNative(std::string_view kind, std::string_view problem,
                                   std::string value) {
    return failure(fmt::format("native {} refused: {}", kind, problem), std::move(value));
}

std::uint32_t headerCrc(ConstByteSpan message) {
    return crc32c(message.first(L::kCrc.offset));
}

void seal(ByteSpan message) {
    put<L::kCrc>(message, headerCrc(message));
}

// The fields that request and response have in common.
template <class Message>
void encodeCommon(const Message& from, ByteSpan out) {
    std::ranges::fill(out, std::byte{0});
    put<L::kFlags>(out, from.flags);
    put<L::kExportId>(out, from.exportId.value);
    put<L::kEpoch>(out, from.epoch.value);
    put<L::kSequence>(out, from.sequence.value);
    put<L::kOffset>(out, from.offset);
    put<L::kLength>(out, from.length);
    put<L::kPayloadCrc>(out, from.payloadCrc);
}

template <class Message>
Message decodeCommon(ConstByteSpan bytes) {
    Message to;
    to.op = static_cast<Op>(get<L::kOp>(bytes) & ~kResponseBit);
    to.flags = get<L::kFlags>(bytes);
    to.exportId = ExportId(get<L::kExportId>(bytes));
    to.epoch = Epoch(get<L::kEpoch>(bytes));
    to.sequence = Sequence(get<L::kSequence>(bytes));
    to.offset = get<L::kOffset>(bytes);
    to.length = get<L::kLength>(bytes);
    to.payloadCrc = get<L::kPayloadCrc>(bytes);
    return to;
}

// What must hold for both kinds of message.
Result<void> checkCommon(std::string_view kind, ConstByteSpan bytes, std::uint8_t direction,
                         std::uint16_t knownFlags) {
    if (bytes.size() != L::kBytes)
        return refuseNative(kind, "wrong length", fmt::format("{} bytes", bytes.size()));
    if (const auto crc = get<L::kCrc>(bytes); crc != headerCrc(bytes))
        return refuseNative(kind, "wrong CRC",
                            fmt::format("{:#010x} instead of {:#010x}", crc, headerCrc(bytes)));
    const auto op = get<L::kOp>(bytes);
    if ((op & kResponseBit) != direction)
        return refuseNative(kind, "wrong direction", fmt::format("op {:#04x}", op));
    if ((op & ~kResponseBit) > static_cast<int>(Op::WriteZeroes))
        return refuseNative(kind, "unknown op", fmt::format("{:#04x}", op));
    if (const auto flags = get<L::kFlags>(bytes); (flags & ~knownFlags) != 0)
        return refuseNative(kind, "unknown flags", fmt::format("{:#06x}", flags));
    if (!isZero(part<L::kReserved>(bytes)))
        return refuseNative(kind, "reserved bytes are not 0",
                            fmt::format("{:#010x}", get<L::kReserved>(bytes)));
    if (get<L::kEpoch>(bytes) == 0)
        return refuseNative(kind, "no epoch", {});
    if (get<L::kExportId>(bytes) == 0)
        return refuseNative(kind, "no export id", {});
    if (Op(op & ~kResponseBit) == Op::Flush) {
        if (const auto offset = get<L::kOffset>(bytes); offset != 0)
            return refuseNative(kind, "flush with an offset", fmt::format("{}", offset));
        if (const auto length = get<L::kLength>(bytes); length != 0)
            return refuseNative(kind, "flush with a length", fmt::format("{}", length));
    }
    return {};
}

tl::unexpected<Error> refuseStrayPayloadCrc(std::string_view kind, ConstByteSpan bytes) {
    return refuseNative(kind, "payload CRC without a payload",
                        fmt::format("{:#010x}", get<L::kPayloadCrc>(bytes)));
}

}  // namespace

void encode(const Request& request, NativeMessage out) {
    encodeCommon(request, out);
    put<L::kOp>(out, static_cast<std::uint8_t>(request.op));
    seal(out);
}

void encode(const Response& response, NativeMessage out) {
    encodeCommon(response, out);
    put<L::kOp>(out, static_cast<std::uint8_t>(static_cast<int>(response.op) | kResponseBit));
    put<L::kStatus>(out, response.status);
    put<L::kVerifier>(out, response.verifier.value);
    put<L::kStableUpTo>(out, response.stableUpTo.value);
    seal(out);
}

Result<Request> decodeRequest(ConstByteSpan message) {
    constexpr std::string_view kKind = "request";
    if (auto sound = checkCommon(kKind, message, 0, kRequestFlags); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    if (const auto status = get<L::kStatus>(message); status != 0)
        return refuseNative(kKind, "status is not 0", fmt::format("{}", status));
    if (const auto verifier = get<L::kVerifier>(message); verifier != 0)
        return refuseNative(kKind, "verifier is not 0", fmt::format("{:#x}", verifier));
    if (const auto stable = get<L::kStableUpTo>(message); stable != 0)
        return refuseNative(kKind, "stable-up-to is not 0", fmt::format("{}", stable));
    auto request = decodeCommon<Request>(message);
    if (request.payloadCrc != 0 && !carriesPayload(request.op))
        return refuseStrayPayloadCrc(kKind, message);
    return request;
}

Result<Response> decodeResponse(ConstByteSpan message) {
    constexpr std::string_view kKind = "response";
    if (auto sound = checkCommon(kKind, message, kResponseBit, kResponseFlags); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    auto response = decodeCommon<Response>(message);
    response.status = get<L::kStatus>(message);
    response.verifier = Verifier(get<L::kVerifier>(message));
    response.stableUpTo = Sequence(get<L::kStableUpTo>(message));
    if (response.payloadCrc != 0 && (!returnsPayload(response.op) || response.status != 0))
        return refuseStrayPayloadCrc(kKind, message);
    return response;
}

}  // namespace belay::wire
