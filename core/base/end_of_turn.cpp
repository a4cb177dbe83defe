#include "core/base/end_of_turn.h"

#include <utility>

namespace belay {

// Outlives its EndOfTurn while the ring holds a callback or the work runs: the callback has only
// this address in it, small enough for std::function to keep without allocating.
struct EndOfTurn::State {
    std::function<void()> work;
    bool asked = false;
    bool running = false;
    bool orphaned = false;

    void run() {
        asked = false;
        if (!orphaned) {
            running = true;
            work();
            running = false;
        }
        if (orphaned && !asked)
            delete this;
    }
};

EndOfTurn::EndOfTurn(Ring& ring, std::function<void()> work)
    : ring_(ring), state_(new State{.work = std::move(work)}) {}

EndOfTurn::~EndOfTurn() {
    state_->orphaned = true;
    if (!state_->asked && !state_->running)
        delete state_;
}

void EndOfTurn::ask() {
    if (std::exchange(state_->asked, true))
        return;
    ring_.callAtEndOfTurn([state = state_] { state->run(); });
}

}  // namespace belay
