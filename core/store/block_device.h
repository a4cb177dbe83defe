#pragma once

#include "core/base/error.h"

#include <cstdint>
#include <string>

namespace belay::store {

struct Backing;

// What the kernel says of a block device.
struct BlockDeviceFacts {
    std::uint64_t sizeBytes = 0;
    std::uint32_t logicalBlock = 512;  // bytes
    bool readOnly = false;
    // Space can be given back with fallocate(FALLOC_FL_PUNCH_HOLE).
    bool punchesHoles = false;
};

Result<BlockDeviceFacts> blockDeviceFacts(const Backing& backing);

// A text that names the medium and not the place it is plugged into, from sysfs: world-wide id,
// serial number, device-mapper or md uuid, a loop device's file; for a partition the disk's with
// partition number and start. "<major>:<minor> <size>" when the kernel knows none of them.
std::string blockDeviceName(const Backing& backing);

}  // namespace belay::store
