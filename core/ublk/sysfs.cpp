#include "core/ublk/sysfs.h"

#include "core/base/fd.h"
#include "core/ublk/control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace belay::ublk {
namespace {

constexpr unsigned kFewestRequests = 4;  // BLKDEV_MIN_RQ
constexpr std::chrono::milliseconds kLateIoTimeout{5000};

Result<void> writeQueueAttribute(DeviceId id, const char* name, std::string_view value) {
    const std::string path = fmt::format("/sys/block/{}/queue/{}", diskName(id), name);
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd)
        return systemError("open", path);
    if (::write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size()))
        return systemError(fmt::format("write {} to", value), path);
    return {};
}

}  // namespace

Result<void> limitRequests(DeviceId id, unsigned requests) {
    return writeQueueAttribute(id, "nr_requests", fmt::format("{}", requests));
}

Result<void> setIoTimeout(DeviceId id, std::chrono::milliseconds timeout) {
    return writeQueueAttribute(id, "io_timeout", fmt::format("{}", timeout.count()));
}

Result<void> tune(DeviceId id) {
    auto control = Control::open();
    if (!control)
        return tl::make_unexpected(control.error());
    const auto info = control->deviceInfo(id);
    if (!info)
        return tl::make_unexpected(info.error());
    if (!info->noticesDeathLate())
        return {};
    if (info->depth > kFewestRequests) {
        if (auto limited = limitRequests(id, info->depth - 1U); !limited)
            return limited;
    }
    return setIoTimeout(id, kLateIoTimeout);
}

Result<void> sync(DeviceId id) {
    const std::string node = diskNode(id);
    const Fd disk(::open(node.c_str(), O_RDONLY | O_CLOEXEC));
    if (!disk)
        return systemError("open", node);
    if (::fsync(disk.get()) < 0)
        return systemError("sync", node);
    return {};
}

}  // namespace belay::ublk
