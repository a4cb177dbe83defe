#include "app/program.h"

#include "ui/window/device_actions.h"

#include <QtWidgets/QApplication>
#include <chrono>

namespace belay::app {
namespace {

using namespace std::chrono_literals;

// A tray may start after us when the session starts, and be started anew when it dies.
constexpr auto kTrayPatience = 3s;

// Qt's Wayland plugin takes it from there when a window asks to come to the front.
void useActivationToken(const QString& token) {
    if (!token.isEmpty())
        qputenv("XDG_ACTIVATION_TOKEN", token.toUtf8());
}

}  // namespace

Program::Program(const QDBusConnection& system, const QDBusConnection& session)
    : service_(system),
      permissions_(system),
      window_(service_),
      tray_(service_, window_.deviceActions(), session),
      notifications_(service_, session) {
    window_.deviceActions().setPermissions(permissions_);
    connect(&window_, &ui::MainWindow::quitWanted, qApp, &QApplication::quit);
    connect(&window_, &ui::MainWindow::closed, this, &Program::closed);
    connect(&window_.deviceActions(), &ui::DeviceActions::failed, this, [this] {
        // It is the window that says why.
        if (!window_.isVisible())
            show({});
    });
    connect(&tray_, &ui::Tray::windowWanted, this, &Program::show);
    connect(&tray_, &ui::Tray::deviceWanted, this,
            [this](const QString& device) { showDevice(device, {}); });
    connect(&tray_, &ui::Tray::quitWanted, qApp, &QApplication::quit);
    connect(&tray_, &ui::Tray::availableChanged, this,
            [this] { hiddenTimer_.start(kTrayPatience); });
    connect(&notifications_, &ui::Notifications::detailsWanted, this, &Program::showDevice);
    hiddenTimer_.setSingleShot(true);
    connect(&hiddenTimer_, &ui::Timer::timeout, this, &Program::checkHidden);
}

void Program::start(bool background) {
    if (background)
        hiddenTimer_.start(kTrayPatience);
    else
        window_.bringToFront();
    tray_.start();
    notifications_.start();
    service_.start();
    permissions_.start();
}

void Program::closed() {
    if (tray_.isAvailable())
        tray_.setNeeded(true);
    else
        QApplication::quit();
}

void Program::checkHidden() {
    if (!window_.isVisible() && !tray_.isAvailable())
        show({});
}

void Program::show(const QString& token) {
    useActivationToken(token);
    tray_.setNeeded(false);
    window_.bringToFront();
}

void Program::showDevice(const QString& device, const QString& token) {
    useActivationToken(token);
    tray_.setNeeded(false);
    window_.showDevice(device);
}

}  // namespace belay::app
