#include "helper/service/sleep_watch.h"

#include "core/base/log.h"

#include <QtDBus/QDBusMessage>
#include <QtDBus/QDBusPendingCallWatcher>
#include <QtDBus/QDBusPendingReply>

namespace belay::service {
namespace {

const QString kLogin = QStringLiteral("org.freedesktop.login1");
const QString kLoginPath = QStringLiteral("/org/freedesktop/login1");
const QString kLoginManager = QStringLiteral("org.freedesktop.login1.Manager");

bool isWaiting(const helper::DeviceView& device) {
    return device.direction == helper::Direction::Attach &&
           device.state == lifecycle::State::Waiting;
}

}  // namespace

SleepWatch::SleepWatch(QDBusConnection bus, std::function<helper::FleetInterface*()> fleet)
    : bus_(std::move(bus)), fleet_(std::move(fleet)) {
    // With the sender's name: from anybody else the signal means nothing.
    bus_.connect(kLogin, kLoginPath, kLoginManager, QStringLiteral("PrepareForSleep"), this,
                 SLOT(prepareForSleep(bool)));
    const auto letGoIfDone = [this] {
        if (longest_.isActive() && !isDone())
            return;
        looking_.stop();
        longest_.stop();
        sayWhoWaits();
        lock_ = QDBusUnixFileDescriptor();
    };
    longest_.setSingleShot(true);
    QObject::connect(&longest_, &QTimer::timeout, this, letGoIfDone);
    QObject::connect(&looking_, &QTimer::timeout, this, letGoIfDone);
    takeLock();
}

// Without one, as where there is no logind, the fleet is told but not waited for.
void SleepWatch::takeLock() {
    auto call = QDBusMessage::createMethodCall(kLogin, kLoginPath, kLoginManager,
                                               QStringLiteral("Inhibit"));
    call << QStringLiteral("sleep") << QStringLiteral("Belay")
         << QStringLiteral("Requests that wait for a gadget") << QStringLiteral("delay");
    auto* const watcher = new QDBusPendingCallWatcher(bus_.asyncCall(call), this);
    QObject::connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
        const QDBusPendingReply<QDBusUnixFileDescriptor> reply = *watcher;
        watcher->deleteLater();
        if (reply.isError())
            log::info("the computer's sleep cannot be held up: {}",
                      reply.error().message().toStdString());
        else
            lock_ = reply.value();
    });
}

void SleepWatch::prepareForSleep(bool begins) {
    log::notice("the computer {}", begins ? "is about to sleep" : "is awake");
    if (auto* const fleet = fleet_())
        fleet->systemSleeps(begins);
    if (begins) {
        longest_.start(kLongest);
        looking_.start(kLookAgain);
    } else {
        looking_.stop();
        longest_.stop();
        takeLock();
    }
}

bool SleepWatch::isDone() const {
    auto* const fleet = fleet_();
    if (fleet == nullptr)
        return true;
    for (const std::string& id : fleet->devices()) {
        const auto device = fleet->device(id, false);
        if (device && isWaiting(*device) && device->policy.kind != lifecycle::PolicyKind::Wait)
            return false;
    }
    return true;
}

void SleepWatch::sayWhoWaits() {
    auto* const fleet = fleet_();
    if (fleet == nullptr)
        return;
    for (const std::string& id : fleet->devices())
        if (const auto device = fleet->device(id, false); device && isWaiting(*device))
            log::warning(
                "{} ({}) waits for its gadget: if a program waits for it, this computer cannot "
                "sleep. Plug the gadget in, or stop the disk",
                device->label, device->node);
}

}  // namespace belay::service
