#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/wire/control.h"
#include "core/wire/geometry.h"
#include "core/wire/layout.h"

#include <array>
#include <optional>

namespace belay::wire {

// The interface of attach; that of lend is smoo::kTriple.
inline constexpr InterfaceTriple kAttachTriple{0xFF, 0x53, 0x4E};

// bmRequestType of every native ep0 request, by direction (USB 2.0, table 9-2: vendor, interface).
inline constexpr std::uint8_t kControlIn = 0xC1;
inline constexpr std::uint8_t kControlOut = 0x41;

// Bounds of what may be offered or chosen.
inline constexpr std::uint32_t kTransferUnitBytes = 512;  // maxTransfer is a multiple of it
inline constexpr std::uint16_t kMaxExports = 256;

// The data stages, little-endian; uuids as their 16 bytes. Each ends with the CRC32C of all that
// is before it. Magic and version stay where they are in every future version.
struct HelloLayout {
    static constexpr std::size_t kBytes = 64;

    static constexpr Field kMagic{"magic", 0, 4};
    static constexpr Field kVersion{"version", 4, 2};
    static constexpr Field kRoles{"roles", 6, 2};
    static constexpr Field kFeatures{"features", 8, 4};
    static constexpr Field kMaxTransfer{"max transfer", 12, 4};
    static constexpr Field kMaxOutstanding{"max outstanding", 16, 2};
    static constexpr Field kMaxExports{"max exports", 18, 2};
    static constexpr Field kGadget{"gadget", 20, 16};
    static constexpr Field kBootId{"boot id", 36, 16};
    static constexpr Field kVerifier{"verifier", 52, 8};
    static constexpr Field kCrc{"CRC", 60, 4};

    static constexpr std::array kAll{kMagic,       kVersion,        kRoles,      kFeatures,
                                     kMaxTransfer, kMaxOutstanding, kMaxExports, kGadget,
                                     kBootId,      kVerifier,       kCrc};
};
static_assert(fillsExactly(HelloLayout::kAll, HelloLayout::kBytes));

struct OpenLayout {
    static constexpr std::size_t kBytes = 44;

    static constexpr Field kMagic{"magic", 0, 4};
    static constexpr Field kVersion{"version", 4, 2};
    static constexpr Field kMaxOutstanding{"max outstanding", 6, 2};
    static constexpr Field kFeatures{"features", 8, 4};
    static constexpr Field kMaxTransfer{"max transfer", 12, 4};
    static constexpr Field kEpoch{"epoch", 16, 8};
    static constexpr Field kHost{"host", 24, 16};
    static constexpr Field kCrc{"CRC", 40, 4};

    static constexpr std::array kAll{kMagic,       kVersion, kMaxOutstanding, kFeatures,
                                     kMaxTransfer, kEpoch,   kHost,           kCrc};
};
static_assert(fillsExactly(OpenLayout::kAll, OpenLayout::kBytes));

struct OpenedLayout {
    static constexpr std::size_t kBytes = 16;

    static constexpr Field kEpoch{"epoch", 0, 8};
    static constexpr Field kState{"state", 8, 1};
    static constexpr Field kReason{"reason", 9, 1};
    static constexpr Field kReserved{"reserved", 10, 2};
    static constexpr Field kCrc{"CRC", 12, 4};

    static constexpr std::array kAll{kEpoch, kState, kReason, kReserved, kCrc};
};
static_assert(fillsExactly(OpenedLayout::kAll, OpenedLayout::kBytes));

struct StatusLayout {
    static constexpr std::size_t kBytes = 44;

    static constexpr Field kEpoch{"epoch", 0, 8};
    static constexpr Field kChanges{"changes", 8, 8};
    static constexpr Field kReceived{"received", 16, 8};
    static constexpr Field kSent{"sent", 24, 8};
    static constexpr Field kVerifier{"verifier", 32, 8};
    static constexpr Field kCrc{"CRC", 40, 4};

    static constexpr std::array kAll{kEpoch, kChanges, kReceived, kSent, kVerifier, kCrc};
};
static_assert(fillsExactly(StatusLayout::kAll, StatusLayout::kBytes));

// Write a data stage. Nothing is checked: what breaks a rule below is refused by the peer.
std::array<std::byte, HelloLayout::kBytes> encode(const Hello& hello);
std::array<std::byte, OpenLayout::kBytes> encode(const Open& open);
std::array<std::byte, OpenedLayout::kBytes> encode(const Opened& opened);
std::array<std::byte, StatusLayout::kBytes> encode(const Status& status);

// The version of a HELLO or OPEN, whatever else is in it, so that an end can say which of the two
// is too old. Nothing when it doesn't begin with the magic.
std::optional<std::uint16_t> peekVersion(ConstByteSpan data);

// Read a data stage. All refuse another length, a wrong CRC and reserved bytes that are not 0;
// HELLO and OPEN another magic or version too. Further:
// - HELLO: no role or an unknown one, limits that are 0, a maxTransfer that is no multiple of 512,
//   more than 256 exports, a nil gadget uuid. Unknown features pass: they are an offer.
// - OPEN: epoch 0, limits as above, a nil host uuid. What was chosen is judgeOpen()'s matter.
// - OPENED: unknown state or reason; a reason without refusal or the reverse; Ready or Draining
//   without an epoch. Refused may have epoch 0: the answer to an OPEN that did not decode.
// - STATUS: nothing more.
Result<Hello> decodeHello(ConstByteSpan data);
Result<Open> decodeOpen(ConstByteSpan data);
Result<Opened> decodeOpened(ConstByteSpan data);
Result<Status> decodeStatus(ConstByteSpan data);

// Gadget: why an OPEN that came in (as bytes) cannot be accepted after having offered `offer`, or
// None. The reason goes back in OPENED, so that the host learns it.
RefusedReason judgeOpen(ConstByteSpan data, const Hello& offer);

}  // namespace belay::wire
