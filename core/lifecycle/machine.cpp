#include "core/lifecycle/machine.h"

#include <initializer_list>

namespace belay::lifecycle {
namespace {

// A timer runs only in these states; leaving them stops it.
struct TimerRule {
    Event event;
    unsigned states;
};

constexpr unsigned in(std::initializer_list<State> states) {
    unsigned mask = 0;
    for (const State state : states) {
        mask |= 1U << static_cast<unsigned>(state);
    }
    return mask;
}

constexpr TimerRule kTimers[] = {
    {Event::StartFailed, in({State::Starting})},
    {Event::RestartDue, in({State::Crashed, State::Failed})},
    {Event::RetryDue, in({State::Waiting})},
    {Event::RecoveryOverdue,
     in({State::Recovering, State::Failed, State::Resuming, State::Waiting})},
    {Event::StopOverdue, in({State::Stopping})},
};

std::optional<Problem> problemOf(Event event) {
    switch (event) {
        case Event::WrongDisk:
            return Problem::DifferentDisk;
        case Event::DataMissing:
            return Problem::DataMayBeMissing;
        case Event::Incompatible:
            return Problem::Incompatible;
        case Event::DaemonKeepsDying:
            return Problem::DaemonKeepsDying;
        case Event::KernelRefused:
            return Problem::KernelRefused;
        default:
            return std::nullopt;
    }
}

Snapshot fresh(TimePoint now) {
    Snapshot snapshot;
    snapshot.since = now;
    return snapshot;
}

}  // namespace

Device::Device(Policy policy, TimePoint now) : Device(fresh(now), policy, now) {}

Device::Device(const Snapshot& snapshot, Policy policy, TimePoint now)
    : state_(snapshot.state),
      problems_(snapshot.problems),
      served_(snapshot.served),
      since_(snapshot.since),
      clock_(policy) {
    static_assert(std::size(kTimers) == kTimerCount);
    if (snapshot.heldSince) {
        clock_.start(*snapshot.heldSince);
    }
    timers_[Start] = now + kStartTime;
    timers_[Retry] = now;
    timers_[Recovery] = now + kRecoveryTime;
    timers_[Stop] = now + kStopTime;
    if (state_ == State::Crashed || !served_) {
        timers_[Restart] = now;
    }
    if (state_ != State::Recovering) {
        // A server that lives is serving.
        timers_[Recovery].reset();
    }
    dropTimers();
}

Step Device::handle(Event event, TimePoint now) {
    event = translated(event, now);
    const Cell& cell = cellOf(state_, event);
    const Step step{event, state_, cell.next, cell.actions, cell.reason, cell.impossible};
    if (!cell.impossible) {
        apply(event, cell, now);
    }
    return step;
}

std::optional<Step> Device::poll(TimePoint now) {
    std::optional<Event> due;
    TimePoint longest = now;
    const auto consider = [&](Event event, const std::optional<TimePoint>& at) {
        if (at && *at <= longest && (!due || *at < longest)) {
            longest = *at;
            due = event;
        }
    };
    consider(Event::PolicyExpired, clock_.deadline());
    for (std::size_t i = 0; i < kTimerCount; ++i) {
        consider(kTimers[i].event, timers_[i]);
    }
    if (!due) {
        return std::nullopt;
    }
    return handle(*due, now);
}

TimePoint Device::deadline() const {
    TimePoint next = clock_.deadline().value_or(TimePoint::max());
    for (const auto& at : timers_) {
        next = std::min(next, at.value_or(TimePoint::max()));
    }
    return next;
}

Snapshot Device::snapshot() const {
    return {state_, problems_, served_, since_, clock_.since()};
}

// The two things that the table cannot know: how often a server died, and whether one lives.
Event Device::translated(Event event, TimePoint now) {
    if (event == Event::UserRecover && !served_) {
        return Event::UserRestart;
    }
    if (event == Event::DaemonDied && cellOf(state_, event).actions.has(Action::ScheduleRestart)) {
        timers_[Restart] = now + restarts_.next(now);
        return restarts_.exhausted() ? Event::DaemonKeepsDying : event;
    }
    return event;
}

void Device::apply(Event event, const Cell& cell, TimePoint now) {
    if (cell.actions.has(Action::StopPolicyClock) || event == Event::PolicyExpired) {
        clock_.stop();
    }
    if (cell.actions.has(Action::StartPolicyClock)) {
        clock_.start(now);
    }
    const std::optional<Problem> problem = problemOf(event);
    if (cell.next != State::NeedsAttention) {
        problems_ = {};
    } else if (problem) {
        problems_.add(*problem);
    }
    if (cell.next != state_) {
        state_ = cell.next;
        since_ = now;
    }
    rearm(event, cell.actions, now);
    dropTimers();
}

void Device::rearm(Event event, Actions actions, TimePoint now) {
    if (event == Event::UserRecover || event == Event::UserRestart) {
        restarts_.reset();
        retries_.reset();
    }
    if (event == Event::PeerBack) {
        retries_.reset();
    }
    if (event == Event::LinkLost) {
        timers_[Retry].reset();
    }
    if (event == Event::DaemonDied || event == Event::DaemonKeepsDying ||
        actions.has(Action::KillDaemon)) {
        served_ = false;
    }
    if (event == Event::DaemonDied || event == Event::DaemonServing) {
        timers_[Recovery].reset();
    }
    if (actions.has(Action::ScheduleRetry)) {
        timers_[Retry] = now + retries_.next(now);
    }
    if (actions.has(Action::StartDaemon) || event == Event::RecoveryOverdue) {
        timers_[Recovery] = now + kRecoveryTime;
        timers_[Restart].reset();
    }
    if (actions.has(Action::StartDaemon)) {
        served_ = true;
    }
    if (event == Event::StopOverdue || event == Event::UserForceStop) {
        const TimePoint again = now + kStopAgain;
        timers_[Stop] =
            event == Event::StopOverdue ? again : std::min(again, timers_[Stop].value_or(again));
    } else if (actions.has(Action::StopDevice) && !timers_[Stop]) {
        timers_[Stop] = now + kStopTime;
    }
}

void Device::dropTimers() {
    for (std::size_t i = 0; i < kTimerCount; ++i) {
        if ((kTimers[i].states & in({state_})) == 0) {
            timers_[i].reset();
        }
    }
}

}  // namespace belay::lifecycle
