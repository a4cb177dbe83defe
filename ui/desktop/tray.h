#pragma once

#include "ui/desktop/menu_export.h"
#include "ui/desktop/status_notifier.h"
#include "ui/model/clock.h"

#include <QtCore/QHash>
#include <QtCore/QMap>
#include <QtWidgets/QMenu>
#include <memory>

class QSystemTrayIcon;

namespace belay::ui {

class DeviceActions;
class Service;
struct StateWords;

// The icon in the tray: how things stand at a glance, and each device's two actions.
//
// - In trays of today as a StatusNotifier, in the old ones of X11 as Qt's icon; a tray may come
//   late, go, and come back.
// - Nothing on it can lose data: a Stop that would opens the window instead.
class Tray : public QObject {
    Q_OBJECT

 public:
    using State = StatusNotifier::Status;

    // Both must outlive this object. Nothing is shown before start().
    Tray(Service& service, DeviceActions& actions, const QDBusConnection& session);
    ~Tray() override;

    void start();
    // A tray is there, with our icon in it.
    bool isAvailable();
    // While the icon is the only way to the window, no tray may hide it.
    void setNeeded(bool needed);

    State state() const { return state_; }
    QString toolTip() const;
    QMenu& menu() { return menu_; }

 signals:
    void availableChanged();
    // `token` as in StatusNotifier::activated().
    void windowWanted(const QString& token);
    void deviceWanted(const QString& device);
    void quitWanted();

 private:
    struct Entry {
        std::unique_ptr<QMenu> menu;
        QAction* line = nullptr;
        QAction* recover = nullptr;
        QAction* stop = nullptr;
    };

    void addDevice(const QString& device);
    void updateDevice(const QString& device);
    void setIcon(Entry& entry, const StateWords& words);
    void updateDevices();
    void removeDevice(const QString& device);
    void updateIcon();
    void updateOldTray();
    void checkOldTray();
    void recover(const QString& device);
    void stop(const QString& device);
    State stateNow() const;

    Service& service_;
    DeviceActions& actions_;
    QMenu menu_;
    QAction* end_;  // of the devices
    QMap<QString, std::shared_ptr<Entry>> entries_;
    QHash<QString, QByteArray> iconData_;  // by name
    MenuExport export_;
    StatusNotifier notifier_;
    Timer iconPause_;
    Timer oldTrayPause_;
    Timer oldTrayCheck_;
    std::unique_ptr<QSystemTrayIcon> old_;
    bool oldTrayThere_ = false;  // when it was last looked for
    State state_ = State::Passive;
    bool needed_ = false;
    bool started_ = false;
};

}  // namespace belay::ui
