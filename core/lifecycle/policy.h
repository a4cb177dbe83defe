#pragma once

#include "core/base/clock.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace belay::lifecycle {

// What a device does with its requests while it cannot serve them.
enum class PolicyKind : std::uint8_t {
    Wait,         // holds them until it can
    WaitLimited,  // holds them for a time that the user chose, then fails them
    FailFast,     // holds them for kFailFastTime, enough for a peer that only enumerates anew
};
// Stable: Device1.Policy on D-Bus, and state files.
inline constexpr std::array<std::string_view, 3> kPolicyNames = {"wait", "wait-limited",
                                                                 "fail-fast"};
constexpr std::string_view nameOf(PolicyKind kind) {
    return kPolicyNames[static_cast<std::size_t>(kind)];
}
// Back from a name; nothing for an unknown one.
constexpr std::optional<PolicyKind> policyNamed(std::string_view name) {
    for (std::size_t i = 0; i < kPolicyNames.size(); ++i) {
        if (kPolicyNames[i] == name) {
            return static_cast<PolicyKind>(i);
        }
    }
    return std::nullopt;
}

struct Policy {
    static constexpr Duration kFailFastTime = std::chrono::seconds(5);
    // While the system shuts down nothing is held longer, whatever the policy, or the shutdown
    // would hang on a device that nobody will plug in again.
    static constexpr Duration kShutdownTime = std::chrono::seconds(30);

    PolicyKind kind = PolicyKind::Wait;
    Duration limit = std::chrono::minutes(10);  // WaitLimited only
    bool operator==(const Policy&) const = default;
};

// For how long requests have been held, and for how long they may be.
//
// The time counts from when holding began, not from when the policy was set: a policy changed
// while a device waits takes effect at once, and may be over at once.
class PolicyClock {
 public:
    explicit PolicyClock(Policy policy) : policy_(policy) {}

    // A clock that runs goes on.
    void start(TimePoint now) {
        if (!since_) {
            since_ = now;
        }
    }
    void stop() { since_.reset(); }
    void setPolicy(Policy policy) { policy_ = policy; }
    // The system began to shut down at `now`; nothing when it did not after all.
    void setShutdown(std::optional<TimePoint> now) { shutdown_ = now; }
    // The computer began to fall asleep at `now`, which it cannot while a program waits; nothing
    // when it is awake. Whoever prefers an error to waiting for ever has it then; who does not
    // keeps what is held, and the computer awake.
    void setSleep(std::optional<TimePoint> now) { sleep_ = now; }

    const Policy& policy() const { return policy_; }
    // When holding began; nothing when nothing is held.
    std::optional<TimePoint> since() const { return since_; }

    // When the time is over; nothing when the clock does not run or the policy has no end.
    std::optional<TimePoint> deadline() const {
        if (!since_) {
            return std::nullopt;
        }
        std::optional<TimePoint> end;
        if (policy_.kind == PolicyKind::WaitLimited) {
            end = *since_ + policy_.limit;
        } else if (policy_.kind == PolicyKind::FailFast) {
            end = *since_ + Policy::kFailFastTime;
        }
        if (shutdown_) {
            const TimePoint last = std::max(*since_, *shutdown_) + Policy::kShutdownTime;
            end = end ? std::min(*end, last) : last;
        }
        if (sleep_ && policy_.kind != PolicyKind::Wait)
            end = std::min(*end, std::max(*since_, *sleep_));
        return end;
    }

 private:
    Policy policy_;
    std::optional<TimePoint> since_;
    std::optional<TimePoint> shutdown_;
    std::optional<TimePoint> sleep_;
};

}  // namespace belay::lifecycle
