#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>

namespace belay::helper {

// A size as people read it: "256 MiB", "1.5 GiB".
inline std::string sizeText(std::uint64_t bytes) {
    constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit)
        value /= 1024;
    const bool whole = value == static_cast<double>(static_cast<std::uint64_t>(value));
    return fmt::format("{:.{}f} {}", value, whole ? 0 : 1, kUnits[unit]);
}

}  // namespace belay::helper
