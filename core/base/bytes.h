#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>

namespace belay {

using ByteSpan = std::span<std::byte>;
using ConstByteSpan = std::span<const std::byte>;

// The wire is little-endian throughout; these are the only places that know it.

// Reads an integer from `bytes` at `offset`; the caller has checked the length.
template <std::unsigned_integral T>
T loadLe(ConstByteSpan bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    if constexpr (std::endian::native == std::endian::big) {
        T swapped = 0;
        for (std::size_t i = 0; i < sizeof value; ++i)
            swapped = static_cast<T>(swapped << 8 | (value >> (8 * i) & 0xff));
        value = swapped;
    }
    return value;
}

// Writes an integer to `bytes` at `offset`; the caller has checked the length.
template <std::unsigned_integral T>
void storeLe(ByteSpan bytes, std::size_t offset, T value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
        bytes[offset + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

}  // namespace belay
