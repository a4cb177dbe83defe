#pragma once

#include <cstdint>

namespace belay::store {

struct Backing;

// Names the page cache that a store's bytes go through: with another one, what was written and not
// durable is gone.
//
// - A block device has another one whenever its medium was plugged in anew (diskSequence()).
// - A file has another one when its file system was mounted anew, as it must be after its disk was
//   pulled, after it has shut down on errors, or after its server in user space (FUSE) has died:
//   the mount's unique id (Linux 6.8; before that its id, which may be used again), and the
//   diskSequence() below it. Another mount of the same file system counts as well, for nothing.
// - Good for one boot.
std::uint64_t instanceOf(const Backing& backing);

}  // namespace belay::store
