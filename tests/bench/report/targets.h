#pragma once

#include "tests/bench/report/figures.h"

namespace bench {

// What Belay set out to reach, for each speed and direction, and whether it did. Says so only: how
// fast a shared machine is on the day makes no test fail.
void printTargets(const Figures& figures);

}  // namespace bench
