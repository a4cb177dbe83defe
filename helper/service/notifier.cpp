#include "helper/service/notifier.h"

#include <systemd/sd-daemon.h>

#include <chrono>
#include <cstdint>

namespace belay::service {

void Notifier::ready() {
    ::sd_notify(0, "READY=1");
    std::uint64_t limit = 0;
    if (::sd_watchdog_enabled(0, &limit) <= 0)
        return;
    QObject::connect(&watchdog_, &QTimer::timeout, [] { ::sd_notify(0, "WATCHDOG=1"); });
    watchdog_.start(std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::microseconds(limit / 3)));
}

void Notifier::stopping() {
    ::sd_notify(0, "STOPPING=1");
}

}  // namespace belay::service
