#include "core/wire/smoo_map.h"

#include <fmt/format.h>

#include <cerrno>
#include <limits>

namespace belay::wire::smoo {
namespace {

struct Blocks {
    Lba lba;
    std::uint32_t count = 0;
};

struct Bytes {
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
};

tl::unexpected<Error> refuse(std::string_view problem, std::string value) {
    return failure(fmt::format("cannot convert between smoo's blocks and bytes: {}", problem),
                   std::move(value));
}

Result<void> checkBlockSize(std::uint32_t blockSize) {
    if (!isBlockSize(blockSize))
        return refuse("not a block size", fmt::format("{}", blockSize));
    return {};
}

Result<Blocks> toBlocks(std::uint64_t offset, std::uint32_t length, std::uint32_t blockSize) {
    if (auto sound = checkBlockSize(blockSize); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    if (offset % blockSize != 0)
        return refuse("offset is no multiple of the block size", fmt::format("{}", offset));
    if (length % blockSize != 0)
        return refuse("length is no multiple of the block size", fmt::format("{}", length));
    return Blocks{.lba = Lba(offset / blockSize), .count = length / blockSize};
}

Result<Bytes> toBytes(Lba lba, std::uint32_t count, std::uint32_t blockSize) {
    if (auto sound = checkBlockSize(blockSize); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    if (count > std::numeric_limits<std::uint32_t>::max() / blockSize)
        return refuse("length beyond 4 GiB", fmt::format("{} blocks of {}", count, blockSize));
    const std::uint32_t length = count * blockSize;
    // The end must be countable too, so that nobody after us has to think of it.
    if (lba.value > (std::numeric_limits<std::uint64_t>::max() - length) / blockSize)
        return refuse("end beyond 2^64 bytes", fmt::format("block {} of {}", lba.value, blockSize));
    return Bytes{.offset = lba.value * blockSize, .length = length};
}

Result<Op> toSmooOp(wire::Op op) {
    switch (op) {
        case wire::Op::Read:
            return Op::Read;
        case wire::Op::Write:
            return Op::Write;
        case wire::Op::Flush:
            return Op::Flush;
        case wire::Op::Discard:
            return Op::Discard;
        case wire::Op::WriteZeroes:
            break;
    }
    return failure("smoo has no such operation", fmt::format("op {}", static_cast<int>(op)));
}

wire::Op fromSmooOp(Op op) {
    switch (op) {
        case Op::Read:
            return wire::Op::Read;
        case Op::Write:
            return wire::Op::Write;
        case Op::Flush:
            return wire::Op::Flush;
        case Op::Discard:
            break;
    }
    return wire::Op::Discard;
}

// What request and response have in common, in either direction.
template <class To, class From>
Result<To> convertOut(const From& from, std::uint32_t requestId, std::uint32_t blockSize) {
    const auto op = toSmooOp(from.op);
    if (!op)
        return tl::make_unexpected(op.error());
    const bool isFlush = *op == Op::Flush;
    const auto blocks = toBlocks(isFlush ? 0 : from.offset, isFlush ? 0 : from.length, blockSize);
    if (!blocks)
        return tl::make_unexpected(blocks.error());
    To to;
    to.op = *op;
    to.requestId = requestId;
    to.exportId = from.exportId;
    to.lba = blocks->lba;
    to.numBlocks = blocks->count;
    return to;
}

template <class To, class From>
Result<To> convertIn(const From& from, Epoch epoch, std::uint32_t blockSize) {
    const bool isFlush = from.op == Op::Flush;
    const auto bytes = toBytes(isFlush ? Lba() : from.lba, isFlush ? 0 : from.numBlocks, blockSize);
    if (!bytes)
        return tl::make_unexpected(bytes.error());
    To to;
    to.op = fromSmooOp(from.op);
    to.exportId = from.exportId;
    to.epoch = epoch;
    to.sequence = Sequence(from.requestId);
    to.offset = bytes->offset;
    to.length = bytes->length;
    return to;
}

}  // namespace

Result<Request> toSmoo(const wire::Request& request, std::uint32_t requestId,
                       std::uint32_t blockSize) {
    if ((request.flags & kFlagFua) != 0)
        return failure("smoo cannot say FUA", fmt::format("sequence {}", request.sequence.value));
    return convertOut<Request>(request, requestId, blockSize);
}

Result<wire::Response> fromSmoo(const Response& response, Epoch epoch, std::uint32_t blockSize) {
    auto to = convertIn<wire::Response>(response, epoch, blockSize);
    if (to)
        to->status = response.status;
    return to;
}

Result<wire::Request> fromSmoo(const Request& request, Epoch epoch, std::uint32_t blockSize) {
    return convertIn<wire::Request>(request, epoch, blockSize);
}

Result<Response> toSmoo(const wire::Response& response, std::uint32_t requestId,
                        std::uint32_t blockSize) {
    auto to = convertOut<Response>(response, requestId, blockSize);
    if (to)
        to->status = statusToSmoo(response.status);
    return to;
}

std::uint8_t statusToSmoo(int error) {
    switch (error) {
        case 0:
        case EINVAL:
        case EOPNOTSUPP:
        case ENOSPC:
            return static_cast<std::uint8_t>(error);
        default:
            return EIO;
    }
}

}  // namespace belay::wire::smoo
