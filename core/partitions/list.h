#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/partitions/table.h"

#include <cstddef>
#include <vector>

namespace belay::partitions {

// What the process that reads a table sends to the one that trusts it in nothing: the entries, or
// the errno with which the disk could not be read. 16 bytes (magic, errno, count, 0) and 24 for
// each entry (number, 1 if extended, start, length), little-endian.

// A table can hold more entries than the kernel takes: what is beyond this is not sent.
inline constexpr std::size_t kMostEntries = 512;
inline constexpr std::size_t kLongestList = 16 + kMostEntries * 24;

std::vector<std::byte> encodeList(const std::vector<Entry>& entries);
std::vector<std::byte> encodeFailure(int code);
// Of any bytes.
Result<std::vector<Entry>> decodeList(ConstByteSpan bytes);

}  // namespace belay::partitions
