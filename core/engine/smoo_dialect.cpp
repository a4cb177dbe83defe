#include "core/engine/smoo_dialect.h"

#include "core/wire/smoo.h"
#include "core/wire/smoo_map.h"

#include <fmt/format.h>

namespace belay::engine {
namespace smoo = wire::smoo;
namespace {

Result<wire::Request> refuseTooLong(wire::Request request) {
    const bool moves = wire::carriesPayload(request.op) || wire::returnsPayload(request.op);
    if (moves && request.length > smoo::kMostIoBytes)
        return failure(fmt::format("the gadget sent a request for {} bytes; {} MiB is the maximum",
                                   request.length, smoo::kMostIoBytes >> 20),
                       {}, "Start smoo-gadget with a smaller --max-io");
    return request;
}

}  // namespace

SmooDialect::SmooDialect(Epoch epoch, std::map<ExportId, std::uint32_t> blockSizes, Lookup lookup)
    : epoch_(epoch), blockSizes_(std::move(blockSizes)), lookup_(std::move(lookup)) {}

SmooDialect::SmooDialect(Epoch epoch, std::map<ExportId, std::uint32_t> blockSizes, Writes writes)
    : epoch_(epoch), blockSizes_(std::move(blockSizes)), writes_(writes) {}

wire::MessageFraming SmooDialect::framing(std::size_t) const {
    return wire::MessageFraming::smoo();
}

Result<std::uint32_t> SmooDialect::blockSize(ExportId id) const {
    const auto found = blockSizes_.find(id);
    if (found == blockSizes_.end())
        return failure("message for an unknown export", std::to_string(id.value));
    return found->second;
}

Result<void> SmooDialect::encode(const wire::Request& request, ByteSpan out) {
    return blockSize(request.exportId)
        .and_then([&](std::uint32_t size) {
            return smoo::toSmoo(
                request, static_cast<std::uint32_t>(request.sequence.value) ^ generation(), size);
        })
        .map([&](const smoo::Request& message) {
            smoo::encode(message, out.first<smoo::MessageLayout::kBytes>());
        });
}

Result<void> SmooDialect::encode(const wire::Response& response, ByteSpan out) {
    return blockSize(response.exportId)
        .and_then([&](std::uint32_t size) {
            return smoo::toSmoo(response, static_cast<std::uint32_t>(response.sequence.value),
                                size);
        })
        .map([&](const smoo::Response& message) {
            smoo::encode(message, out.first<smoo::MessageLayout::kBytes>());
        });
}

Result<wire::Request> SmooDialect::decodeRequest(ConstByteSpan bytes) {
    const auto message = smoo::decodeRequest(bytes);
    if (!message)
        return tl::make_unexpected(message.error());
    return blockSize(message->exportId)
        .and_then([&](std::uint32_t size) { return smoo::fromSmoo(*message, epoch_, size); })
        .and_then(refuseTooLong)
        .map([&](wire::Request request) {
            request.sequence =
                Sequence(std::uint64_t{message->exportId.value} << 32 | message->requestId);
            if (writes_ == Writes::Durable && wire::changesData(request.op))
                request.flags |= wire::kFlagFua;
            return request;
        });
}

Result<wire::Response> SmooDialect::decodeResponse(ConstByteSpan bytes) {
    const auto message = smoo::decodeResponse(bytes);
    if (!message)
        return tl::make_unexpected(message.error());
    const auto sequence = lookup_ ? lookup_(message->requestId ^ generation()) : std::nullopt;
    if (!sequence)
        return failure("response to a request that was not sent");
    return blockSize(message->exportId)
        .and_then([&](std::uint32_t size) { return smoo::fromSmoo(*message, epoch_, size); })
        .map([&](wire::Response response) {
            response.sequence = *sequence;
            return response;
        });
}

}  // namespace belay::engine
