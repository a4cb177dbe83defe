#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/wire/control_codec.h"
#include "core/wire/layout.h"
#include "core/wire/message.h"

#include <optional>
#include <span>
#include <vector>

namespace belay::wire {

// The export list on ep0: pages, each the data stage of one EXPORTS request (wValue = page), each
// but the last with kEntriesPerPage entries. An empty list is one page without entries.

// Longest data stage that passes both kernels: composite_setup() on the gadget cuts an IN request
// to USB_COMP_EP0_BUFSIZ (4096) and stalls a longer OUT; usbfs on the host takes one page.
inline constexpr std::size_t kMaxPageBytes = 4096;

struct PageLayout {
    static constexpr std::size_t kBytes = 24;

    static constexpr Field kEpoch{"epoch", 0, 8};
    static constexpr Field kTotal{"total", 8, 2};              // entries in the whole list
    static constexpr Field kFirst{"first", 10, 2};             // entries in the pages before
    static constexpr Field kCount{"count", 12, 2};             // entries in this page
    static constexpr Field kEntryBytes{"entry bytes", 14, 2};  // ExportLayout::kBytes
    static constexpr Field kMemory{"memory", 16, 4};           // bytes; 0 without kFeaturePerExport
    static constexpr Field kCrc{"CRC", 20, 4};  // of the fields above and of all entries

    static constexpr std::array kAll{kEpoch, kTotal, kFirst, kCount, kEntryBytes, kMemory, kCrc};
};
static_assert(fillsExactly(PageLayout::kAll, PageLayout::kBytes));

struct ExportLayout {
    static constexpr std::size_t kBytes = 128;

    static constexpr Field kId{"id", 0, 4};
    static constexpr Field kBlockSize{"block size", 4, 4};
    static constexpr Field kSize{"size", 8, 8};
    static constexpr Field kFlags{"flags", 16, 4};
    static constexpr Field kGuaranteed{"guaranteed", 20, 4};  // bytes; 0 without kFeaturePerExport
    static constexpr Field kUuid{"uuid", 24, 16};
    static constexpr Field kGeneration{"generation", 40, 8};
    static constexpr Field kVerifier{"verifier", 48, 8};
    static constexpr Field kLabel{"label", 56, 64};  // UTF-8, 0 to the end, at least one 0
    static constexpr Field kReserved2{"reserved", 120, 8};

    static constexpr std::array kAll{kId,   kBlockSize,  kSize,     kFlags, kGuaranteed,
                                     kUuid, kGeneration, kVerifier, kLabel, kReserved2};
};
static_assert(fillsExactly(ExportLayout::kAll, ExportLayout::kBytes));

// Bits of an entry's flags.
inline constexpr std::uint32_t kExportReadOnly = 1 << 0;
inline constexpr std::uint32_t kExportCanDiscard = 1 << 1;
inline constexpr std::uint32_t kExportCanWriteZeroes = 1 << 2;
inline constexpr std::uint32_t kExportNotReady = 1 << 3;  // with kFeaturePerExport only

// All that a target says of its exports.
struct ExportList {
    std::vector<ExportInfo> exports;
    std::uint32_t memory = 0;  // for payloads under way, bytes; 0 without kFeaturePerExport
};

inline constexpr std::size_t kEntriesPerPage =
    (kMaxPageBytes - PageLayout::kBytes) / ExportLayout::kBytes;

// How many pages a list of so many exports takes; at least 1.
constexpr std::size_t pageCount(std::size_t exports) {
    return exports == 0 ? 1 : (exports + kEntriesPerPage - 1) / kEntriesPerPage;
}

// The page's bytes; empty when there is no such page or there are more than kMaxExports: STALL.
// Labels are sent as fitLabel() makes them; nothing else is checked.
std::vector<std::byte> encodeExportsPage(Epoch epoch, std::span<const ExportInfo> exports,
                                         std::size_t page, std::uint32_t memory = 0);

// Puts a list together from its pages.
//
// - Pages are added in order, from 0; each is checked wholly before anything of it counts.
// - Refused: another length than the header says, a wrong CRC, another epoch, entry size or total
//   than expected, a page out of order or with the wrong number of entries, reserved bytes and
//   flags that are not 0; per entry id 0, an id that comes twice, a bad block size, a size that is
//   0, 2^63 or more, or no multiple of it, a label that is not UTF-8 or not padded with 0.
// - With kFeaturePerExport the memory must be said, be the same on each page and enough for all
//   parts, and each part for one block. Without it all of that is reserved.
// - Labels come out printable (label.h).
// - After an error the decoder stays failed with that error: start again with a new one.
class ExportListDecoder {
 public:
    explicit ExportListDecoder(Epoch epoch, std::uint32_t features = 0)
        : epoch_(epoch), perExport_((features & kFeaturePerExport) != 0) {}

    // Takes the data stage of page nextPage().
    Result<void> add(ConstByteSpan page);
    // What to ask for next, as long as the list isn't complete.
    std::uint16_t nextPage() const { return nextPage_; }
    bool isComplete() const { return !failed_ && nextPage_ > 0 && list_.exports.size() == total_; }
    // The list, once it is complete; before that, what came so far and passed.
    const std::vector<ExportInfo>& exports() const { return list_.exports; }
    const ExportList& list() const { return list_; }

 private:
    Result<void> check(ConstByteSpan page);
    Result<ExportInfo> readEntry(ConstByteSpan entry) const;

    Epoch epoch_;
    bool perExport_;
    std::uint16_t nextPage_ = 0;
    std::size_t total_ = 0;
    ExportList list_;
    std::optional<Error> failed_;
};

}  // namespace belay::wire
