#pragma once

#include "core/base/bytes.h"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace belay::wire {

// One field of a fixed layout: `size` bytes at `offset`. A layout is a struct of named fields and
// one array of them all (kAll) that encoder, decoder and test share.
struct Field {
    std::string_view name;
    std::size_t offset = 0;
    std::size_t size = 0;

    constexpr std::size_t end() const { return offset + size; }
};

// True when the fields, in order, fill `total` bytes without gap or overlap.
template <std::size_t N>
consteval bool fillsExactly(const std::array<Field, N>& fields, std::size_t total) {
    std::size_t next = 0;
    for (const Field& field : fields) {
        if (field.offset != next || field.size == 0)
            return false;
        next = field.end();
    }
    return next == total;
}

template <std::size_t Bytes>
struct UintOf;
template <>
struct UintOf<1> {
    using Type = std::uint8_t;
};
template <>
struct UintOf<2> {
    using Type = std::uint16_t;
};
template <>
struct UintOf<4> {
    using Type = std::uint32_t;
};
template <>
struct UintOf<8> {
    using Type = std::uint64_t;
};

// The integer type of a field: its width comes from the table and nowhere else.
template <const Field& F>
using IntegerOf = typename UintOf<F.size>::Type;

// The integer in a field. Here and below: the caller has checked that `bytes` holds the layout.
template <const Field& F>
IntegerOf<F> get(ConstByteSpan bytes) {
    return loadLe<IntegerOf<F>>(bytes, F.offset);
}

// Writes an integer to a field; its type must be exactly the field's.
template <const Field& F, std::same_as<IntegerOf<F>> T>
void put(ByteSpan bytes, T value) {
    storeLe<T>(bytes, F.offset, value);
}

// The bytes of a field that is no integer, to read and to write.
template <const Field& F>
ConstByteSpan part(ConstByteSpan bytes) {
    return bytes.subspan(F.offset, F.size);
}
template <const Field& F>
ByteSpan slot(ByteSpan bytes) {
    return bytes.subspan(F.offset, F.size);
}

// True when every byte is 0.
inline bool isZero(ConstByteSpan bytes) {
    for (std::byte b : bytes) {
        if (b != std::byte{0})
            return false;
    }
    return true;
}

}  // namespace belay::wire
