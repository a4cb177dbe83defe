#pragma once

#include "core/base/error.h"

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace belay::partitions {

// The kernel numbers a disk's partitions from 1 to this (DISK_MAX_PARTS).
inline constexpr std::uint32_t kHighestNumber = 255;

// A place on a disk, in bytes.
struct Partition {
    std::uint32_t number = 0;
    std::uint64_t start = 0;
    std::uint64_t length = 0;

    auto operator<=>(const Partition&) const = default;
};

// What a partition table says, as it says it.
struct Entry {
    Partition partition;
    // The one that holds an MBR's logical partitions. The kernel shows of it the first two sectors
    // only, for boot loaders, so that nobody makes a file system in it.
    bool extended = false;

    bool operator==(const Entry&) const = default;
};

struct Geometry {
    std::uint64_t sizeBytes = 0;
    std::uint32_t blockBytes = 512;  // a power of two, at least 512
};

// Which of a table's partitions a disk can have, by number: each of whole blocks, none past the
// disk's end, none on top of one with a lower number.
struct Table {
    std::vector<Partition> partitions;
    // Why others are left out, in words for a user: "partition 3 reaches past the end of the disk".
    std::vector<std::string> leftOut;

    // Takes entries from anybody.
    static Table from(std::vector<Entry> entries, const Geometry& disk);
};

}  // namespace belay::partitions
