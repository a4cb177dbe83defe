#pragma once

#include "core/base/units.h"
#include "core/base/uuid.h"

#include <array>
#include <cstdint>

namespace belay::wire {

// ep0 requests of the native protocol, to the interface (bmRequestType 0xC1 IN, 0x41 OUT),
// wIndex = interface number. Numbers stay clear of smoo's 1 .. 3 on the same interface.
enum class ControlRequest : std::uint8_t {
    Hello = 0x40,    // IN, wValue 0
    Open = 0x41,     // OUT, wValue 0
    Opened = 0x42,   // IN, wValue 0
    Exports = 0x43,  // IN (attach) or OUT (lend), wValue = page
    Status = 0x44,   // IN, wValue 0
};

inline constexpr std::uint16_t kNativeVersion = 1;
inline constexpr std::uint16_t kRoleLend = 1 << 0;
inline constexpr std::uint16_t kRoleAttach = 1 << 1;
inline constexpr std::uint32_t kFeaturePayloadCrc = 1 << 0;
// Exports share a session without waiting for each other:
// - EXPORTS says how much memory the target has for payloads under way, which part of it each
//   export is guaranteed, and which exports are not ready;
// - it may come again while the session runs (attach: the host asks when Status::changes went up;
//   lend: the host sends it): exports come, go and become ready;
// - the initiator sends only what has room (session::Allotment); a target ends a session in which
//   more comes;
// - a request for an export that is not in the session is answered with kStatusNotReady.
// Without it a session's exports are those that are ready when it begins, and it ends when they
// change.
inline constexpr std::uint32_t kFeaturePerExport = 1 << 1;

// Who the gadget is and what it can do.
struct Hello {
    std::uint16_t version = kNativeVersion;
    std::uint16_t roles = 0;
    std::uint32_t features = 0;
    std::uint32_t maxTransfer = 0;     // longest payload, bytes
    std::uint16_t maxOutstanding = 0;  // requests under way at once, all exports together
    std::uint16_t maxExports = 0;
    Uuid gadget;
    Uuid bootId;
    Verifier verifier;

    bool operator==(const Hello&) const = default;
};

// The host's proposal for a session; replaces any session there was.
struct Open {
    std::uint16_t version = kNativeVersion;
    std::uint32_t features = 0;        // a subset of the gadget's
    std::uint32_t maxTransfer = 0;     // the lower of both ends
    std::uint16_t maxOutstanding = 0;  // the lower of both ends
    Epoch epoch;
    Uuid host;

    bool operator==(const Open&) const = default;
};

enum class OpenState : std::uint8_t {
    None = 0,      // no such epoch is being opened
    Ready = 1,     // the session may begin
    Draining = 2,  // I/O of an older session is still under way on a store; ask again
    Refused = 3,
};

enum class RefusedReason : std::uint8_t {
    None = 0,
    Version = 1,
    Features = 2,
    Limits = 3,
    BadMessage = 4,
    BadExports = 5,
    NoStore = 6,
    Internal = 7,
};

// The answer to Open, asked for until it is Ready or Refused.
struct Opened {
    Epoch epoch;
    OpenState state = OpenState::None;
    RefusedReason reason = RefusedReason::None;

    bool operator==(const Opened&) const = default;
};

// Proof of life, and what changed.
struct Status {
    Epoch epoch;                 // 0 when no session is open
    std::uint64_t changes = 0;   // goes up when the export list changes
    std::uint64_t received = 0;  // requests or responses received in this session
    std::uint64_t sent = 0;
    Verifier verifier;

    bool operator==(const Status&) const = default;
};

}  // namespace belay::wire
