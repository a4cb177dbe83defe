#include "core/partitions/probe.h"

#include <blkid/blkid.h>

#include <cerrno>
#include <cstdint>

namespace belay::partitions {
namespace {

// What libblkid counts in, whatever the disk's blocks are.
constexpr std::uint64_t kProbeSector = 512;

struct Free {
    void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};

Entry entryOf(blkid_partition partition) {
    Entry entry;
    entry.partition.number = static_cast<std::uint32_t>(blkid_partition_get_partno(partition));
    entry.partition.start =
        static_cast<std::uint64_t>(blkid_partition_get_start(partition)) * kProbeSector;
    entry.partition.length =
        static_cast<std::uint64_t>(blkid_partition_get_size(partition)) * kProbeSector;
    entry.extended = blkid_partition_is_extended(partition) != 0;
    return entry;
}

}  // namespace

struct Probe::State {
    Fd disk;
    std::unique_ptr<blkid_struct_probe, Free> probe;
};

Probe::Probe(std::unique_ptr<State> state) : state_(std::move(state)) {}
Probe::Probe(Probe&&) noexcept = default;
Probe& Probe::operator=(Probe&&) noexcept = default;
Probe::~Probe() = default;

Result<Probe> Probe::prepare(Fd disk) {
    auto state = std::make_unique<State>();
    state->disk = std::move(disk);
    state->probe.reset(blkid_new_probe());
    if (!state->probe)
        return errorFrom(ENOMEM, "make a reader of partition tables");
    errno = 0;
    if (blkid_probe_set_device(state->probe.get(), state->disk.get(), 0, 0) != 0)
        return errorFrom(errno != 0 ? errno : EIO, "look at the disk");
    blkid_probe_enable_superblocks(state->probe.get(), 0);
    blkid_probe_enable_partitions(state->probe.get(), 1);
    return Probe(std::move(state));
}

Result<std::vector<Entry>> Probe::entries() {
    errno = 0;
    blkid_partlist list = blkid_probe_get_partitions(state_->probe.get());
    if (list == nullptr) {
        // It says no more of "there is none" and "it cannot be read" than this.
        if (errno == EIO || errno == ENOMEM)
            return errorFrom(errno, "read the partition table");
        return std::vector<Entry>();
    }
    std::vector<Entry> entries;
    const int count = blkid_partlist_numof_partitions(list);
    for (int i = 0; i < count; ++i)
        if (blkid_partition partition = blkid_partlist_get_partition(list, i))
            entries.push_back(entryOf(partition));
    return entries;
}

}  // namespace belay::partitions
