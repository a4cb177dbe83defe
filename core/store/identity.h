#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/uuid.h"
#include "core/store/medium.h"

#include <cstdint>
#include <optional>
#include <string>

namespace belay::store {

struct Backing;

// What makes a store the same one as before.
//
// - A regular file: its file system's uuid (FS_IOC_GETFSUUID, Linux 6.9; before that statfs(2)'s
//   f_fsid), inode number and birth time. So a rename keeps it; a copy, or a new file moved to
//   the old name, is another one.
// - A file on a file system that makes up inode numbers at each mount: its path within the file
//   system. FAT and exFAT are known by what their medium says (its serial number) or, if it says
//   nothing, by the block device; one in user space (FUSE) by its mount's type and source. So a
//   rename makes it another one.
// - A block device: BlockDeviceName::hardware. If the medium may be changed in it, also what the
//   medium says; if the kernel knows no name of it, what the medium says alone; if that says
//   nothing either, the boot and its diskSequence(), so that it is another one after a reboot. A
//   partition is also named by its place.
// - The uuid is version 8 of RFC 9562: two 64-bit hashes of those facts with different seeds.
struct Identity {
    Uuid uuid;
    // See incarnationOf().
    std::uint64_t incarnation = 0;
};

// The block device whose first bytes may be a part of a store's identity: the store itself, or what
// its file system is on. None if it has an identity without them, or it cannot be opened.
Fd mediumOf(const Backing& backing);
// True if it is: a block device may also be known by its hardware alone.
bool isNamedByMedium(const Backing& backing);
// `content`: of that block device. For the rest this looks into /proc and /sys.
Identity identify(const Backing& backing, const std::optional<MediumContent>& content);
// The same, reading the medium here if it has a say.
Result<Identity> identify(const Backing& backing);

// For regular files from inode generation (FS_IOC_GETVERSION) and birth time, so that another file
// of the same name is told from the old one. For block devices always the same.
std::uint64_t incarnationOf(const Backing& backing);

// True of a file system whose time stamps are in local time, without saying which (FAT).
bool keepsLocalTime(const Backing& backing);

// `replaced`: how often the content was found changed behind our back. Never 0.
std::uint64_t generationOf(std::uint64_t incarnation, std::uint64_t replaced);

}  // namespace belay::store
