#pragma once

#include "core/session/initiator.h"
#include "core/session/target.h"

namespace belay::session {

constexpr DeviceId kDevice{3};
constexpr Epoch kEpoch{0x51};
constexpr Verifier kVerifier{0x77};
constexpr std::uint32_t kBlock = 512;

// Memory for so many of the longest requests.
inline Terms termsOf(std::uint32_t maxOutstanding) {
    return {.maxOutstanding = maxOutstanding,
            .memory = std::uint64_t{maxOutstanding} << 20,
            .perExport = true};
}

// An export of 64 blocks.
inline wire::ExportInfo sampleExport() {
    wire::ExportInfo info;
    info.id = ExportId(9);
    info.blockSize = kBlock;
    info.sizeBytes = 64 * kBlock;
    info.canDiscard = true;
    info.uuid.bytes[3] = 5;
    info.generation = 1;
    info.verifier = kVerifier;
    return info;
}

inline Entry entryOf(wire::Op op, std::uint16_t tag = 0, DeviceId device = kDevice) {
    Entry entry;
    entry.device = device;
    entry.tag = Tag(tag);
    entry.op = op;
    if (op != wire::Op::Flush) {
        entry.offset = 2 * kBlock;
        entry.length = 4 * kBlock;
    }
    return entry;
}

// The answer of a sound target.
inline wire::Response answerTo(const wire::Request& request, std::uint8_t status = 0,
                               Verifier verifier = kVerifier) {
    wire::Response response;
    response.op = request.op;
    response.status = status;
    response.exportId = request.exportId;
    response.epoch = request.epoch;
    response.sequence = request.sequence;
    response.offset = request.offset;
    response.length = request.length;
    response.verifier = verifier;
    return response;
}

}  // namespace belay::session
