#include "tests/sim/model_disk.h"

#include <algorithm>

namespace belay::sim {

ModelDisk::ModelDisk(std::uint32_t blocks)
    : blocks_(blocks,
              {{.name = 0, .begin = 0, .end = 0, .value = 0, .ok = true, .durable = true}}) {}

ModelDisk::Tick ModelDisk::beginWrite(std::uint32_t first, std::uint32_t count,
                                      std::uint32_t value) {
    const Tick begun = now();
    for (std::uint32_t block = first; block < first + count; ++block)
        blocks_[block].push_back({begun, begun, kNever, value, false, false});
    return begun;
}

void ModelDisk::endWrite(Tick begun, std::uint32_t first, std::uint32_t count, bool ok,
                         bool durable) {
    const Tick ended = now();
    for (std::uint32_t block = first; block < first + count; ++block) {
        Write& write = *std::ranges::find(blocks_[block], begun, &Write::name);
        write.end = ended;
        write.ok = ok;
        write.durable = ok && durable;
    }
}

void ModelDisk::flushed(Tick begun) {
    for (auto& writes : blocks_)
        for (Write& write : writes)
            if (write.ok && write.end < begun && write.gone == kNever)
                write.durable = true;
}

void ModelDisk::lossTold() {
    const Tick told = now();
    for (auto& writes : blocks_) {
        const auto covers = [](const Write& later, const Write& earlier) {
            return later.durable && later.begin > earlier.end;
        };
        std::vector<bool> covered;
        for (const Write& write : writes)
            covered.push_back(
                std::ranges::any_of(writes, [&](const Write& w) { return covers(w, write); }));
        // What is left has no order any more; what is not may be in a read that began before.
        for (std::size_t i = 0; i < writes.size(); ++i) {
            if (covered[i])
                writes[i].gone = std::min(writes[i].gone, told);
            else if (writes[i].end != kNever && writes[i].gone == kNever)
                writes[i].begin = writes[i].end = told;
        }
    }
}

bool ModelDisk::mayRead(std::uint32_t block, std::uint32_t value, Tick begun) const {
    const auto& writes = blocks_[block];
    return std::ranges::any_of(writes, [&](const Write& seen) {
        return seen.value == value && begun < seen.gone &&
               std::ranges::none_of(writes, [&](const Write& later) {
                   return later.ok && later.end < begun && later.begin > seen.end;
               });
    });
}

}  // namespace belay::sim
