#include "helper/service/system_signals.h"

namespace belay::service {

SystemSignals::SystemSignals(QDBusConnection bus, std::function<void(bool)> shutsDown,
                             std::function<void()> busLost)
    : shutsDown_(std::move(shutsDown)), busLost_(std::move(busLost)) {
    // With the sender's name: from anybody else the signal means nothing.
    bus.connect(QStringLiteral("org.freedesktop.login1"), QStringLiteral("/org/freedesktop/login1"),
                QStringLiteral("org.freedesktop.login1.Manager"),
                QStringLiteral("PrepareForShutdown"), this, SLOT(prepareForShutdown(bool)));
    bus.connect(QString(), QStringLiteral("/org/freedesktop/DBus/Local"),
                QStringLiteral("org.freedesktop.DBus.Local"), QStringLiteral("Disconnected"), this,
                SLOT(disconnected()));
}

}  // namespace belay::service
