#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/wire/layout.h"
#include "core/wire/message.h"

#include <span>

namespace belay::wire {

// A native (v1) message: the same 64 bytes for a request and a response.
struct NativeLayout {
    static constexpr std::size_t kBytes = 64;

    static constexpr Field kOp{"op", 0, 1};
    static constexpr Field kStatus{"status", 1, 1};
    static constexpr Field kFlags{"flags", 2, 2};
    static constexpr Field kExportId{"export id", 4, 4};
    static constexpr Field kEpoch{"epoch", 8, 8};
    static constexpr Field kSequence{"sequence", 16, 8};
    static constexpr Field kOffset{"offset", 24, 8};
    static constexpr Field kLength{"length", 32, 4};
    static constexpr Field kPayloadCrc{"payload CRC", 36, 4};
    static constexpr Field kVerifier{"verifier", 40, 8};
    static constexpr Field kStableUpTo{"stable up to", 48, 8};
    static constexpr Field kReserved{"reserved", 56, 4};
    static constexpr Field kCrc{"CRC", 60, 4};

    static constexpr std::array kAll{kOp,         kStatus,   kFlags,  kExportId,   kEpoch,
                                     kSequence,   kOffset,   kLength, kPayloadCrc, kVerifier,
                                     kStableUpTo, kReserved, kCrc};
};
static_assert(fillsExactly(NativeLayout::kAll, NativeLayout::kBytes));

// Set in the op byte of a response.
inline constexpr std::uint8_t kResponseBit = 0x80;

inline constexpr std::uint16_t kRequestFlags = kFlagFua | kFlagReplay | kFlagNoUnmap;
inline constexpr std::uint16_t kResponseFlags = kFlagDurable;

using NativeMessage = std::span<std::byte, NativeLayout::kBytes>;

// Write one message, all 64 bytes. What the caller passes is not checked: a message against the
// rules below is refused by the peer's decoder.
void encode(const Request& request, NativeMessage out);
void encode(const Response& response, NativeMessage out);

// Read one message of exactly 64 bytes. Refused, each with an Error of its own:
// - another length, a wrong CRC, an unknown op, a response where a request belongs or the reverse;
// - flags that no message of this kind has, reserved bytes that are not 0, and in a request a
//   status, verifier or stable-up-to that is not 0;
// - epoch 0 and export id 0;
// - a flush with an offset or a length, and a payload CRC where no payload belongs to the message
//   (all but a write request and the successful response to a read).
// Offset and length are not checked against any export: the codec knows none.
Result<Request> decodeRequest(ConstByteSpan message);
Result<Response> decodeResponse(ConstByteSpan message);

}  // namespace belay::wire
