#include "core/session/allotment.h"

#include <algorithm>

namespace belay::session {
namespace {

constexpr std::uint64_t kPage = 4096;

std::uint64_t pages(std::uint64_t bytes) {
    return (bytes + kPage - 1) / kPage * kPage;
}

// What the smallest request takes, so that no more than so many have room.
std::uint64_t leastCost(std::uint64_t memory, std::uint32_t maxOutstanding) {
    const std::uint64_t most = std::max(maxOutstanding, 1U);
    return (memory + most - 1) / most;
}

}  // namespace

Allotment::Allotment(std::uint64_t memory, std::uint32_t maxOutstanding)
    : memory_(memory), least_(leastCost(memory, maxOutstanding)) {
    // So that as many as were agreed on do have room.
    if (maxOutstanding <= memory)
        memory_ = std::max(memory, least_ * maxOutstanding);
}

std::uint32_t Allotment::part(std::uint64_t memory, std::uint32_t maxOutstanding,
                              std::size_t exports, std::uint32_t blockSize) {
    const std::uint64_t equal = memory / 2 / std::max<std::uint64_t>(exports, 1) / kPage * kPage;
    const std::uint64_t least = std::max(pages(blockSize), leastCost(memory, maxOutstanding));
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(std::max(equal, least), 1U << 30));
}

bool Allotment::join(ExportId id, std::uint64_t guaranteed) {
    const auto found = parts_.find(id);
    if (found != parts_.end() && found->second.joined)
        return true;
    const Part old = found == parts_.end() ? Part() : found->second;
    const Part part{true, guaranteed, old.taken};
    if (bound_ - old.bound() + part.bound() > memory_)
        return false;
    bound_ = bound_ - old.bound() + part.bound();
    parts_[id] = part;
    return true;
}

void Allotment::leave(ExportId id) {
    const auto found = parts_.find(id);
    if (found == parts_.end())
        return;
    Part& part = found->second;
    bound_ -= part.bound() - part.taken;
    part.guaranteed = 0;
    part.joined = false;
    if (part.taken == 0)
        parts_.erase(found);
}

bool Allotment::hasJoined(ExportId id) const {
    const auto found = parts_.find(id);
    return found != parts_.end() && found->second.joined;
}

std::uint64_t Allotment::cost(std::uint32_t length) const {
    return std::max(pages(length), least_);
}

bool Allotment::hasRoom(ExportId id, std::uint32_t length) const {
    const auto found = parts_.find(id);
    Part part = found == parts_.end() ? Part() : found->second;
    const std::uint64_t others = bound_ - part.bound();
    part.taken += cost(length);
    return others + part.bound() <= memory_;
}

void Allotment::take(ExportId id, std::uint32_t length) {
    Part& part = parts_[id];
    bound_ -= part.bound();
    part.taken += cost(length);
    bound_ += part.bound();
}

void Allotment::giveBack(ExportId id, std::uint32_t length) {
    const auto found = parts_.find(id);
    if (found == parts_.end())
        return;
    Part& part = found->second;
    bound_ -= part.bound();
    part.taken -= std::min(part.taken, cost(length));
    bound_ += part.bound();
    if (part.taken == 0 && !part.joined)
        parts_.erase(found);
}

bool Allotment::hasTaken(ExportId id) const {
    const auto found = parts_.find(id);
    return found != parts_.end() && found->second.taken != 0;
}

std::uint64_t Allotment::guaranteed(ExportId id) const {
    const auto found = parts_.find(id);
    return found == parts_.end() ? 0 : found->second.guaranteed;
}

}  // namespace belay::session
