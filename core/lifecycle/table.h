#pragma once

#include "core/lifecycle/event.h"
#include "core/lifecycle/state.h"

namespace belay::lifecycle {

// What one event does in one state.
struct Cell {
    State next = State::Gone;
    Actions actions;
    // Cells that do nothing say why; so do cells that cannot be reached.
    std::string_view reason;
    // No supervisor that keeps the promises at Event sends this event in this state.
    bool impossible = false;
};

// The whole of a device's behaviour, but for time (machine.h). Every cell is filled: the program
// does not compile otherwise.
const Cell& cellOf(State state, Event event);

}  // namespace belay::lifecycle
