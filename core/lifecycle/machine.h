#pragma once

#include "core/base/clock.h"
#include "core/lifecycle/backoff.h"
#include "core/lifecycle/policy.h"
#include "core/lifecycle/table.h"

#include <array>
#include <optional>

namespace belay::lifecycle {

// How long a first start may take before it has failed.
inline constexpr Duration kStartTime = std::chrono::seconds(30);
// How long a new server may take to serve before it is killed.
inline constexpr Duration kRecoveryTime = std::chrono::seconds(30);
// How long Stop may take, with all that it saves, before the server is killed ...
inline constexpr Duration kStopTime = std::chrono::seconds(30);
// ... and how long until the next try; the first one after Force stop comes that soon.
inline constexpr Duration kStopAgain = std::chrono::seconds(10);

// What a Device is made of, for a supervisor that must survive its own restart. The times are of
// the monotonic clock, so they hold for one boot.
struct Snapshot {
    State state = State::Starting;
    Problems problems;
    bool served = true;  // the server lives
    TimePoint since{};   // when it came into this state
    std::optional<TimePoint> heldSince;

    bool operator==(const Snapshot&) const = default;
};

// What came of one event.
struct Step {
    // As it was looked up: DaemonDied may have become DaemonKeepsDying, UserRecover UserRestart.
    Event event;
    State from;
    State to;
    Actions actions;
    std::string_view reason;  // why nothing was done
    // The supervisor broke a promise of event.h. Nothing was changed; log it with the reason.
    bool impossible = false;
};

// One device: the table, its timers, the policy clock and the pauses between attempts.
//
// - Pure: the time comes with each call and must not run backwards.
// - The supervisor carries out the actions of every Step and calls poll() until deadline() is in
//   the future, each time before it sleeps.
class Device {
 public:
    // A new device, in Starting. The supervisor is about to start its server.
    Device(Policy policy, TimePoint now);
    // A device that a former supervisor left, as the kernel and the server say it is now. What
    // was waiting for its turn is due at once.
    Device(const Snapshot& snapshot, Policy policy, TimePoint now);

    Step handle(Event event, TimePoint now);
    // Handles the one timer that has been due longest; nothing when none is.
    std::optional<Step> poll(TimePoint now);
    // When to call poll(); TimePoint::max() when time changes nothing.
    TimePoint deadline() const;

    // All take effect at the next poll(), which may be due at once.
    void setPolicy(Policy policy) { clock_.setPolicy(policy); }
    // The system shuts down; nothing: it does not after all.
    void setShutdown(std::optional<TimePoint> since) { clock_.setShutdown(since); }
    // The computer is about to sleep; nothing: it is awake.
    void setSleep(std::optional<TimePoint> since) { clock_.setSleep(since); }

    State state() const { return state_; }
    Problems problems() const { return problems_; }
    // When the device came into its state.
    TimePoint since() const { return since_; }
    const Policy& policy() const { return clock_.policy(); }
    // When held requests will be failed; nothing when none are held or the policy has no end.
    std::optional<TimePoint> policyDeadline() const { return clock_.deadline(); }
    Snapshot snapshot() const;

 private:
    // In the order of kTimers.
    enum Timer : std::size_t { Start, Restart, Retry, Recovery, Stop, kTimerCount };

    Event translated(Event event, TimePoint now);
    void apply(Event event, const Cell& cell, TimePoint now);
    void rearm(Event event, Actions actions, TimePoint now);
    void dropTimers();

    State state_ = State::Starting;
    Problems problems_;
    bool served_ = true;
    TimePoint since_;
    PolicyClock clock_;
    Backoff restarts_;
    Backoff retries_;
    std::array<std::optional<TimePoint>, kTimerCount> timers_;
};

}  // namespace belay::lifecycle
