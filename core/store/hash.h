#pragma once

#include "core/base/uuid.h"

#include <bit>
#include <cstdint>
#include <string_view>

namespace belay::store {

// A 64-bit hash to make names from facts; not against an attacker.
//
// - Each step is a bijection of the state for a given input and of the input for a given state
//   (xor, then shift-xor and odd multiplications), so two sequences that differ in the last value
//   only never collide.
// - The values end up in stored names: changing anything here changes every store's identity.
class Hash {
 public:
    explicit Hash(std::uint64_t seed) : state_(spread(seed + kStep)) {}

    Hash& add(std::uint64_t value) {
        state_ = spread((std::rotl(state_, 23) + kStep) ^ value);
        return *this;
    }
    // The length goes in as well: "ab","c" is not "a","bc".
    Hash& add(std::string_view text) {
        add(std::uint64_t{text.size()});
        for (const char c : text)
            add(std::uint64_t{static_cast<unsigned char>(c)});
        return *this;
    }
    Hash& add(const Uuid& uuid) {
        for (const std::uint8_t byte : uuid.bytes)
            add(std::uint64_t{byte});
        return *this;
    }
    std::uint64_t value() const { return state_; }

 private:
    static constexpr std::uint64_t kStep = 0x9e37'79b9'7f4a'7c15;  // 2^64 / golden ratio, odd

    static constexpr std::uint64_t spread(std::uint64_t x) {
        x ^= x >> 31;
        x *= 0xd6e8'feb8'6659'fd93;
        x ^= x >> 29;
        x *= 0xa076'1d64'78bd'642f;
        x ^= x >> 32;
        return x;
    }

    std::uint64_t state_;
};

}  // namespace belay::store
