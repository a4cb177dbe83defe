#include "core/store/block_device.h"

#include "core/store/backing.h"
#include "core/store/text_file.h"

#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <array>
#include <optional>

namespace belay::store {
namespace {

std::string sysfsFolder(const Backing& backing) {
    return fmt::format("/sys/dev/block/{}:{}", backing.stat.stx_rdev_major,
                       backing.stat.stx_rdev_minor);
}

std::optional<std::string> attribute(const std::string& folder, const char* name) {
    auto text = readTextFile(folder + "/" + name);
    return text && !text->empty() ? text : std::nullopt;
}

bool isPositive(const std::optional<std::string>& text) {
    return text && *text != "0";
}

}  // namespace

Result<BlockDeviceFacts> blockDeviceFacts(const Backing& backing) {
    BlockDeviceFacts facts;
    const int fd = backing.fd.get();
    int readOnly = 0;
    int logicalBlock = 0;
    if (::ioctl(fd, BLKGETSIZE64, &facts.sizeBytes) != 0 ||
        ::ioctl(fd, BLKSSZGET, &logicalBlock) != 0 || ::ioctl(fd, BLKROGET, &readOnly) != 0)
        return systemError("ask for the size of the block device", backing.path);
    facts.logicalBlock = static_cast<std::uint32_t>(logicalBlock);
    facts.readOnly = readOnly != 0;

    // Asked and not tried: blkdev_fallocate() drops the page cache of the range, unsaved bytes
    // too, before it finds that the device cannot. Punching a hole needs write zeroes of the
    // device; without discard it would be a slow way to write zeroes.
    std::string folder = sysfsFolder(backing);
    if (attribute(folder, "partition"))
        folder += "/..";
    facts.punchesHoles = isPositive(attribute(folder, "queue/discard_max_bytes")) &&
                         isPositive(attribute(folder, "queue/write_zeroes_max_bytes"));
    return facts;
}

std::string blockDeviceName(const Backing& backing) {
    std::string folder = sysfsFolder(backing);
    std::string place;
    if (const auto number = attribute(folder, "partition")) {
        place =
            fmt::format(" partition {} at {}", *number, attribute(folder, "start").value_or("?"));
        folder += "/..";
    }
    // The first that is there, the best first.
    constexpr std::array kNames{"wwid",          "device/wwid", "device/cid", "serial",
                                "device/serial", "dm/uuid",     "dm/name",    "md/uuid"};
    for (const char* name : kNames)
        if (const auto value = attribute(folder, name))
            return fmt::format("{} {}{}", name, *value, place);
    if (const auto file = attribute(folder, "loop/backing_file"))
        return fmt::format("loop {} at {}{}", *file, attribute(folder, "loop/offset").value_or("0"),
                           place);
    return fmt::format("{}:{} {}", backing.stat.stx_rdev_major, backing.stat.stx_rdev_minor,
                       backing.sizeBytes);
}

}  // namespace belay::store
