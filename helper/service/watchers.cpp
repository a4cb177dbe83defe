#include "helper/service/watchers.h"

#include <QtDBus/QDBusMessage>
#include <QtDBus/QDBusPendingCallWatcher>
#include <QtDBus/QDBusPendingReply>

namespace belay::service {

Watchers::Watchers(const QDBusConnection& bus, Changed changed)
    : bus_(bus), changed_(std::move(changed)) {
    watcher_.setConnection(bus_);
    watcher_.setWatchMode(QDBusServiceWatcher::WatchForUnregistration);
    QObject::connect(&watcher_, &QDBusServiceWatcher::serviceUnregistered, &watcher_,
                     [this](const QString& client) { remove(client); });
}

void Watchers::add(const QString& client) {
    if (client.isEmpty() || clients_.contains(client))
        return;
    clients_.insert(client);
    watcher_.addWatchedService(client);
    // It may have left before the bus knew that we want to be told.
    auto ask = QDBusMessage::createMethodCall(
        QStringLiteral("org.freedesktop.DBus"), QStringLiteral("/org/freedesktop/DBus"),
        QStringLiteral("org.freedesktop.DBus"), QStringLiteral("NameHasOwner"));
    ask << client;
    auto* const answer = new QDBusPendingCallWatcher(bus_.asyncCall(ask), &watcher_);
    QObject::connect(answer, &QDBusPendingCallWatcher::finished, &watcher_, [this, answer, client] {
        answer->deleteLater();
        const QDBusPendingReply<bool> there = *answer;
        if (there.isError() || !there.value())
            remove(client);
    });
    if (clients_.size() == 1)
        changed_(true);
}

void Watchers::remove(const QString& client) {
    if (!clients_.remove(client))
        return;
    watcher_.removeWatchedService(client);
    if (clients_.isEmpty())
        changed_(false);
}

}  // namespace belay::service
