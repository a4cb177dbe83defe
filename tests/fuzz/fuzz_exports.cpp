// Export lists: the input is cut into pages of the length that each header asks for. A list that
// is accepted obeys all rules and survives being sent on.

#include "core/wire/export_pages.h"
#include "core/wire/label.h"
#include "tests/fuzz/fuzz.h"

#include <algorithm>

namespace belay::fuzz {
namespace {

using namespace wire;

constexpr Epoch kEpoch{0x1122334455667788};

// The next page of `rest`, with its CRC put right if asked.
Bytes takePage(ConstByteSpan& rest, bool seal) {
    std::size_t length = rest.size();
    if (length >= PageLayout::kBytes)
        length = std::min(
            length, PageLayout::kBytes + get<PageLayout::kCount>(rest) * ExportLayout::kBytes);
    Bytes page(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(length));
    rest = rest.subspan(length);
    if (seal && length >= PageLayout::kBytes) {
        const ConstByteSpan all(page);
        put<PageLayout::kCrc>(page, crc32c(all.subspan(PageLayout::kBytes),
                                           crc32c(all.first(PageLayout::kCrc.offset))));
    }
    return page;
}

void requireSound(const std::vector<ExportInfo>& exports) {
    require(exports.size() <= kMaxExports);
    for (std::size_t i = 0; i < exports.size(); ++i) {
        const ExportInfo& info = exports[i];
        require(info.id.value != 0 && isBlockSize(info.blockSize));
        require(info.sizeBytes != 0 && info.sizeBytes % info.blockSize == 0);
        require(info.label.size() <= kMaxLabelBytes && printable(info.label) == info.label);
        for (std::size_t j = 0; j < i; ++j)
            require(exports[j].id != info.id);
    }
}

void requireSurvives(const ExportList& list, std::uint32_t features) {
    ExportListDecoder again(kEpoch, features);
    for (std::size_t page = 0; page < pageCount(list.exports.size()); ++page)
        require(again.add(encodeExportsPage(kEpoch, list.exports, page, list.memory)).has_value());
    require(again.isComplete() && again.exports() == list.exports &&
            again.list().memory == list.memory);
}

void check(ConstByteSpan input, bool seal, std::uint32_t features) {
    ExportListDecoder decoder(kEpoch, features);
    bool failed = false;
    for (ConstByteSpan rest = input; !rest.empty();) {
        const bool added = decoder.add(takePage(rest, seal)).has_value();
        require(!failed || !added);
        failed = failed || !added;
        require(!failed || !decoder.isComplete());
    }
    requireSound(decoder.exports());
    if (decoder.isComplete())
        requireSurvives(decoder.list(), features);
}

}  // namespace
}  // namespace belay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = belay::fuzz::copyOf(data, size);
    for (const std::uint32_t features : {std::uint32_t{0}, belay::wire::kFeaturePerExport}) {
        belay::fuzz::check(input, false, features);
        belay::fuzz::check(input, true, features);
    }
    return 0;
}
