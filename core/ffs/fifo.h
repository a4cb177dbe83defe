#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace belay::ffs {

// A queue in one block of memory, which grows when full and never shrinks: in steady state it
// allocates nothing. Elements must be default-constructible and may move when it grows.
template <class T>
class Fifo {
 public:
    bool empty() const { return count_ == 0; }
    std::size_t size() const { return count_; }
    T& front() { return slots_[first_]; }
    // The element `index` places behind the front; index < size().
    T& at(std::size_t index) { return slots_[(first_ + index) % slots_.size()]; }

    void push(T value) {
        if (count_ == slots_.size())
            grow();
        slots_[(first_ + count_) % slots_.size()] = std::move(value);
        ++count_;
    }
    void pop() {
        first_ = (first_ + 1) % slots_.size();
        --count_;
    }
    void clear() { first_ = count_ = 0; }

 private:
    void grow() {
        std::vector<T> bigger(slots_.empty() ? 16 : slots_.size() * 2);
        for (std::size_t i = 0; i < count_; ++i)
            bigger[i] = std::move(at(i));
        slots_ = std::move(bigger);
        first_ = 0;
    }

    std::vector<T> slots_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace belay::ffs
