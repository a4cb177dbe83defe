#pragma once

namespace belay::helper {

// A supervisor starts its own program for what may hang: a ublk control command
// (ublk::ControlProcess), opening a file to be offered (FileOpener) and the end of its use
// (ContentRecords), a disk's partitions (partition_process.h), the reset of a USB port (PortReset).
// Every program that is or has a supervisor calls this first in main(); it returns only if it was
// started by others.
//
// - Such a process leaves without running what libraries registered for the end of a program: its
//   system call filter does not have all that they do (Qt's abort in it).
void endIfOwnProcess(int argc, char** argv);

}  // namespace belay::helper
