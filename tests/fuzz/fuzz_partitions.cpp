// What the process that reads partition tables says of one, which its table may have made say
// anything: no bytes lead to a partition that the disk cannot have, and from any set of partitions
// to any other the kernel can be led one by one.
//
// An input is the disk's size (8 bytes), the logarithm of its blocks (1), the length of a first
// list (2), the first list, and a second list.

#include "core/partitions/changes.h"
#include "core/partitions/list.h"
#include "tests/fuzz/fuzz.h"

#include <algorithm>

namespace belay::fuzz {
namespace {

using namespace belay::partitions;

constexpr std::size_t kHeader = 11;

bool overlap(const Partition& a, const Partition& b) {
    return a.start < b.start + b.length && b.start < a.start + a.length;
}

void check(const Table& table, const Geometry& disk) {
    std::uint32_t last = 0;
    for (const Partition& partition : table.partitions) {
        require(partition.number > last && partition.number <= kHighestNumber);
        last = partition.number;
        require(partition.length > 0 && partition.start <= disk.sizeBytes &&
                partition.length <= disk.sizeBytes - partition.start);
        require(partition.start % disk.blockBytes == 0 && partition.length % disk.blockBytes == 0);
        for (const Partition& other : table.partitions)
            require(&other == &partition || !overlap(partition, other));
    }
}

Table tableFrom(ConstByteSpan bytes, const Geometry& disk) {
    const auto list = decodeList(bytes);
    if (!list) {
        require(!list.error().message().empty());
        return {};
    }
    require(list->size() <= kMostEntries && decodeList(encodeList(*list)) == *list);
    Table table = Table::from(*list, disk);
    require(table.partitions.size() + table.leftOut.size() == list->size());
    check(table, disk);
    return table;
}

// What the kernel does, and what it refuses (block/partitions/core.c).
void apply(std::vector<Partition>& present, const Change& change) {
    const Partition& wanted = change.partition;
    const auto old = std::ranges::find(present, wanted.number, &Partition::number);
    require((change.kind == Change::Kind::Add) == (old == present.end()));
    if (change.kind != Change::Kind::Add) {
        require(old->start == wanted.start);
        require(change.kind == Change::Kind::Remove || old->length < wanted.length);
        present.erase(old);
    }
    if (change.kind == Change::Kind::Remove)
        return;
    for (const Partition& other : present)
        require(!overlap(other, wanted));
    present.push_back(wanted);
}

}  // namespace
}  // namespace belay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belay::fuzz;
    using namespace belay;
    const Bytes input = copyOf(data, size);
    if (input.size() < kHeader)
        return 0;
    const Geometry disk{
        .sizeBytes = loadLe<std::uint64_t>(input, 0),
        .blockBytes = std::uint32_t{512} << (std::to_integer<unsigned>(input[8]) % 4)};
    const ConstByteSpan rest = ConstByteSpan(input).subspan(kHeader);
    const std::size_t length = std::min<std::size_t>(loadLe<std::uint16_t>(input, 9), rest.size());
    const Table wanted = tableFrom(rest.first(length), disk);
    std::vector<Partition> present = tableFrom(rest.subspan(length), disk).partitions;
    for (const Change& change : changesTo(wanted.partitions, present))
        apply(present, change);
    std::ranges::sort(present);
    require(present == wanted.partitions);
    return 0;
}
