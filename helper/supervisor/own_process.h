#pragma once

#include <optional>

namespace belay::helper {

// A supervisor starts its own program for what may hang: a ublk control command
// (ublk::ControlProcess), the end of a file's use (ContentRecords), a disk's partitions
// (partition_process.h). Every program that is or has a supervisor calls this first in main(): the
// value is main()'s, nothing if it was started by others.
std::optional<int> ownProcessMain(int argc, char** argv);

}  // namespace belay::helper
