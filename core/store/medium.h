#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace belay::store {

// How much of a medium's start is looked at: so much that every row of the table in medium.cpp is
// in it.
inline constexpr std::size_t kMediumBytes = std::size_t{68} << 10;

// What a medium's first bytes say.
//
// - Whoever writes to the disk at the other end decides what is read here, so it is fields at fixed
//   places in a buffer of fixed size; what libblkid would do more than that is not needed.
struct MediumContent {
    // Of all of them: with a file system or a partition table on it, it is another one whenever
    // somebody else has used the medium.
    std::uint64_t hash = 0;
    // "gpt 5f7c...", "ext 0a1b...": what kind of thing it is and its uuid or serial number. Empty
    // if it is nothing that has one. Written by mkfs, fdisk and their like, and by nobody else.
    std::string name;

    // `start`: up to kMediumBytes.
    static MediumContent of(ConstByteSpan start);

    bool operator==(const MediumContent&) const = default;
};

// Reads the start of a block device, and waits for it as any reader does.
Result<MediumContent> readMedium(int fd);

}  // namespace belay::store
