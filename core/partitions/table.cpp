#include "core/partitions/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace belay::partitions {
namespace {

constexpr std::uint64_t kShownOfExtended = 1024;

bool overlap(const Partition& a, const Partition& b) {
    return a.start < b.start + b.length && b.start < a.start + a.length;
}

// What the kernel shows of one, too, is where its chain begins: for a boot loader. No more than
// what is in front of the first logical one, which may come right behind.
std::uint64_t shownOfExtended(const Partition& extended, const Geometry& disk,
                              const std::vector<Entry>& entries) {
    std::uint64_t shown =
        std::min(extended.length, std::max<std::uint64_t>(disk.blockBytes, kShownOfExtended));
    for (const auto& [other, isExtended] : entries)
        if (!isExtended && other.start > extended.start)
            shown = std::min(shown, other.start - extended.start);
    return shown;
}

// Why it cannot be a partition of this disk beside the `others`; empty if it can.
std::string objectionTo(const Partition& partition, const Geometry& disk,
                        const std::vector<Partition>& others) {
    if (partition.length == 0)
        return "is empty";
    if (partition.start > disk.sizeBytes || partition.length > disk.sizeBytes - partition.start)
        return "reaches past the end of the disk";
    if ((partition.start | partition.length) % disk.blockBytes != 0)
        return fmt::format("does not consist of whole blocks of {} bytes", disk.blockBytes);
    for (const Partition& other : others) {
        if (other.number == partition.number)
            return "is there twice";
        if (overlap(partition, other))
            return fmt::format("overlaps partition {}", other.number);
    }
    return {};
}

}  // namespace

Table Table::from(std::vector<Entry> entries, const Geometry& disk) {
    std::ranges::stable_sort(entries, {},
                             [](const Entry& entry) { return entry.partition.number; });
    Table table;
    for (const Entry& entry : entries) {
        Partition partition = entry.partition;
        if (partition.number == 0 || partition.number > kHighestNumber) {
            table.leftOut.push_back(
                fmt::format("partition {} has a number that the kernel has no room for: 1 to {}",
                            partition.number, kHighestNumber));
            continue;
        }
        if (entry.extended)
            partition.length = shownOfExtended(partition, disk, entries);
        if (const auto objection = objectionTo(partition, disk, table.partitions);
            objection.empty())
            table.partitions.push_back(partition);
        else
            table.leftOut.push_back(fmt::format("partition {} {}", partition.number, objection));
    }
    return table;
}

}  // namespace belay::partitions
