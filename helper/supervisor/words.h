#pragma once

#include "core/lifecycle/policy.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

// The write log's bound as the command line has it, in MiB; 0 for none.
inline constexpr std::string_view kWriteLogRange = "0 (none), or 4 to 1024 MiB";
inline std::optional<std::size_t> writeLogFrom(std::string_view text) {
    std::size_t mib = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), mib);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
        mib > 1024 || (mib > 0 && mib < 4))
        return std::nullopt;
    return mib << 20;
}

// The block sizes that a file or disk can be offered with: more than the smallest page would be no
// block size of a block device at the other end.
inline constexpr std::string_view kOfferedBlockSizes = "512, 1024, 2048 or 4096";
constexpr bool isOfferedBlockSize(std::uint32_t bytes) {
    return std::has_single_bit(bytes) && bytes >= 512 && bytes <= 4096;
}
inline std::optional<std::uint32_t> blockSizeFrom(std::string_view text) {
    std::uint32_t bytes = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), bytes);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
        !isOfferedBlockSize(bytes))
        return std::nullopt;
    return bytes;
}

// A policy as the command line has it: "wait", "fail-fast", or for how many seconds to wait.
inline std::optional<lifecycle::Policy> policyFrom(std::string_view text) {
    const auto kind = lifecycle::policyNamed(text);
    if (kind && kind != lifecycle::PolicyKind::WaitLimited)
        return lifecycle::Policy{.kind = *kind};
    std::uint32_t seconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
        return std::nullopt;
    return lifecycle::Policy{.kind = lifecycle::PolicyKind::WaitLimited,
                             .limit = std::chrono::seconds(seconds)};
}

}  // namespace belay::helper
