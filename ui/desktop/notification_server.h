#pragma once

#include "ui/model/bus_owner.h"

#include <QtCore/QList>
#include <QtCore/QObject>
#include <QtCore/QPair>
#include <QtCore/QSet>
#include <QtCore/QString>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusMessage>
#include <functional>

class QDBusPendingCallWatcher;

namespace belay::ui {

// One notification.
struct Notice {
    enum class Urgency : uchar { Low, Normal, Critical };  // as on the bus

    QString summary;
    QString body;  // plain text
    QString category;
    Urgency urgency = Urgency::Normal;
    // Not kept once it has been seen.
    bool transient = false;
    // How long it is shown: -1 is as long as the server thinks, 0 until it is closed.
    int milliseconds = -1;
    // Key and label. The key "default" is for a press on the notification itself.
    QList<QPair<QString, QString>> actions;

    bool operator==(const Notice&) const = default;
};

// The desktop's notification server on the session bus: the Desktop Notifications Specification
// 1.3, org.freedesktop.Notifications. Nothing here waits but closeUnnamed(), and all works with no
// server, too: then nothing is shown.
class NotificationServer : public QObject {
    Q_OBJECT

 public:
    // What NotificationClosed gives as reason.
    enum Reason : uint { Expired = 1, Dismissed = 2, Closed = 3 };
    // `id` is the notification's; 0 if it could not be shown.
    using Shown = std::function<void(uint id)>;

    explicit NotificationServer(const QDBusConnection& session, QObject* parent = nullptr);

    // Looks for the server, and from here on for the next one.
    void start();
    // Shows a notification in place of `replaces`, or a new one if that is 0. Actions are left
    // out if the server has none. `shown` is called once, unless this object goes before.
    void show(const Notice& notice, uint replaces, Shown shown);
    // Of no consequence if it is gone already.
    void close(uint id);
    // Closes what show() has asked for and the server has not named yet. For the end of the
    // program, which no answer would reach: it waits for them here, for 300 ms at most; what has no
    // name by then stays. `shown` is not called for these.
    void closeUnnamed();

 signals:
    // The server is gone, and what it showed.
    void lost();
    // A server is there, and known: lost() came before, if there was one.
    void ready();
    void closed(uint id, uint reason);
    // `token`: with which a window may come to the front (xdg-activation); may be empty.
    void acted(uint id, const QString& action, const QString& token);

 private slots:
    void notificationClosed(const QDBusMessage& signal);
    void actionInvoked(const QDBusMessage& signal);
    void activationToken(const QDBusMessage& signal);

 private:
    void ownerChanged(const QString& before, const QString& now);
    void askCapabilities();
    bool isFromServer(const QDBusMessage& signal) const;

    QDBusConnection bus_;
    BusOwner name_;
    quint64 generation_ = 0;  // answers for an earlier server are not used
    QSet<QString> capabilities_;
    QList<QDBusPendingCallWatcher*> unnamed_;  // what show() waits for; children of this
    uint tokenId_ = 0;
    QString token_;
};

}  // namespace belay::ui
