#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
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

// What names a block device, but for its content. All of it from sysfs.
struct BlockDeviceName {
    // The device that the medium is in, not the place it is plugged into: world-wide id, serial
    // number, device-mapper or md uuid, a loop device's file; else vendor, product and serial
    // number of the USB device that it is part of, with the logical unit. Empty if the kernel knows
    // none of them.
    std::string hardware;
    // In which another medium may be without its having another name: a card reader or a stick,
    // which say the same of themselves.
    bool removable = false;
    // " partition <number> at <start>"; empty for a whole disk.
    std::string place;
};

BlockDeviceName blockDeviceName(dev_t device);

// The kernel's number for this medium in this place (BLKGETDISKSEQ, Linux 5.15): another one for
// whatever is plugged in later, also for another card in the same reader. Never used twice in a
// boot.
std::optional<std::uint64_t> diskSequence(dev_t device);

// Opens it by the name that the kernel gives its node.
Result<Fd> openBlockDevice(dev_t device);

}  // namespace belay::store
