#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/units.h"
#include "core/wire/layout.h"
#include "core/wire/smoo.h"

#include <array>
#include <span>
#include <vector>

namespace belay::wire::smoo {

// One ep0 request of v0. All have wValue 0 and wIndex = interface number; a real gadget reads
// neither, FunctionFS needs the latter to find it.
struct ControlRequest {
    std::uint8_t requestType = 0;  // bmRequestType
    std::uint8_t request = 0;      // bRequest

    constexpr bool operator==(const ControlRequest&) const = default;
};

inline constexpr ControlRequest kIdent{0xC1, 0x01};          // vendor, interface, IN
inline constexpr ControlRequest kConfigExports{0x41, 0x02};  // vendor, interface, OUT
inline constexpr ControlRequest kStatus{0xA1, 0x03};         // class (!), interface, IN

struct IdentLayout {
    static constexpr std::size_t kBytes = 8;

    static constexpr Field kMagic{"magic", 0, 4};
    static constexpr Field kMajor{"major", 4, 2};
    static constexpr Field kMinor{"minor", 6, 2};

    static constexpr std::array kAll{kMagic, kMajor, kMinor};
};
static_assert(fillsExactly(IdentLayout::kAll, IdentLayout::kBytes));

// The answer to IDENT. A real host compares neither number; all gadgets say 0.1.
struct Ident {
    std::uint16_t major = 0;
    std::uint16_t minor = 1;

    bool operator==(const Ident&) const = default;
};

std::array<std::byte, IdentLayout::kBytes> encode(const Ident& ident);
// Refuses another length than 8 and another magic than "SMOO".
Result<Ident> decodeIdent(ConstByteSpan reply);

struct ConfigLayout {
    static constexpr std::size_t kBytes = 8;

    static constexpr Field kVersion{"version", 0, 2};
    static constexpr Field kCount{"count", 2, 2};
    static constexpr Field kFlags{"flags", 4, 4};

    static constexpr std::array kAll{kVersion, kCount, kFlags};
};
static_assert(fillsExactly(ConfigLayout::kAll, ConfigLayout::kBytes));

struct ConfigEntryLayout {
    static constexpr std::size_t kBytes = 24;

    static constexpr Field kExportId{"export id", 0, 4};
    static constexpr Field kBlockSize{"block size", 4, 4};
    static constexpr Field kSize{"size", 8, 8};
    static constexpr Field kReserved{"reserved", 16, 8};

    static constexpr std::array kAll{kExportId, kBlockSize, kSize, kReserved};
};
static_assert(fillsExactly(ConfigEntryLayout::kAll, ConfigEntryLayout::kBytes));

// Longest data stage of a CONFIG_EXPORTS.
inline constexpr std::size_t kMaxConfigBytes =
    ConfigLayout::kBytes + kMaxExports * ConfigEntryLayout::kBytes;

// One export as CONFIG_EXPORTS tells it.
struct ExportEntry {
    ExportId id;
    std::uint32_t blockSize = kMinBlockBytes;
    std::uint64_t sizeBytes = 0;

    bool operator==(const ExportEntry&) const = default;
};

// Host: the data stage that offers `exports`, ascending by id as a real host sends them. Refuses
// what decodeConfigExports() would refuse, because a real gadget refuses it without telling.
Result<std::vector<std::byte>> encodeConfigExports(std::vector<ExportEntry> exports);

// Gadget: the exports of a data stage; none is a legal list. Refuses all that a real gadget
// refuses, at once or later: a length other than 8 + 24 x count, version and flags other than 0,
// more than 32 exports, id 0, a block size that isn't one, a size that is 0 or no multiple of the
// block size, an id that comes twice; and sizes that no disk can have, 2^63 and more, besides.
// Reserved bytes are not read.
Result<std::vector<ExportEntry>> decodeConfigExports(ConstByteSpan data);

struct StatusLayout {
    static constexpr std::size_t kBytes = 16;

    static constexpr Field kVersion{"version", 0, 2};
    static constexpr Field kFlags{"flags", 2, 2};
    static constexpr Field kExportCount{"exports", 4, 4};
    static constexpr Field kSessionId{"session id", 8, 8};

    static constexpr std::array kAll{kVersion, kFlags, kExportCount, kSessionId};
};
static_assert(fillsExactly(StatusLayout::kAll, StatusLayout::kBytes));

inline constexpr std::uint16_t kStatusExportsActive = 1 << 0;

// The answer to STATUS. A real host starts over when the session id differs from the first one it
// saw; it looks at neither the count nor the flag that goes with it.
struct Status {
    std::uint32_t exportCount = 0;  // exports that have a live device
    std::uint64_t sessionId = 0;    // any value

    bool operator==(const Status&) const = default;
};

// The flag "exports active" goes with a count above 0.
std::array<std::byte, StatusLayout::kBytes> encode(const Status& status);
// Refuses another length than 16 and another version than 0; flags are ignored.
Result<Status> decodeStatus(ConstByteSpan reply);

}  // namespace belay::wire::smoo
