#pragma once

#include <chrono>

namespace belay {

// Monotonic: timeouts and ages must not jump with the wall clock.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace belay
