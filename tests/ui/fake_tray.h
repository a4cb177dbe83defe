#pragma once

#include "ui/desktop/menu_export.h"

#include <QtCore/QObject>
#include <QtCore/QStringList>
#include <QtCore/QVariantMap>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusMessage>

namespace belay::test {

// A tray on the test's session bus: what takes icons in, and what a user does to them.
class FakeTray : public QObject {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.kde.StatusNotifierWatcher")
    Q_PROPERTY(bool IsStatusNotifierHostRegistered READ hasHost SCRIPTABLE true)

 public:
    FakeTray() = default;
    ~FakeTray() override;

    // `host`: it has a place to show them, too.
    bool appear(bool host = true);
    void vanish();
    bool hasHost() const { return host_; }
    void setHost(bool host);

    // The bus names of the icons that were taken in, since appear().
    QStringList items;

    // The icon's properties; empty if it does not answer.
    QVariantMap properties();
    // The whole menu.
    ui::MenuLayout menu();
    // The entry under these labels, one level after the other; its id is 0 if there is none.
    ui::MenuLayout entry(const QStringList& labels);
    void click(int id);
    void aboutToShow(int id);
    // Presses the icon.
    void press(const QString& token = {});

 public slots:
    Q_SCRIPTABLE void RegisterStatusNotifierItem(const QString& item) { items += item; }

 signals:
    Q_SCRIPTABLE void StatusNotifierHostRegistered();
    Q_SCRIPTABLE void StatusNotifierHostUnregistered();

 private:
    // Asks the icon and waits while the event loop goes on.
    QDBusMessage ask(const char* path, const char* interface, const char* method,
                     const QVariantList& arguments);

    QDBusConnection bus_{QString()};
    bool host_ = true;
};

}  // namespace belay::test
