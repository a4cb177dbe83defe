#pragma once

#include "tests/bench/report/figures.h"

namespace bench {

// Throughput of every workload side by side, and the ratios.
void printSpeed(const Figures& figures);
// Processor time at either end, per request.
void printProcessorTime(const Figures& figures);
// Memory, idleness and time to the first I/O.
void printRest(const Figures& figures);

}  // namespace bench
