#pragma once

#include <QString>
#include <vector>

// Where in the life of a device a process can be made to die; see core/base/stop_point.h.
namespace kill_matrix {

enum class Who { Worker, Supervisor, Control };  // Control: the process of one ublk command
enum class End { Initiator, Target };

struct Stage {
    End end;
    Who who;
    const char* place;
    // Empty, or why this death is not tried on Linux before 6.16.
    const char* notOnOldKernels = "";
};

// A device is being made.
extern const std::vector<Stage> kStart;
// A new server takes over the device of one that was killed.
extern const std::vector<Stage> kTakeOver;
// The cable is plugged in again, and what was held is sent again.
extern const std::vector<Stage> kSession;
// The target's machine was without power, and gets from the write log what it lost.
extern const std::vector<Stage> kReboot;
// The target works.
extern const std::vector<Stage> kStore;
// A device is being taken away.
extern const std::vector<Stage> kStop;

const char* nameOf(Who who);

}  // namespace kill_matrix
