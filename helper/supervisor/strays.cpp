#include "helper/supervisor/strays.h"

#include "core/base/log.h"
#include "helper/supervisor/kernel_device.h"

#include <signal.h>

#include <cerrno>

namespace belay::helper {
namespace {

bool isGone(pid_t process) {
    return ::kill(process, 0) < 0 && errno == ESRCH;
}

}  // namespace

void Strays::removeLeft(const std::function<bool(DeviceId)>& known) {
    for (const ublk::DeviceInfo& info : idleDevices())
        if (!known(info.id) && isGone(makerOf(info)))
            remove(info.id);
}

void Strays::removeMarked(std::uint64_t mark) {
    for (const ublk::DeviceInfo& info : idleDevices())
        if (info.ownData == mark)
            remove(info.id);
}

void Strays::remove(DeviceId device) {
    if (removals_.contains(device))
        return;
    log::notice("{} was never started: it is removed", ublk::diskName(device));
    removals_[device] = std::make_unique<Removal>(
        ring_, device, [] {},
        [this, device](const Result<void>& removed) {
            if (!removed)
                log::warning("{}", removed.error().message());
            ring_.destroyLater(std::move(removals_.extract(device).mapped()));
        });
}

}  // namespace belay::helper
