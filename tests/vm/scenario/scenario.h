#pragma once

// Scenarios on real kernels: both programs, a cable of dummy_hcd, and what users do to them.
//
// May know: everything. Runs as root in a guest of tests/vm/rig, which is thrown away after it; a
// test program is one guest, a test function one scenario, played for attach and for lend.
// - rig.h: the two ends, the cable and the disks; the words that scenarios are written in.
// - play.h: how a test function plays one, and what becomes of a failure.
// - partitions.h: disks that have some.
// - stick.h: a USB stick that the target offers.
// - volumes.h: a file system that can stand still, and one on a disk of ours, for stores.
// - target_machine.h: a target whose machine loses power.
// - daemon.h, disk.h, cable.h, program.h, machine.h: the rig's parts.
// - bus_host.h, bus_client.h: belayd as the host's end, and busctl, by which it is driven;
//   bus_reader.h: by which it is looked at; private_bus.h: the bus for that.
// - stop_token.h: has a process die at a place that has a name (core/base/stop_point.h).
// - requests.cpp: a program for what must be timed to the millisecond.
// - fleet.cpp: a program that is belayd but for the bus.
// Start reading at tests/vm/tst_cuts.cpp.
#include "tests/vm/scenario/machine.h"
#include "tests/vm/scenario/play.h"
#include "tests/vm/scenario/private_bus.h"
#include "tests/vm/scenario/rig.h"
