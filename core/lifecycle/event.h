#pragma once

#include "core/lifecycle/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace belay::lifecycle {

// What can happen to a device.
//
// What the supervisor promises:
// - LinkLost and PeerBack come from one source, in order: the host's USB enumeration, or the
//   gadget's FunctionFS events. A transfer that failed is SessionLost, never LinkLost.
// - What a server says after its death was seen is dropped; so is the outcome of an attempt at a
//   session after a newer OpenSession.
// - A new server opens and accepts no session before OpenSession.
enum class Event : std::uint8_t {
    // The first start
    Started,      // the kernel device exists, and the peer has answered since in the session in
                  // which it was offered, without a break
    StartFailed,  // it cannot be made; or it took longer than kStartTime
    // The cable
    PeerBack,  // the peer is on the bus
    LinkLost,  // the peer is not on the bus
    // Sessions
    SessionOpen,    // open with the very same disk, nothing lost; held requests are being sent
    SessionFailed,  // an attempt to open one came to nothing though the peer is on the bus
    SessionLost,    // it ended: keep-alive, a protocol error, a transfer that failed
    CaughtUp,       // all that was held when it opened is answered
    WrongDisk,      // the export is another one; nothing was sent
    DataMissing,    // the verifier changed and the write log cannot make up for it
    Incompatible,   // no common version or features; nothing was sent
    // The server process. Of the one the last StartDaemon started, or the first.
    DaemonDied,        // dead and reaped
    DaemonServing,     // it has the kernel device and answers requests (or fails them)
    DaemonKeepsDying,  // DaemonDied for the fifth time within a minute; made by Device
    KernelRefused,     // the kernel does not give the device to a new server, or lost it
    // Time; made by Device
    RestartDue,       // the pause before the next server is over
    RetryDue,         // the pause before the next attempt at a session is over
    RecoveryOverdue,  // a new server did not come to serve within kRecoveryTime
    PolicyExpired,    // requests were held for as long as the policy allows
    StopOverdue,      // stopping takes longer than kStopTime, and kStopAgain after that
    // The user
    UserRecover,     // Recover, and the server answers
    UserRestart,     // Recover, and no server answers: it hangs or is dead
    UserAcceptLoss,  // "go on without what is missing"; followed by UserRecover
    UserStop,        // Stop
    UserForceStop,   // Force stop: at once, whatever is lost
    // The end
    StopFailed,  // the kernel device cannot be stopped as things are
    Stopped,     // no kernel device, no server of it, no store open
};
inline constexpr std::size_t kEvents = 27;

// Stable names, for logs and event lists.
inline constexpr std::array<std::string_view, kEvents> kEventNames = {
    "started",        "start-failed", "peer-back",        "link-lost",          "session-open",
    "session-failed", "session-lost", "caught-up",        "wrong-disk",         "data-missing",
    "incompatible",   "daemon-died",  "daemon-serving",   "daemon-keeps-dying", "kernel-refused",
    "restart-due",    "retry-due",    "recovery-overdue", "policy-expired",     "stop-overdue",
    "user-recover",   "user-restart", "user-accept-loss", "user-stop",          "user-force-stop",
    "stop-failed",    "stopped"};

constexpr std::string_view nameOf(Event event) {
    return kEventNames[static_cast<std::size_t>(event)];
}

// What is to be done. All of them may be asked for again when they are under way already, and are
// then no new work. Carried out in the order of this list.
enum class Action : std::uint8_t {
    StopPolicyClock,   // kept by Device; nothing for the supervisor to do
    StartPolicyClock,  // the same; a clock that runs goes on
    ScheduleRetry,     // the same
    ScheduleRestart,   // the same
    // Forget what is missing: drop the write log, take the peer's verifier as it is.
    AcceptLoss,
    // Kill the server. When StartDaemon comes with it, its death is no event.
    KillDaemon,
    // From now on, and for every server to come, answer every request with EIO, the held ones
    // too; end a session and any attempt at one. With no server alive and no StartDaemon beside
    // it, this takes an undertaker: a server without link, whose life and death are events too.
    FailIo,
    // The end of FailIo: requests are served when there is a session and held when not.
    ResumeIo,
    // Start a server once the old one is dead and reaped. Devices that share a server share it.
    StartDaemon,
    // Reset the peer's port; disturbs what else the peer does over USB.
    ResetPort,
    // Open a session, after a reset of the interface; a server that does not serve yet does it as
    // soon as it does. Where the other end opens sessions (on the
    // gadget), let it. Ends in one of SessionOpen, SessionFailed, LinkLost, WrongDisk,
    // DataMissing, Incompatible; a session that is open is given up for a new one.
    OpenSession,
    // Answer what is held, save what can be saved, stop and delete the kernel device; go on from
    // wherever that stands.
    StopDevice,
    // Tell the user, or withdraw what was told: state and problems say which.
    Notify,
};
inline constexpr std::size_t kActions = 13;
inline constexpr std::array<std::string_view, kActions> kActionNames = {"stop-policy-clock",
                                                                        "start-policy-clock",
                                                                        "schedule-retry",
                                                                        "schedule-restart",
                                                                        "accept-loss",
                                                                        "kill-daemon",
                                                                        "fail-io",
                                                                        "resume-io",
                                                                        "start-daemon",
                                                                        "reset-port",
                                                                        "open-session",
                                                                        "stop-device",
                                                                        "notify"};

constexpr std::string_view nameOf(Action action) {
    return kActionNames[static_cast<std::size_t>(action)];
}

// A set of actions.
class Actions {
 public:
    constexpr Actions() = default;
    constexpr Actions(Action action)
        : bits_(static_cast<std::uint16_t>(1U << static_cast<unsigned>(action))) {}
    constexpr bool has(Action action) const { return (bits_ & Actions(action).bits_) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr Actions operator|(Actions other) const {
        Actions both;
        both.bits_ = static_cast<std::uint16_t>(bits_ | other.bits_);
        return both;
    }
    constexpr bool operator==(const Actions&) const = default;

 private:
    std::uint16_t bits_ = 0;
};
constexpr Actions operator|(Action a, Action b) {
    return Actions(a) | Actions(b);
}

}  // namespace belay::lifecycle
