#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace belay {

// An integer with a meaning of its own: two units never convert into each other.
template <class Meaning, class Rep>
struct Unit {
    using rep = Rep;
    Rep value{};

    constexpr Unit() = default;
    constexpr explicit Unit(Rep v) : value(v) {}
    constexpr auto operator<=>(const Unit&) const = default;
};

// Names one session between initiator and target; never reused; 0 means "no session".
using Epoch = Unit<struct EpochMeaning, std::uint64_t>;
// Names one request of an initiator; never reused in the device's life; the same if it is resent.
using Sequence = Unit<struct SequenceMeaning, std::uint64_t>;
// A slot of a ublk queue, 0 .. depth-1; reused by the kernel all the time.
using Tag = Unit<struct TagMeaning, std::uint16_t>;
// Names one export within a session; never 0.
using ExportId = Unit<struct ExportIdMeaning, std::uint32_t>;
// A ublk device's number: the N of /dev/ublkbN.
using DeviceId = Unit<struct DeviceIdMeaning, std::uint32_t>;
// A position on a device in its logical blocks.
using Lba = Unit<struct LbaMeaning, std::uint64_t>;
// Changes whenever a target may have lost bytes it acknowledged but had not made durable.
using Verifier = Unit<struct VerifierMeaning, std::uint64_t>;

}  // namespace belay

template <class Meaning, class Rep>
struct std::hash<belay::Unit<Meaning, Rep>> {
    std::size_t operator()(const belay::Unit<Meaning, Rep>& unit) const noexcept {
        return std::hash<Rep>{}(unit.value);
    }
};
