#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>

namespace belay {

using ByteSpan = std::span<std::byte>;
using ConstByteSpan = std::span<const std::byte>;

// Copies all of `from` to the beginning of `to`, which is at least as long and not the same memory.
// Not std::ranges::copy: GCC 12's goes byte by byte when the source is const.
inline void copyBytes(ConstByteSpan from, ByteSpan to) {
    if (!from.empty())
        std::memcpy(to.data(), from.data(), from.size());
}

// The wire is little-endian throughout; these are the only places that know it.

// An integer as it lies in little-endian memory, or the other way round.
template <std::unsigned_integral T>
constexpr T littleEndian(T value) {
    if constexpr (std::endian::native == std::endian::little)
        return value;
    T swapped = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
        swapped = static_cast<T>(swapped << 8 | (value >> (8 * i) & 0xff));
    return swapped;
}

// Reads an integer from `bytes` at `offset`; the caller has checked the length.
template <std::unsigned_integral T>
T loadLe(ConstByteSpan bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return littleEndian(value);
}

// Writes an integer to `bytes` at `offset`; the caller has checked the length.
template <std::unsigned_integral T>
void storeLe(ByteSpan bytes, std::size_t offset, T value) {
    const T stored = littleEndian(value);
    std::memcpy(bytes.data() + offset, &stored, sizeof stored);
}

}  // namespace belay
