#pragma once

#include "core/base/clock.h"

#include <algorithm>

namespace belay::lifecycle {

// The numbers of a keep-alive.
struct KeepaliveTimes {
    Duration interval = std::chrono::seconds(2);  // from one STATUS to the next
    unsigned misses = 3;                          // STATUS in a row without an answer, and
    Duration silence = std::chrono::seconds(5);   // this long without any completion: dead
};

// Notices a peer that is plugged in and answers nothing. (A pulled cable USB reports by itself.)
//
// - Pure: the time comes with each call and must not run backwards.
// - Any completion is life, not only the answer to a STATUS: a peer busy with data is not dead
//   because ep0 waits.
// - A poll() that comes late counts one miss, however late: while this machine slept or this
//   process was stopped nobody asked, so nobody failed to answer.
// - The end that cannot ask (the gadget) uses it as well: it ignores Ask and calls alive() when a
//   STATUS arrives.
class Keepalive {
 public:
    enum class Action {
        None,  // nothing until deadline()
        Ask,   // send STATUS now; one still under way counts as lost
        Dead,  // end the session; told again by every poll() until alive() or restart()
    };

    // A session begins at `now`; the first STATUS is due one interval later.
    explicit Keepalive(TimePoint now, KeepaliveTimes times = {}) : times_(times) { restart(now); }

    // A new session begins.
    void restart(TimePoint now) {
        next_ = now + times_.interval;
        alive(now);
    }

    // Something completed: a transfer of data or messages, or the answer to a STATUS.
    void alive(TimePoint now) {
        life_ = now;
        misses_ = 0;
        asked_ = false;
    }

    // The STATUS last asked for ended in an error (time-out, stall): a miss, at once.
    void failed() {
        if (asked_) {
            asked_ = false;
            ++misses_;
        }
    }

    // What to do at `now`. Calling early or often does no harm.
    Action poll(TimePoint now) {
        if (now >= next_ && asked_) {
            failed();
        }
        if (misses_ >= times_.misses && now - life_ >= times_.silence) {
            return Action::Dead;
        }
        if (now < next_) {
            return Action::None;
        }
        asked_ = true;
        next_ = now + times_.interval;
        return Action::Ask;
    }

    // When to call poll() next.
    TimePoint deadline() const {
        return misses_ >= times_.misses ? std::min(next_, life_ + times_.silence) : next_;
    }

    unsigned misses() const { return misses_; }
    TimePoint lastLife() const { return life_; }

 private:
    KeepaliveTimes times_;
    TimePoint life_{};
    TimePoint next_{};
    unsigned misses_ = 0;
    bool asked_ = false;  // a STATUS is out and nothing completed since
};

}  // namespace belay::lifecycle
