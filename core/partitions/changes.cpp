#include "core/partitions/changes.h"

#include <algorithm>
#include <iterator>

namespace belay::partitions {
namespace {

const Partition* find(const std::vector<Partition>& list, std::uint32_t number) {
    const auto found = std::ranges::find(list, number, &Partition::number);
    return found == list.end() ? nullptr : &*found;
}

bool stays(const Partition& present, const Partition* wanted) {
    return wanted != nullptr && wanted->start == present.start && wanted->length >= present.length;
}

}  // namespace

std::vector<Change> changesTo(const std::vector<Partition>& wanted,
                              const std::vector<Partition>& present) {
    std::vector<Change> changes;
    for (const Partition& partition : present)
        if (!stays(partition, find(wanted, partition.number)))
            changes.push_back({Change::Kind::Remove, partition});
    std::vector<Change> additions;
    for (const Partition& partition : wanted) {
        const Partition* old = find(present, partition.number);
        if (old == nullptr || !stays(*old, &partition))
            additions.push_back({Change::Kind::Add, partition});
        else if (*old != partition)
            changes.push_back({Change::Kind::Grow, partition});
    }
    std::ranges::move(additions, std::back_inserter(changes));
    return changes;
}

}  // namespace belay::partitions
