#pragma once

#include "core/base/uuid.h"

#include <cstdint>

namespace belay::store {

struct Backing;

// What makes a store the same one as before.
//
// - A regular file: its file system's uuid (FS_IOC_GETFSUUID, Linux 6.9; before that statfs(2)'s
//   f_fsid), inode number and birth time. So a rename keeps it; a copy, or a new file moved to
//   the old name, is another one.
// - A block device: blockDeviceName().
// - The uuid is version 8 of RFC 9562: two 64-bit hashes of those facts with different seeds.
struct Identity {
    Uuid uuid;
    // For regular files from inode generation (FS_IOC_GETVERSION) and birth time.
    std::uint64_t incarnation = 0;
};

Identity identify(const Backing& backing);

// `replaced`: how often the content was found changed behind our back. Never 0.
std::uint64_t generationOf(const Identity& identity, std::uint64_t replaced);

}  // namespace belay::store
