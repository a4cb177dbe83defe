#pragma once

#include <cstdint>

namespace belay::sim {

// splitmix64: the same numbers on every machine, unlike <random>'s distributions.
class Random {
 public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    // 0 .. limit-1; `limit` is at least 1.
    std::uint32_t below(std::uint64_t limit) { return static_cast<std::uint32_t>(next() % limit); }
    // low .. high, both included.
    std::uint32_t between(std::uint32_t low, std::uint32_t high) {
        return low + below(std::uint64_t{high} - low + 1);
    }
    bool percent(std::uint32_t chance) { return below(100) < chance; }

 private:
    std::uint64_t state_;
};

}  // namespace belay::sim
