#pragma once

#include "core/base/error.h"
#include "core/base/units.h"
#include "core/partitions/changes.h"
#include "core/partitions/table.h"

#include <string>
#include <vector>

namespace belay::partitions {

// What the kernel has of a ublk disk just now. From sysfs; never blocks.
Result<Geometry> geometryOf(DeviceId disk);
std::vector<Partition> presentOf(DeviceId disk);

// "ublkb0p3"
std::string partitionName(DeviceId disk, std::uint32_t number);

// Has the kernel make these changes, whatever becomes of each: 0 or an errno for each. Needs
// CAP_SYS_ADMIN. Waits, without limit, for whoever else has the kernel look at the disk's
// partitions, and so for the disk's server.
Result<std::vector<int>> apply(DeviceId disk, const std::vector<Change>& changes);

// Has the kernel tell udev that a disk or a partition has changed, by its name: udev then looks up
// anew what is on it. Does not wait for it.
void announceChange(const std::string& name);

}  // namespace belay::partitions
