#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace belay {

// A 128-bit identity: RFC 9562 layout, compared and sent as 16 bytes in network order.
struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(const Uuid&) const = default;
    bool isNil() const { return *this == Uuid{}; }

    // "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
    std::string toString() const;
    // Accepts exactly that form, in either case.
    static std::optional<Uuid> parse(std::string_view text);
    // A random (version 4) one.
    static Uuid random();
};

// 64 random bits from the kernel; never 0.
std::uint64_t randomNonZero64();

}  // namespace belay
