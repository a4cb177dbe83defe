#pragma once

#include "core/base/ring.h"

#include <functional>

namespace belay {

// Work for the end of the ring's turn: asked for any number of times, done once.
//
// - May be destroyed at any time, also while the work runs; what was asked for is then dropped.
// - ask() allocates nothing of its own.
class EndOfTurn {
 public:
    EndOfTurn(Ring& ring, std::function<void()> work);
    ~EndOfTurn();
    EndOfTurn(const EndOfTurn&) = delete;
    EndOfTurn& operator=(const EndOfTurn&) = delete;

    void ask();

 private:
    struct State;
    Ring& ring_;
    State* state_;
};

}  // namespace belay
