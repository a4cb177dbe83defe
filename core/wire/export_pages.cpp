#include "core/wire/export_pages.h"

#include "core/base/crc32c.h"
#include "core/wire/label.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace belay::wire {
namespace {

using P = PageLayout;
using E = ExportLayout;

constexpr std::uint32_t kKnownFlags = kExportReadOnly | kExportCanDiscard | kExportCanWriteZeroes;

static_assert(kMaxLabelBytes == E::kLabel.size - 1);

tl::unexpected<Error> refusePage(std::string_view problem, std::string value = {}) {
    return failure(fmt::format("export list refused: {}", problem), std::move(value));
}

tl::unexpected<Error> refuseEntry(std::string_view problem, const ExportInfo& info) {
    return refusePage(problem, fmt::format("export {:#x}, block size {}, size {}", info.id.value,
                                           info.blockSize, info.sizeBytes));
}

std::uint32_t pageCrc(ConstByteSpan page) {
    return crc32c(page.subspan(P::kBytes), crc32c(page.first(P::kCrc.offset)));
}

void writeEntry(const ExportInfo& info, ByteSpan out) {
    const std::uint32_t flags =
        (info.readOnly ? kExportReadOnly : 0) | (info.canDiscard ? kExportCanDiscard : 0) |
        (info.canWriteZeroes ? kExportCanWriteZeroes : 0) | (info.ready ? 0 : kExportNotReady);
    put<E::kId>(out, info.id.value);
    put<E::kBlockSize>(out, info.blockSize);
    put<E::kSize>(out, info.sizeBytes);
    put<E::kFlags>(out, flags);
    put<E::kGuaranteed>(out, info.guaranteed);
    std::ranges::copy(std::as_bytes(std::span(info.uuid.bytes)), slot<E::kUuid>(out).begin());
    put<E::kGeneration>(out, info.generation);
    put<E::kVerifier>(out, info.verifier.value);
    const std::string label = fitLabel(info.label);
    std::ranges::copy(std::as_bytes(std::span(label)), slot<E::kLabel>(out).begin());
}

Result<std::string> readLabel(ConstByteSpan field) {
    const auto end = std::ranges::find(field, std::byte{0});
    if (end == field.end())
        return refusePage("label does not end");
    if (!isZero(ConstByteSpan(end, field.end())))
        return refusePage("label is not padded with 0");
    std::string text;
    for (std::byte b : ConstByteSpan(field.begin(), end))
        text += static_cast<char>(b);
    auto label = printable(text);
    if (!label)
        return refusePage("label is not UTF-8");
    return std::move(*label);
}

}  // namespace

std::vector<std::byte> encodeExportsPage(Epoch epoch, std::span<const ExportInfo> exports,
                                         std::size_t page, std::uint32_t memory) {
    if (exports.size() > kMaxExports || page >= pageCount(exports.size()))
        return {};
    const std::size_t first = page * kEntriesPerPage;
    const std::size_t count = std::min(kEntriesPerPage, exports.size() - first);
    std::vector<std::byte> out(P::kBytes + count * E::kBytes);
    put<P::kEpoch>(out, epoch.value);
    put<P::kTotal>(out, static_cast<std::uint16_t>(exports.size()));
    put<P::kFirst>(out, static_cast<std::uint16_t>(first));
    put<P::kCount>(out, static_cast<std::uint16_t>(count));
    put<P::kEntryBytes>(out, static_cast<std::uint16_t>(E::kBytes));
    put<P::kMemory>(out, memory);
    for (std::size_t i = 0; i < count; ++i)
        writeEntry(exports[first + i], ByteSpan(out).subspan(P::kBytes + i * E::kBytes, E::kBytes));
    put<P::kCrc>(out, pageCrc(out));
    return out;
}

Result<void> ExportListDecoder::add(ConstByteSpan page) {
    if (!failed_) {
        if (auto sound = check(page); !sound)
            failed_ = std::move(sound.error());
    }
    if (failed_)
        return tl::make_unexpected(*failed_);
    return {};
}

Result<void> ExportListDecoder::check(ConstByteSpan page) {
    if (isComplete())
        return refusePage("a page after the last one");
    if (page.size() < P::kBytes)
        return refusePage("page shorter than its header", fmt::format("{} bytes", page.size()));
    if (const auto crc = get<P::kCrc>(page); crc != pageCrc(page))
        return refusePage("wrong CRC",
                          fmt::format("{:#010x} instead of {:#010x}", crc, pageCrc(page)));
    if (const auto epoch = get<P::kEpoch>(page); epoch != epoch_.value)
        return refusePage("another epoch",
                          fmt::format("{:#x} instead of {:#x}", epoch, epoch_.value));
    if (const auto bytes = get<P::kEntryBytes>(page); bytes != E::kBytes)
        return refusePage("entries of another size", fmt::format("{} bytes", bytes));
    const auto memory = get<P::kMemory>(page);
    if (!perExport_ && memory != 0)
        return refusePage("reserved bytes of the page are not 0");
    if (perExport_ && memory == 0)
        return refusePage("no memory for payloads");
    const std::size_t total = get<P::kTotal>(page);
    if (total > kMaxExports)
        return refusePage("too many exports", fmt::format("{} of at most {}", total, kMaxExports));
    if (nextPage_ > 0 && total != total_)
        return refusePage("total changed between pages", fmt::format("{}, was {}", total, total_));
    if (nextPage_ > 0 && memory != list_.memory)
        return refusePage("memory changed between pages",
                          fmt::format("{}, was {}", memory, list_.memory));
    const std::size_t first = get<P::kFirst>(page);
    if (first != list_.exports.size())
        return refusePage("page out of order",
                          fmt::format("entry {} instead of {}", first, list_.exports.size()));
    const std::size_t count = get<P::kCount>(page);
    // Cannot wrap: first equals the entries so far, which are fewer than the total.
    const std::size_t due = std::min(kEntriesPerPage, total - first);
    if (count != due)
        return refusePage("wrong number of entries", fmt::format("{} instead of {}", count, due));
    if (page.size() != P::kBytes + count * E::kBytes)
        return refusePage("length does not fit the count",
                          fmt::format("{} bytes for {} entries", page.size(), count));

    std::vector<ExportInfo> entries = list_.exports;
    std::uint64_t guaranteed = 0;
    for (std::size_t i = 0; i < count; ++i) {
        auto info = readEntry(page.subspan(P::kBytes + i * E::kBytes, E::kBytes));
        if (!info)
            return tl::make_unexpected(std::move(info.error()));
        if (std::ranges::find(entries, info->id, &ExportInfo::id) != entries.end())
            return refuseEntry("the same export id twice", *info);
        entries.push_back(std::move(*info));
    }
    for (const ExportInfo& info : entries)
        guaranteed += info.guaranteed;
    if (guaranteed > memory)
        return refusePage("parts are more than the memory",
                          fmt::format("{} of {} bytes", guaranteed, memory));
    list_ = {std::move(entries), memory};
    total_ = total;
    ++nextPage_;
    return {};
}

Result<ExportInfo> ExportListDecoder::readEntry(ConstByteSpan entry) const {
    const auto flags = get<E::kFlags>(entry);
    ExportInfo info{.id = ExportId(get<E::kId>(entry)),
                    .blockSize = get<E::kBlockSize>(entry),
                    .sizeBytes = get<E::kSize>(entry),
                    .readOnly = (flags & kExportReadOnly) != 0,
                    .canDiscard = (flags & kExportCanDiscard) != 0,
                    .canWriteZeroes = (flags & kExportCanWriteZeroes) != 0,
                    .generation = get<E::kGeneration>(entry),
                    .verifier = Verifier(get<E::kVerifier>(entry)),
                    .ready = !perExport_ || (flags & kExportNotReady) == 0,
                    .guaranteed = get<E::kGuaranteed>(entry)};
    std::ranges::copy(part<E::kUuid>(entry),
                      std::as_writable_bytes(std::span(info.uuid.bytes)).begin());
    if (info.id.value == 0)
        return refuseEntry("export id 0", info);
    if ((flags & ~(kKnownFlags | (perExport_ ? kExportNotReady : 0))) != 0)
        return refusePage("unknown flags", fmt::format("{:#010x}", flags));
    if ((!perExport_ && info.guaranteed != 0) || !isZero(part<E::kReserved2>(entry)))
        return refuseEntry("reserved bytes of the entry are not 0", info);
    if (!isBlockSize(info.blockSize))
        return refuseEntry("block size is no power of two from 512 to 65536", info);
    if (perExport_ && info.guaranteed < info.blockSize)
        return refuseEntry("its part of the memory is less than a block", info);
    if (info.sizeBytes == 0)
        return refuseEntry("size 0", info);
    if (info.sizeBytes >= kMaxExportBytes)
        return refuseEntry("size is 2^63 or more", info);
    if (info.sizeBytes % info.blockSize != 0)
        return refuseEntry("size is no multiple of the block size", info);
    auto label = readLabel(part<E::kLabel>(entry));
    if (!label)
        return tl::make_unexpected(std::move(label.error()));
    info.label = std::move(*label);
    return info;
}

}  // namespace belay::wire
