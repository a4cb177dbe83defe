#include "ui/model/bus_owner.h"

#include <QtDBus/QDBusMessage>
#include <QtDBus/QDBusPendingCallWatcher>
#include <QtDBus/QDBusPendingReply>
#include <QtDBus/QDBusServiceWatcher>
#include <utility>

namespace belay::ui {

BusOwner::BusOwner(const QDBusConnection& bus, const QString& name, QObject* parent)
    : QObject(parent), bus_(bus), name_(name) {}

// Listens first, so that no change falls between the answer and the first signal.
void BusOwner::start() {
    auto* const watcher =
        new QDBusServiceWatcher(name_, bus_, QDBusServiceWatcher::WatchForOwnerChange, this);
    connect(watcher, &QDBusServiceWatcher::serviceOwnerChanged, this,
            [this](const QString&, const QString&, const QString& owner) { take(owner); });
    ask();
}

// The sender of a service's own answer would do, but only Qt 6.4 tells it; Qt 6.8 does not.
void BusOwner::ask() {
    const QString driver = QStringLiteral("org.freedesktop.DBus");
    QDBusMessage message = QDBusMessage::createMethodCall(
        driver, QStringLiteral("/org/freedesktop/DBus"), driver, QStringLiteral("GetNameOwner"));
    message << name_;
    auto* const answer = new QDBusPendingCallWatcher(bus_.asyncCall(message), this);
    connect(answer, &QDBusPendingCallWatcher::finished, this, [this, answer] {
        answer->deleteLater();
        const QDBusPendingReply<QString> owner(*answer);
        // A signal is never older than the answer.
        if (!known_)
            take(owner.isError() ? QString() : owner.value());
    });
}

void BusOwner::take(const QString& owner) {
    const QString before = std::exchange(owner_, owner);
    if (!std::exchange(known_, true) || before != owner)
        emit changed(before, owner);
}

}  // namespace belay::ui
