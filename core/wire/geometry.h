#pragma once

#include <bit>
#include <cstdint>

namespace belay::wire {

// Logical block sizes that both protocols allow: powers of two in this range, in bytes.
inline constexpr std::uint32_t kMinBlockBytes = 512;
inline constexpr std::uint32_t kMaxBlockBytes = 65536;

constexpr bool isBlockSize(std::uint32_t bytes) {
    return std::has_single_bit(bytes) && bytes >= kMinBlockBytes && bytes <= kMaxBlockBytes;
}

// What an interface is, by its descriptor's class, subclass and protocol.
struct InterfaceTriple {
    std::uint8_t interfaceClass = 0;
    std::uint8_t subClass = 0;
    std::uint8_t protocol = 0;

    constexpr bool operator==(const InterfaceTriple&) const = default;
};

}  // namespace belay::wire
