#include "core/usb/sysfs.h"

#include "core/base/fd.h"
#include "core/base/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <system_error>

namespace belay::usb {
namespace {

constexpr const char* kDevices = "/sys/bus/usb/devices";
constexpr std::size_t kMaxCharacters = 126;

std::vector<std::byte> readAttribute(const std::string& path, std::size_t limit) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<std::byte> bytes;
    if (!fd)
        return bytes;
    for (;;) {
        constexpr std::size_t kStep = 4096;
        const std::size_t have = bytes.size();
        bytes.resize(have + kStep);
        const ssize_t got = ::read(fd.get(), bytes.data() + have, kStep);
        bytes.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got <= 0 || bytes.size() > limit)
            return bytes;
    }
}

unsigned readNumber(const std::string& path) {
    const auto bytes = readAttribute(path, 64);
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    unsigned number = 0;
    std::from_chars(text, text + bytes.size(), number);
    return number;
}

bool isFolder(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// How many bytes the UTF-8 character at the start of `text` has; 0 if there is none, or one that
// is not to be shown (RFC 3629: table 3-7 of the Unicode standard, without C0, DEL and C1).
std::size_t showableBytes(ConstByteSpan text) {
    const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(text[i]); };
    const unsigned lead = at(0);
    if (lead < 0x80)
        return lead >= 0x20 && lead != 0x7f ? 1 : 0;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length)
        return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xc0) != 0x80)
            return 0;
    }
    const unsigned second = at(1);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool outside = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
    const bool control = lead == 0xc2 && second < 0xa0;
    return overlong || outside || control ? 0 : length;
}

}  // namespace

std::vector<std::string> listUsbDevices() {
    std::vector<std::string> found;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(kDevices, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        // "1-2.3" is a device, "1-2.3:1.0" one of its interfaces, "usb1" a root hub.
        if (name.find(':') != std::string::npos || name.starts_with("usb"))
            continue;
        std::error_code gone;
        const auto folder = std::filesystem::canonical(entry->path(), gone);
        if (!gone)
            found.push_back(folder);
    }
    return found;
}

std::optional<Gadget> readGadget(const std::string& syspath) {
    const auto bytes = readAttribute(syspath + "/descriptors", kMaxDescriptorBytes);
    if (bytes.empty())
        return std::nullopt;
    const auto descriptors = parseInterfaces(bytes);
    if (!descriptors) {
        log::debug("{}: {}", syspath, descriptors.error().message());
        return std::nullopt;
    }
    Gadget gadget;
    gadget.syspath = syspath;
    gadget.port = syspath.substr(syspath.rfind('/') + 1);
    for (const Interface& interface : descriptors->interfaces) {
        if (!isFolder(fmt::format("{}/{}:{}.{}", syspath, gadget.port, interface.configuration,
                                  interface.number)))
            continue;
        auto& place = interface.role == Role::Lend     ? gadget.lend
                      : interface.role == Role::Attach ? gadget.attach
                                                       : gadget.fastboot;
        place = interface;
    }
    if (!gadget.lend && !gadget.attach && !gadget.fastboot)
        return std::nullopt;
    gadget.vendorId = descriptors->vendorId;
    gadget.productId = descriptors->productId;
    gadget.busNumber = readNumber(syspath + "/busnum");
    gadget.deviceNumber = readNumber(syspath + "/devnum");
    gadget.speedMbps = readNumber(syspath + "/speed");
    if (gadget.busNumber == 0 || gadget.deviceNumber == 0)
        return std::nullopt;
    gadget.devnode = fmt::format("/dev/bus/usb/{:03}/{:03}", gadget.busNumber, gadget.deviceNumber);
    return gadget;
}

std::string printable(ConstByteSpan text) {
    std::string result;
    std::size_t characters = 0;
    while (!text.empty() && characters < kMaxCharacters) {
        const std::size_t length = showableBytes(text);
        for (std::size_t i = 0; i < length; ++i)
            result.push_back(static_cast<char>(text[i]));
        characters += length > 0 ? 1 : 0;
        text = text.subspan(length > 0 ? length : 1);
    }
    const auto first = result.find_first_not_of(' ');
    if (first == std::string::npos)
        return {};
    return result.substr(first, result.find_last_not_of(' ') + 1 - first);
}

}  // namespace belay::usb
