#pragma once

#include "core/base/error.h"
#include "core/ublk/device.h"

#include <string>
#include <string_view>
#include <vector>

namespace belay::ublk {

// What a process calls itself that reads a disk's partition table for us, or tells the kernel of
// it.
inline constexpr const char* kPartitionProcessName = "belay-parts";

// Something that has a disk or one of its partitions in use.
struct Holder {
    enum class Kind {
        Mount,    // name: the mount point, and "(only for PID (command))" if only others see it
        Swap,     // name: the node swapped to
        Kernel,   // name: the block device made on top of it (dm-0, md127, loop3)
        Process,  // name: "PID (command)" of a process that has the node open
    };
    Kind kind = Kind::Mount;
    std::string name;

    bool operator==(const Holder&) const = default;
};

// "mount", "swap", "kernel", "process"
std::string_view toString(Holder::Kind kind);

// What holds the disk, as far as this process may see: unless it is root, mounts of its own mount
// namespace only, and no open files. A node counts by its number, wherever it is and whatever it is
// called. Reads procfs and sysfs only and opens no block device, so it does not block when the
// server is dead. Our own control and partition processes do not count.
Result<std::vector<Holder>> holdersOf(DeviceId id);

// Whether a control or partition process of ours, which is no user of it, has it open.
bool isOpenInOwnProcess(DeviceId id);

// A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)): "major:minor" and the mount point with
// its escapes resolved. All are empty if the line has another form.
struct MountLine {
    std::string id;
    std::string device;
    std::string type;
    std::string source;
    std::string point;

    static MountLine parse(std::string_view line);
};

}  // namespace belay::ublk
