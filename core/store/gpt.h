#pragma once

#include "core/base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace belay::store {

// For which block size a disk was partitioned: a GUID partition table has its header in the second
// block (UEFI, 5.3.2), so one that was made for 4096-byte blocks is not found with 512.
//
// - Whoever writes to the disk at the other end decides what is read here, and a worker opens its
//   first stores before it gives up its rights. So this is not left to a library that would read
//   the whole table: signature, checksum and place of one header in a buffer of fixed size.
// - A backup header alone does not count: its place depends on a size that may have changed.

// How much of a disk's start is to be looked at.
inline constexpr std::size_t kGptSearchBytes = 8192;

// `start`: the first bytes of the disk, up to kGptSearchBytes. 512 or 4096, the smaller one if
// there is a header for either; nothing if there is none.
std::optional<std::uint32_t> gptBlockSize(ConstByteSpan start);
// The 16 bytes of the disk's GUID in that header (UEFI, table 5-5), as they are on the disk.
std::optional<ConstByteSpan> gptDisk(ConstByteSpan start);

}  // namespace belay::store
