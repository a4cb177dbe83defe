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

// Exports are shorter than this: the kernel counts the bytes of files and disks in a signed 64-bit
// loff_t. (A ublk device takes any number of sectors and would have a size that is negative.)
inline constexpr std::uint64_t kMaxExportBytes = std::uint64_t{1} << 63;

// What an interface is, by its descriptor's class, subclass and protocol.
struct InterfaceTriple {
    std::uint8_t interfaceClass = 0;
    std::uint8_t subClass = 0;
    std::uint8_t protocol = 0;

    constexpr bool operator==(const InterfaceTriple&) const = default;
};

}  // namespace belay::wire
