#pragma once

#include "core/base/bytes.h"
#include "core/base/crc32c.h"
#include "core/wire/layout.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

// What the fuzz targets share. A target takes any bytes, feeds them to decoders and aborts when a
// property does not hold; address and undefined-behaviour sanitizers watch the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace belay::fuzz {

using Bytes = std::vector<std::byte>;

// Aborts, so that the fuzzer keeps the input.
inline void require(bool holds) {
    if (!holds)
        std::abort();
}

inline Bytes copyOf(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    return Bytes(bytes.begin(), bytes.end());
}

// With the right CRC in the last four bytes: what lies behind the CRC check would otherwise be
// out of a fuzzer's reach.
inline Bytes sealed(Bytes message) {
    if (message.size() >= 4) {
        const std::size_t end = message.size() - 4;
        storeLe<std::uint32_t>(message, end, crc32c(ConstByteSpan(message).first(end)));
    }
    return message;
}

}  // namespace belay::fuzz
