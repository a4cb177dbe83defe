#pragma once

#include <QtCore/QObject>
#include <QtCore/QSet>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusServiceWatcher>
#include <functional>

namespace belay::service {

// The clients that watch: from when they asked for everything until they leave the bus.
class Watchers {
 public:
    // Called when the first one came, and when the last one went.
    using Changed = std::function<void(bool any)>;

    Watchers(const QDBusConnection& bus, Changed changed);

    void add(const QString& client);
    bool any() const { return !clients_.isEmpty(); }

 private:
    void remove(const QString& client);

    QDBusConnection bus_;
    Changed changed_;
    QDBusServiceWatcher watcher_;
    QSet<QString> clients_;
};

}  // namespace belay::service
