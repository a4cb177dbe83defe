#include "core/base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace belay {
namespace {

constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
        table[i] = crc;
    }
    return table;
}();

std::uint32_t byTable(ConstByteSpan bytes, std::uint32_t crc) {
    for (std::byte b : bytes)
        crc = (crc >> 8) ^ kTable[(crc ^ std::to_integer<std::uint32_t>(b)) & 0xff];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t byInstruction(ConstByteSpan bytes,
                                                              std::uint32_t crc) {
    const std::byte* at = bytes.data();
    const auto load = [](const std::byte* from) {
        std::uint64_t word;
        std::memcpy(&word, from, sizeof word);
        return word;
    };
    std::uint64_t wide = crc;
    std::size_t left = bytes.size();
    // Unrolled: the loop would cost as much as the work.
    for (; left >= 32; left -= 32, at += 32) {
        wide = _mm_crc32_u64(wide, load(at));
        wide = _mm_crc32_u64(wide, load(at + 8));
        wide = _mm_crc32_u64(wide, load(at + 16));
        wide = _mm_crc32_u64(wide, load(at + 24));
    }
    for (; left >= 8; left -= 8, at += 8)
        wide = _mm_crc32_u64(wide, load(at));
    auto narrow = static_cast<std::uint32_t>(wide);
    for (; left > 0; --left, ++at)
        narrow = _mm_crc32_u8(narrow, std::to_integer<std::uint8_t>(*at));
    return narrow;
}
#endif

}  // namespace

std::uint32_t crc32c(ConstByteSpan bytes, std::uint32_t seed) {
#if defined(__x86_64__)
    static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
    if (kHasInstruction)
        return ~byInstruction(bytes, ~seed);
#endif
    return ~byTable(bytes, ~seed);
}

}  // namespace belay
