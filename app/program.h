#pragma once

#include "ui/desktop/notifications.h"
#include "ui/desktop/permissions.h"
#include "ui/desktop/tray.h"
#include "ui/model/clock.h"
#include "ui/model/service.h"
#include "ui/window/main_window.h"

#include <QtCore/QObject>
#include <QtDBus/QDBusConnection>

namespace belay::app {

// The program: belayd as it is known, the window, and what the desktop is told.
//
// - The window is hidden only as long as there is a tray from which it can be had back: closed
//   without one, the program ends.
class Program : public QObject {
    Q_OBJECT

 public:
    Program(const QDBusConnection& system, const QDBusConnection& session);

    // `background`: without the window, if there is a tray.
    void start(bool background);
    // Shows the window. `token` as in ui::SingleInstance.
    void show(const QString& token);

 private:
    void showDevice(const QString& device, const QString& token);
    void closed();
    // Shows the window if nothing else can.
    void checkHidden();

    ui::Service service_;
    ui::Permissions permissions_;
    ui::MainWindow window_;
    ui::Tray tray_;
    ui::Notifications notifications_;
    ui::Timer hiddenTimer_;
};

}  // namespace belay::app
