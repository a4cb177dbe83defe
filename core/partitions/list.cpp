#include "core/partitions/list.h"

#include <algorithm>
#include <cstdint>

namespace belay::partitions {
namespace {

constexpr std::uint32_t kMagic = 0x42507431;
constexpr std::size_t kHeader = 16;
constexpr std::size_t kEntry = 24;
static_assert(kLongestList == kHeader + kMostEntries * kEntry);
constexpr std::uint32_t kLargestErrno = 4095;  // MAX_ERRNO

std::vector<std::byte> header(std::uint32_t code, std::size_t count) {
    std::vector<std::byte> bytes(kHeader + count * kEntry);
    storeLe<std::uint32_t>(bytes, 0, kMagic);
    storeLe<std::uint32_t>(bytes, 4, code);
    storeLe<std::uint32_t>(bytes, 8, static_cast<std::uint32_t>(count));
    return bytes;
}

}  // namespace

std::vector<std::byte> encodeList(const std::vector<Entry>& entries) {
    const std::size_t count = std::min(entries.size(), kMostEntries);
    std::vector<std::byte> bytes = header(0, count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = kHeader + i * kEntry;
        storeLe<std::uint32_t>(bytes, at, entries[i].partition.number);
        storeLe<std::uint32_t>(bytes, at + 4, entries[i].extended ? 1 : 0);
        storeLe<std::uint64_t>(bytes, at + 8, entries[i].partition.start);
        storeLe<std::uint64_t>(bytes, at + 16, entries[i].partition.length);
    }
    return bytes;
}

std::vector<std::byte> encodeFailure(int code) {
    return header(static_cast<std::uint32_t>(code), 0);
}

Result<std::vector<Entry>> decodeList(ConstByteSpan bytes) {
    if (bytes.size() < kHeader || loadLe<std::uint32_t>(bytes, 0) != kMagic)
        return failure("what its reader says is no list of partitions");
    if (const auto code = loadLe<std::uint32_t>(bytes, 4); code != 0)
        return code <= kLargestErrno ? errorFrom(static_cast<int>(code), "read the partition table")
                                     : failure("what its reader says is no error");
    const std::size_t count = loadLe<std::uint32_t>(bytes, 8);
    if (count > kMostEntries || bytes.size() != kHeader + count * kEntry ||
        loadLe<std::uint32_t>(bytes, 12) != 0)
        return failure("the list of partitions is not as long as it says");
    std::vector<Entry> entries;
    for (std::size_t at = kHeader; at < bytes.size(); at += kEntry) {
        const auto extended = loadLe<std::uint32_t>(bytes, at + 4);
        if (extended > 1)
            return failure("the list of partitions has an entry of no known kind");
        entries.push_back({.partition = {.number = loadLe<std::uint32_t>(bytes, at),
                                         .start = loadLe<std::uint64_t>(bytes, at + 8),
                                         .length = loadLe<std::uint64_t>(bytes, at + 16)},
                           .extended = extended == 1});
    }
    return entries;
}

}  // namespace belay::partitions
