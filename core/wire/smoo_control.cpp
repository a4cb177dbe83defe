#include "core/wire/smoo_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace belay::wire::smoo {
namespace {

constexpr std::string_view kMagic = "SMOO";

tl::unexpected<Error> refuseConfig(std::string_view problem, std::string value = {}) {
    return failure(fmt::format("CONFIG_EXPORTS refused: {}", problem), std::move(value));
}

tl::unexpected<Error> refuseExport(std::string_view problem, const ExportEntry& entry) {
    return failure(fmt::format("CONFIG_EXPORTS refused: {}", problem),
                   fmt::format("export {:#x}, block size {}, size {}", entry.id.value,
                               entry.blockSize, entry.sizeBytes));
}

Result<void> checkExports(const std::vector<ExportEntry>& exports) {
    std::set<ExportId> seen;
    for (const ExportEntry& entry : exports) {
        if (entry.id.value == 0)
            return refuseExport("export id 0", entry);
        if (!isBlockSize(entry.blockSize))
            return refuseExport("block size is no power of two from 512 to 65536", entry);
        if (entry.sizeBytes == 0)
            return refuseExport("size 0", entry);
        if (entry.sizeBytes >= kMaxExportBytes)
            return refuseExport("size is 2^63 or more", entry);
        if (entry.sizeBytes % entry.blockSize != 0)
            return refuseExport("size is no multiple of the block size", entry);
        if (!seen.insert(entry.id).second)
            return refuseExport("the same export id twice", entry);
    }
    return {};
}

Result<void> checkCount(std::size_t count) {
    if (count > kMaxExports)
        return refuseConfig("too many exports",
                            fmt::format("{} of at most {}", count, kMaxExports));
    return {};
}

}  // namespace

std::array<std::byte, IdentLayout::kBytes> encode(const Ident& ident) {
    std::array<std::byte, IdentLayout::kBytes> out{};
    std::ranges::copy(std::as_bytes(std::span(kMagic)), slot<IdentLayout::kMagic>(out).begin());
    put<IdentLayout::kMajor>(out, ident.major);
    put<IdentLayout::kMinor>(out, ident.minor);
    return out;
}

Result<Ident> decodeIdent(ConstByteSpan reply) {
    if (reply.size() != IdentLayout::kBytes)
        return failure("IDENT refused: wrong length", fmt::format("{} bytes", reply.size()));
    if (!std::ranges::equal(part<IdentLayout::kMagic>(reply), std::as_bytes(std::span(kMagic))))
        return failure("IDENT refused: not a smoo gadget");
    return Ident{.major = get<IdentLayout::kMajor>(reply),
                 .minor = get<IdentLayout::kMinor>(reply)};
}

Result<std::vector<std::byte>> encodeConfigExports(std::vector<ExportEntry> exports) {
    if (auto sound = checkCount(exports.size()); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    if (auto sound = checkExports(exports); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    std::ranges::sort(exports, {}, &ExportEntry::id);
    std::vector<std::byte> out(ConfigLayout::kBytes + exports.size() * ConfigEntryLayout::kBytes);
    put<ConfigLayout::kCount>(out, static_cast<std::uint16_t>(exports.size()));
    ByteSpan rest = ByteSpan(out).subspan(ConfigLayout::kBytes);
    for (const ExportEntry& entry : exports) {
        put<ConfigEntryLayout::kExportId>(rest, entry.id.value);
        put<ConfigEntryLayout::kBlockSize>(rest, entry.blockSize);
        put<ConfigEntryLayout::kSize>(rest, entry.sizeBytes);
        rest = rest.subspan(ConfigEntryLayout::kBytes);
    }
    return out;
}

Result<std::vector<ExportEntry>> decodeConfigExports(ConstByteSpan data) {
    if (data.size() < ConfigLayout::kBytes)
        return refuseConfig("shorter than its header", fmt::format("{} bytes", data.size()));
    if (const auto version = get<ConfigLayout::kVersion>(data); version != 0)
        return refuseConfig("unknown version", fmt::format("{}", version));
    const std::size_t count = get<ConfigLayout::kCount>(data);
    if (auto sound = checkCount(count); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    if (const auto flags = get<ConfigLayout::kFlags>(data); flags != 0)
        return refuseConfig("unknown flags", fmt::format("{:#010x}", flags));
    if (data.size() != ConfigLayout::kBytes + count * ConfigEntryLayout::kBytes)
        return refuseConfig("length does not fit the count",
                            fmt::format("{} bytes for {} exports", data.size(), count));
    std::vector<ExportEntry> exports;
    ConstByteSpan rest = data.subspan(ConfigLayout::kBytes);
    for (std::size_t i = 0; i < count; ++i) {
        exports.push_back({.id = ExportId(get<ConfigEntryLayout::kExportId>(rest)),
                           .blockSize = get<ConfigEntryLayout::kBlockSize>(rest),
                           .sizeBytes = get<ConfigEntryLayout::kSize>(rest)});
        rest = rest.subspan(ConfigEntryLayout::kBytes);
    }
    if (auto sound = checkExports(exports); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    return exports;
}

std::array<std::byte, StatusLayout::kBytes> encode(const Status& status) {
    std::array<std::byte, StatusLayout::kBytes> out{};
    put<StatusLayout::kFlags>(out,
                              status.exportCount > 0 ? kStatusExportsActive : std::uint16_t{0});
    put<StatusLayout::kExportCount>(out, status.exportCount);
    put<StatusLayout::kSessionId>(out, status.sessionId);
    return out;
}

Result<Status> decodeStatus(ConstByteSpan reply) {
    if (reply.size() != StatusLayout::kBytes)
        return failure("STATUS refused: wrong length", fmt::format("{} bytes", reply.size()));
    if (const auto version = get<StatusLayout::kVersion>(reply); version != 0)
        return failure("STATUS refused: unknown version", fmt::format("{}", version));
    return Status{.exportCount = get<StatusLayout::kExportCount>(reply),
                  .sessionId = get<StatusLayout::kSessionId>(reply)};
}

}  // namespace belay::wire::smoo
