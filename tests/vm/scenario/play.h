#pragma once

#include "tests/vm/scenario/rig.h"

namespace scenario {

// The rows "attach" and "lend", for the _data() of a scenario that is played in both directions;
// in the short form in one of them on each kernel.
void inBothDirections();

// Plays a scenario in the direction of the present row. Ends the rig in order if it comes to its
// end; otherwise keeps the evidence, fails the test and says where to look.
void play(const std::function<void(Rig& rig)>& scenario);
// The same with two gadgets and their hosts, side by side.
void playWithTwo(const std::function<void(Rig& first, Rig& second)>& scenario);
// The same with one gadget and host for each direction given, whatever the row.
void playWith(const std::vector<Direction>& directions,
              const std::function<void(const std::vector<std::unique_ptr<Rig>>& rigs)>& scenario);

}  // namespace scenario
