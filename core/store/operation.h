#pragma once

#include "core/base/ring.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

namespace belay::store {

class Store;

// How a range is made to read as zeroes; each falls back to the next.
enum class ZeroMethod : std::uint8_t { PunchHole, ZeroRange, Write };

// One operation of a Store, from the call to storeDone().
struct StoreOperation final : Operation {
    // Answer: nothing to do, `error` is the result. ProbeHoles, SyncWitness: before it is settled.
    enum class Kind : std::uint8_t {
        Answer,
        Read,
        Write,
        Flush,
        Discard,
        WriteZeroes,
        ProbeHoles,
        SyncWitness
    };

    Store* store = nullptr;
    StoreOperation* next = nullptr;  // in a list: free, flushing or waiting to flush
    std::uint64_t cookie = 0;
    std::uint64_t offset = 0;  // bytes
    std::uint64_t length = 0;  // bytes
    std::uint64_t done = 0;    // bytes of it
    std::byte* out = nullptr;
    // In place of the caller's memory, where that cannot be used; `readInto` is the caller's then.
    std::unique_ptr<std::byte[]> ordinary;
    std::byte* readInto = nullptr;
    const std::byte* in = nullptr;
    std::uint64_t losses = 0;  // WritebackState::losses() when it was issued
    int error = 0;
    int witness = -1;
    Kind kind = Kind::Answer;
    ZeroMethod method = ZeroMethod::Write;
    bool fua = false;
    bool noUnmap = false;
    std::uint8_t fuaPhase = 0;
    std::uint8_t retries = 0;

    bool changesData() const {
        return kind == Kind::Write || kind == Kind::Discard || kind == Kind::WriteZeroes;
    }
    void complete(int result, std::uint32_t flags) override;
};

// Operations to use again: allocates only when more are under way than ever before, and what it
// handed out stays where it is.
class Operations {
 public:
    StoreOperation& take() {
        if (free_ == nullptr)
            return all_.emplace_back();
        StoreOperation& op = *free_;
        free_ = op.next;
        op = StoreOperation{};
        return op;
    }
    void giveBack(StoreOperation& op) {
        op.next = free_;
        free_ = &op;
    }

 private:
    std::deque<StoreOperation> all_;
    StoreOperation* free_ = nullptr;
};

}  // namespace belay::store
