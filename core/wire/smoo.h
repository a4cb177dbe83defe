#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/units.h"
#include "core/wire/geometry.h"
#include "core/wire/layout.h"

#include <chrono>
#include <span>

// The v0 protocol: samcday/smoo's, as its programs at version 0.0.2-rc.6 speak it. What is said
// here of "a real peer" is what the code of smoo-host and smoo-gadget does, which its
// docs/PROTOCOL.md does not always say.
namespace belay::wire::smoo {

inline constexpr InterfaceTriple kTriple{0xFF, 0x53, 0x4D};
// smoo-gadget --mimic-fastboot; smoo-host does not look for it.
inline constexpr InterfaceTriple kFastbootTriple{0xFF, 0x42, 0x03};

// Exports in one CONFIG_EXPORTS.
inline constexpr std::size_t kMaxExports = 32;
// Longest request of a real gadget unless it was told otherwise (--max-io), and of ours: few enough
// bytes to move within kPayloadWindow on a slow link and a busy machine, too.
inline constexpr std::uint32_t kDefaultMaxIoBytes = 256 * 1024;
// Longest request that a host of ours takes; v0 agrees on no limit.
inline constexpr std::uint32_t kMostIoBytes = 32 * 1024 * 1024;
// Requests in flight of a real gadget unless told otherwise, all exports together.
inline constexpr unsigned kDefaultInFlight = 16;

// Once a payload's first packet has moved, a real host gives up the session unless all of it has
// moved within this time; it is also the time limit of its ep0 requests.
inline constexpr std::chrono::milliseconds kPayloadWindow{200};
// A real host asks for STATUS this often, and gives up after so many misses in a row.
inline constexpr std::chrono::milliseconds kHeartbeat{1000};
inline constexpr unsigned kHeartbeatMisses = 5;
// A real gadget takes its link for lost after so long without STATUS or a completion.
inline constexpr std::chrono::milliseconds kGadgetPatience{3000};

enum class Op : std::uint8_t { Read = 0, Write = 1, Flush = 2, Discard = 3 };

// A message on an interrupt pipe: 28 bytes in a transfer of their own. In a request the status
// byte is reserved too.
struct MessageLayout {
    static constexpr std::size_t kBytes = 28;

    static constexpr Field kOp{"op", 0, 1};
    static constexpr Field kStatus{"status", 1, 1};
    static constexpr Field kReserved{"reserved", 2, 2};
    static constexpr Field kRequestId{"request id", 4, 4};
    static constexpr Field kExportId{"export id", 8, 4};
    static constexpr Field kLba{"LBA", 12, 8};
    static constexpr Field kNumBlocks{"blocks", 20, 4};
    static constexpr Field kFlags{"flags", 24, 4};

    static constexpr std::array kAll{kOp,       kStatus, kReserved,  kRequestId,
                                     kExportId, kLba,    kNumBlocks, kFlags};
};
static_assert(fillsExactly(MessageLayout::kAll, MessageLayout::kBytes));

// Gadget to host. Counts in blocks of the export. A real gadget sends flags 0, reuses request ids
// at once, and lets a flush have any lba (the kernel's flush requests have sector ~0).
struct Request {
    Op op = Op::Read;
    std::uint32_t requestId = 0;
    ExportId exportId;
    Lba lba;
    std::uint32_t numBlocks = 0;
    std::uint32_t flags = 0;

    bool operator==(const Request&) const = default;
};

// Host to gadget. A real host echoes all of the request, also with an error, and sends flags 0.
struct Response {
    Op op = Op::Read;
    std::uint8_t status = 0;  // 0 or an errno
    std::uint32_t requestId = 0;
    ExportId exportId;
    Lba lba;
    std::uint32_t numBlocks = 0;  // fewer than asked for: done in part
    std::uint32_t flags = 0;

    bool operator==(const Response&) const = default;
};

using Message = std::span<std::byte, MessageLayout::kBytes>;

// Write one message, reserved bytes 0.
void encode(const Request& request, Message out);
void encode(const Response& response, Message out);

// True for a transfer that real peers drop without a word: shorter than a message (stray
// zero-length packets, other programs probing the interface).
constexpr bool isStray(ConstByteSpan transfer) {
    return transfer.size() < MessageLayout::kBytes;
}

// Read one message. As tolerant as real peers: reserved bytes (in a request the status byte too)
// are ignored; flags, export id 0, any lba and any count are handed on. Refused are only another
// length (the caller drops what isStray()) and an op beyond Discard.
Result<Request> decodeRequest(ConstByteSpan transfer);
Result<Response> decodeResponse(ConstByteSpan transfer);

}  // namespace belay::wire::smoo
