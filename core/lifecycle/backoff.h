#pragma once

#include "core/base/clock.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace belay::lifecycle {

// How long to wait before something that died is started again: not at all, then 1, 2, 4, 8, 16,
// 30, 30 ... seconds.
//
// - Pure: the time comes with each call and must not run backwards.
// - Five deaths within one minute: exhausted; starting it again by itself is over.
// - All is forgotten when a death comes after a minute of quiet, counted from when the last
//   restart was due (so that a pause is no quiet), and by reset().
class Backoff {
 public:
    static constexpr Duration kFirstPause = std::chrono::seconds(1);
    static constexpr Duration kLongestPause = std::chrono::seconds(30);
    static constexpr Duration kWindow = std::chrono::minutes(1);
    static constexpr std::size_t kMostDeaths = 5;

    // It died at `now`: how long to wait from `now` on. Look at exhausted() first; the pause is
    // told all the same.
    Duration next(TimePoint now) {
        if (deaths_ > 0 && now - due_ >= kWindow) {
            reset();
        }
        times_[deaths_ % kMostDeaths] = now;
        ++deaths_;
        // The oldest of the last five is where the next one would be written.
        exhausted_ = deaths_ >= kMostDeaths && now - times_[deaths_ % kMostDeaths] <= kWindow;
        const Duration pause = pause_;
        pause_ = pause == Duration::zero() ? kFirstPause : std::min(2 * pause, kLongestPause);
        due_ = now + pause;
        return pause;
    }

    // The last death was the fifth within a minute. Stays until reset() or the next death.
    bool exhausted() const { return exhausted_; }
    // When the restart after the last death is due; meaningless before the first.
    TimePoint due() const { return due_; }
    // Deaths since the last quiet minute.
    std::size_t deaths() const { return deaths_; }
    // Forget everything: the user asked for another try.
    void reset() { *this = Backoff(); }

 private:
    std::array<TimePoint, kMostDeaths> times_{};
    std::size_t deaths_ = 0;
    TimePoint due_{};
    Duration pause_ = Duration::zero();
    bool exhausted_ = false;
};

}  // namespace belay::lifecycle
