#include "core/store/block_device.h"

#include "core/store/backing.h"
#include "core/store/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>

namespace belay::store {
namespace {

std::string sysfsFolder(dev_t device) {
    return fmt::format("/sys/dev/block/{}:{}", major(device), minor(device));
}

std::optional<std::string> attribute(const std::string& folder, const char* name) {
    auto text = readTextFile(folder + "/" + name);
    return text && !text->empty() ? text : std::nullopt;
}

bool isPositive(const std::optional<std::string>& text) {
    return text && *text != "0";
}

// The USB device whose logical unit this disk is (usb-storage, uas): the folder above it that has
// the attributes of a USB device's descriptor.
std::string usbName(const std::string& disk) {
    std::error_code error;
    const auto unit = std::filesystem::canonical(disk + "/device", error);
    if (error)
        return {};
    for (auto folder = unit; folder.has_relative_path(); folder = folder.parent_path()) {
        const auto vendor = attribute(folder.string(), "idVendor");
        const auto product = attribute(folder.string(), "idProduct");
        if (!vendor || !product)
            continue;
        const auto serial = attribute(folder.string(), "serial");
        const std::string number = unit.filename().string();  // host:channel:target:lun
        return serial ? fmt::format("usb {}:{} {} unit {}", *vendor, *product, *serial,
                                    number.substr(number.rfind(':') + 1))
                      : std::string();
    }
    return {};
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
    std::string folder = sysfsFolder(backing.device());
    if (attribute(folder, "partition"))
        folder += "/..";
    facts.punchesHoles = isPositive(attribute(folder, "queue/discard_max_bytes")) &&
                         isPositive(attribute(folder, "queue/write_zeroes_max_bytes"));
    return facts;
}

BlockDeviceName blockDeviceName(dev_t device) {
    BlockDeviceName name;
    std::string folder = sysfsFolder(device);
    if (const auto number = attribute(folder, "partition")) {
        name.place =
            fmt::format(" partition {} at {}", *number, attribute(folder, "start").value_or("?"));
        folder += "/..";
    }
    name.removable = isPositive(attribute(folder, "removable"));
    // The first that is there, the best first.
    constexpr std::array kNames{"wwid",          "device/wwid", "device/cid", "serial",
                                "device/serial", "dm/uuid",     "dm/name",    "md/uuid"};
    for (const char* known : kNames)
        if (const auto value = attribute(folder, known)) {
            name.hardware = fmt::format("{} {}", known, *value);
            return name;
        }
    if (const auto file = attribute(folder, "loop/backing_file"))
        name.hardware =
            fmt::format("loop {} at {}", *file, attribute(folder, "loop/offset").value_or("0"));
    else
        name.hardware = usbName(folder);
    return name;
}

std::optional<std::uint64_t> diskSequence(dev_t device) {
    std::string folder = sysfsFolder(device);
    if (attribute(folder, "partition"))
        folder += "/..";
    const auto text = attribute(folder, "diskseq");
    std::uint64_t number = 0;
    if (!text ||
        std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc())
        return std::nullopt;
    return number;
}

Result<Fd> openBlockDevice(dev_t device) {
    const auto text = readTextFile(sysfsFolder(device) + "/uevent").value_or("");
    constexpr std::string_view kNode = "DEVNAME=";
    const auto at = text.find(kNode);
    if (at == std::string::npos)
        return errorFrom(ENODEV, "find the block device",
                         fmt::format("{}:{}", major(device), minor(device)));
    const auto begin = at + kNode.size();
    const std::string node = "/dev/" + text.substr(begin, text.find('\n', begin) - begin);
    Fd fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat found {};
    if (!fd || ::fstat(fd.get(), &found) != 0)
        return systemError("open", node);
    if (!S_ISBLK(found.st_mode) || found.st_rdev != device)
        return errorFrom(ENODEV, "open", node);
    return fd;
}

}  // namespace belay::store
