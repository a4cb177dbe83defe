#include "core/store/medium.h"

#include "core/store/gpt.h"
#include "core/store/hash.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

namespace belay::store {
namespace {

using namespace std::string_view_literals;

// What is looked for at `magicAt`, and where its uuid or serial number is.
struct Kind {
    const char* name;
    std::size_t magicAt;
    std::string_view magic;
    std::size_t idAt;
    std::size_t idLength;
};

// From the on-disk formats as Linux has them (fs/*/, include/uapi/linux/), FAT and exFAT as
// Microsoft documents them, LUKS and LVM2 as their own specifications do. A boot sector's signature
// is that of an MBR only if it is no file system's: that row is the last.
constexpr std::array kKinds{
    Kind{"ext", 0x438, "\x53\xef"sv, 0x468, 16},
    Kind{"f2fs", 0x400, "\x10\x20\xf5\xf2"sv, 0x46c, 16},
    Kind{"btrfs", 0x10040, "_BHRfS_M"sv, 0x10020, 16},
    Kind{"xfs", 0, "XFSB"sv, 32, 16},
    Kind{"luks", 0, "LUKS\xba\xbe"sv, 0xa8, 36},
    Kind{"lvm", 0x218, "LVM2 001"sv, 0x220, 32},
    Kind{"swap", 4086, "SWAPSPACE2"sv, 0x40c, 16},
    Kind{"exfat", 3, "EXFAT   "sv, 0x64, 4},
    Kind{"ntfs", 3, "NTFS    "sv, 0x48, 8},
    Kind{"fat", 0x52, "FAT32   "sv, 0x43, 4},
    Kind{"fat", 0x36, "FAT"sv, 0x27, 4},
    Kind{"mbr", 0x1fe, "\x55\xaa"sv, 0x1b8, 4},
};

static_assert(std::ranges::all_of(kKinds, [](const Kind& kind) {
    return std::max(kind.magicAt + kind.magic.size(), kind.idAt + kind.idLength) <= kMediumBytes;
}));
static_assert(kGptSearchBytes <= kMediumBytes);

// A name of `id`; none if nobody has filled it in.
std::string named(const char* kind, ConstByteSpan id) {
    if (std::ranges::all_of(id, [](std::byte byte) { return byte == std::byte{}; }))
        return {};
    std::string text = fmt::format("{} ", kind);
    for (const std::byte byte : id)
        text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

bool has(ConstByteSpan start, const Kind& kind) {
    if (start.size() < kind.magicAt + kind.magic.size() || start.size() < kind.idAt + kind.idLength)
        return false;
    return std::ranges::equal(start.subspan(kind.magicAt, kind.magic.size()), kind.magic, {}, {},
                              [](char wanted) { return static_cast<std::byte>(wanted); });
}

std::string nameOf(ConstByteSpan start) {
    if (const auto disk = gptDisk(start))
        return named("gpt", *disk);
    const auto kind =
        std::ranges::find_if(kKinds, [&](const Kind& row) { return has(start, row); });
    return kind == kKinds.end() ? std::string()
                                : named(kind->name, start.subspan(kind->idAt, kind->idLength));
}

}  // namespace

MediumContent MediumContent::of(ConstByteSpan start) {
    Hash hash(4);
    for (const std::byte byte : start)
        hash.add(std::to_integer<std::uint64_t>(byte));
    return {hash.value(), nameOf(start)};
}

Result<MediumContent> readMedium(int fd) {
    std::vector<std::byte> start(kMediumBytes);
    std::size_t done = 0;
    while (done < start.size()) {
        const ssize_t got =
            ::pread(fd, start.data() + done, start.size() - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return systemError("read the start of the medium");
        if (got == 0)
            break;
        done += static_cast<std::size_t>(got);
    }
    return MediumContent::of(ConstByteSpan(start).first(done));
}

}  // namespace belay::store
