#pragma once

#include <QtCore/QObject>
#include <QtCore/QString>
#include <QtDBus/QDBusConnection>

namespace belay::ui {

// Who owns a well-known name on a bus. Signals on the bus carry the unique name of their sender,
// and anybody can send one: whoever follows a service's signals compares the two.
//
// - Never waits for the bus, and starts no service.
// - What changed() says is in order with all other messages of the connection: what a new owner
//   sends comes after it.
class BusOwner : public QObject {
    Q_OBJECT

 public:
    // Asks nothing before start().
    BusOwner(const QDBusConnection& bus, const QString& name, QObject* parent = nullptr);

    // Once.
    void start();
    // Its unique name; empty while nobody owns it, or while that is not known.
    const QString& owner() const { return owner_; }

 signals:
    // Comes once as soon as it is known whether there is an owner, even if there is none, and from
    // then on whenever another one has the name or nobody does.
    void changed(const QString& before, const QString& now);

 private:
    void ask();
    void take(const QString& owner);

    QDBusConnection bus_;
    QString name_;
    QString owner_;
    bool known_ = false;
};

}  // namespace belay::ui
