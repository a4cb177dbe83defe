#pragma once

#include "core/base/units.h"
#include "core/base/uuid.h"

#include <cstdint>
#include <string>
#include <vector>

namespace belay::wire {

enum class Op : std::uint8_t { Read = 0, Write = 1, Flush = 2, Discard = 3, WriteZeroes = 4 };

// True when the bytes go from initiator to target with the request.
constexpr bool carriesPayload(Op op) {
    return op == Op::Write;
}
// True when the bytes come back with a successful response.
constexpr bool returnsPayload(Op op) {
    return op == Op::Read;
}

// True when the bytes on the store are others afterwards.
constexpr bool changesData(Op op) {
    return op != Op::Read && op != Op::Flush;
}

// Bits of a native message's flags field.
inline constexpr std::uint16_t kFlagFua = 1 << 0;      // request: durable before it is answered
inline constexpr std::uint16_t kFlagReplay = 1 << 1;   // request: may have been run before
inline constexpr std::uint16_t kFlagNoUnmap = 1 << 2;  // request: write zeroes, keep space
inline constexpr std::uint16_t kFlagDurable = 1 << 3;  // response: durable already

// Of a response, in a session with kFeaturePerExport: the export has left the session, or is not
// in it yet, and nothing was done. It may be asked for again when the export is listed as ready.
// (EAGAIN on the wire; no store's error is answered with it.)
inline constexpr std::uint8_t kStatusNotReady = 11;

// What an initiator asks of a target. Protocol-neutral: a codec maps it to v0 or v1.
struct Request {
    Op op = Op::Read;
    std::uint16_t flags = 0;
    ExportId exportId;
    Epoch epoch;
    Sequence sequence;
    std::uint64_t offset = 0;  // bytes; 0 for Flush
    std::uint32_t length = 0;  // bytes; 0 for Flush
    std::uint32_t payloadCrc = 0;

    bool operator==(const Request&) const = default;
};

// What the target answers: the request's own fields echoed, and the result.
struct Response {
    Op op = Op::Read;
    std::uint8_t status = 0;  // 0 or an errno
    std::uint16_t flags = 0;
    ExportId exportId;
    Epoch epoch;
    Sequence sequence;
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t payloadCrc = 0;
    Verifier verifier;
    Sequence stableUpTo;

    bool operator==(const Response&) const = default;
};

// One run of bytes offered by a target.
struct ExportInfo {
    ExportId id;
    std::uint32_t blockSize = 512;  // bytes, a power of two, 512 .. 65536
    std::uint64_t sizeBytes = 0;    // a multiple of blockSize, not 0
    bool readOnly = false;
    bool canDiscard = false;
    bool canWriteZeroes = false;
    Uuid uuid;
    std::uint64_t generation = 0;  // changes when the content was replaced behind our back
    Verifier verifier;
    std::string label;  // UTF-8, at most 63 bytes
    // Of a session: it takes no requests yet, as those of an earlier session run on its store.
    bool ready = true;
    // Of a session: its part of the memory (session::Allotment), bytes; 0: not said.
    std::uint32_t guaranteed = 0;

    bool operator==(const ExportInfo&) const = default;
};

}  // namespace belay::wire
