#pragma once

#include "core/partitions/table.h"

#include <cstdint>
#include <vector>

namespace belay::partitions {

// One thing for the kernel to do. Plain data: it crosses to another process as it is.
struct Change {
    enum class Kind : std::uint32_t {
        Remove,
        Grow,  // the same start; also of a partition in use
        Add,
    };
    Kind kind = Kind::Remove;
    Partition partition;

    bool operator==(const Change&) const = default;
};

// What makes the `present` partitions the `wanted` ones, in an order in which the kernel can do it.
//
// - Those that are equal are not touched.
// - One that moves, or becomes smaller, is removed and added again. The kernel refuses to remove
//   one that is in use; its user would lose the end of it otherwise.
std::vector<Change> changesTo(const std::vector<Partition>& wanted,
                              const std::vector<Partition>& present);

}  // namespace belay::partitions
