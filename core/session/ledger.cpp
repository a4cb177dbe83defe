#include "core/session/ledger.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace belay::session {

// A power of two, so that the slot of a sequence also follows from its low 32 bits.
Ledger::Ledger(std::size_t capacity, Sequence first)
    : slots_(std::bit_ceil(std::max<std::size_t>(capacity, 2))), next_(first.value) {}

void Ledger::grow(std::size_t capacity) {
    if (capacity <= slots_.size())
        return;
    std::vector<std::optional<Entry>> larger(std::bit_ceil(capacity));
    // Two that had a slot each have one each in a multiple of as many.
    for (auto& slot : slots_)
        if (slot)
            larger[slot->sequence.value % larger.size()] = *slot;
    slots_ = std::move(larger);
}

Entry* Ledger::add(const Entry& request) {
    if (size_ == slots_.size())
        return nullptr;
    while (slots_[next_ % slots_.size()])
        ++next_;
    auto& slot = slots_[next_ % slots_.size()];
    slot = request;
    slot->sequence = Sequence(next_++);
    ++size_;
    return &*slot;
}

Entry* Ledger::find(Sequence sequence) {
    auto& slot = slots_[sequence.value % slots_.size()];
    return slot && slot->sequence == sequence ? &*slot : nullptr;
}

Entry* Ledger::findByLowBits(std::uint32_t low) {
    auto& slot = slots_[low % slots_.size()];
    return slot && static_cast<std::uint32_t>(slot->sequence.value) == low ? &*slot : nullptr;
}

void Ledger::remove(Sequence sequence) {
    auto& slot = slots_[sequence.value % slots_.size()];
    if (slot && slot->sequence == sequence) {
        slot.reset();
        --size_;
    }
}

std::vector<Entry*> Ledger::inOrder() {
    std::vector<Entry*> entries;
    for (auto& slot : slots_)
        if (slot)
            entries.push_back(&*slot);
    std::ranges::sort(entries, {}, &Entry::sequence);
    return entries;
}

}  // namespace belay::session
