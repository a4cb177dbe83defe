#pragma once

#include "core/base/units.h"
#include "core/partitions/changes.h"
#include "core/partitions/table.h"
#include "helper/supervisor/own_task.h"
#include "helper/worker/confine.h"

#include <functional>
#include <memory>
#include <vector>

namespace belay::helper {

// What is done with a disk's partitions in processes of their own: to read the table waits for the
// disk, and to change what the kernel has may wait for whoever reads it just now.

// Reads the table. The process opens the disk and gives up all privileges, as a worker does, before
// it looks at the first byte; what it says is taken from a stranger. Callbacks as OwnTask's.
std::unique_ptr<OwnTask> readPartitions(
    Ring& ring, DeviceId disk, const Identity& identity,
    std::function<void(Result<std::vector<partitions::Entry>>)> callback);

// Has the kernel make the changes: 0 or an errno for each.
std::unique_ptr<OwnTask> changePartitions(Ring& ring, DeviceId disk,
                                          const std::vector<partitions::Change>& changes,
                                          std::function<void(Result<std::vector<int>>)> callback);

// The hidden first arguments of the two, and what they are then: see ownProcessMain().
inline constexpr const char* kReadPartitionsArgument = "read-partitions";
inline constexpr const char* kChangePartitionsArgument = "change-partitions";
// `arguments`: disk, uid, gid.
int readPartitionsMain(char** arguments);
// `arguments`: disk.
int changePartitionsMain(char** arguments);

}  // namespace belay::helper
