#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/store/operation.h"
#include "core/store/store.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdint>
#include <optional>
#include <string>

namespace belay::store {

// An opened and examined file or block device, not locked yet.
struct Backing {
    Fd fd;
    std::string path;  // for messages
    bool isBlockDevice = false;
    bool readOnly = false;
    std::uint64_t sizeBytes = 0;
    std::uint32_t blockSize = 0;  // bytes
    BlockSizeReason blockSizeReason = BlockSizeReason::Usual;
    // What its partition table was made for, where that was looked at.
    std::optional<std::uint32_t> partitionedFor;
    // fallocate(2) modes believed to work until one says EOPNOTSUPP.
    bool punchesHoles = false;
    bool zeroesRanges = true;
    struct statx stat {};

    // The block device itself, or what a file's file system is on.
    dev_t device() const {
        return isBlockDevice ? makedev(stat.stx_rdev_major, stat.stx_rdev_minor)
                             : makedev(stat.stx_dev_major, stat.stx_dev_minor);
    }
    // The best way left to make a range read as zeroes.
    ZeroMethod zeroMethod(bool keepSpace) const {
        if (punchesHoles && !keepSpace)
            return ZeroMethod::PunchHole;
        return zeroesRanges ? ZeroMethod::ZeroRange : ZeroMethod::Write;
    }
};

// Opens options.path. Every reason to refuse it has a text and a hint of its own.
Result<Backing> openBacking(const StoreOptions& options);
// Examines a descriptor opened elsewhere, and switches off what would change the meaning of a
// positioned write.
Result<Backing> adoptBacking(Fd fd, const StoreOptions& options);
// Of a descriptor of any access mode only what identify() asks for, and the type.
Result<Backing> examineBacking(Fd fd, const std::string& path);
// Logs a block size that nobody asked for, and why, where it is not what one would expect.
void sayBlockSize(const Backing& backing);

}  // namespace belay::store
