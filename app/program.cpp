#include "app/program.h"

#include <QtWidgets/QApplication>

namespace belay::app {
namespace {

// Qt's Wayland plugin takes it from there when a window asks to come to the front.
void useActivationToken(const QString& token) {
    if (!token.isEmpty())
        qputenv("XDG_ACTIVATION_TOKEN", token.toUtf8());
}

}  // namespace

Program::Program(const QDBusConnection& system, const QDBusConnection& session)
    : service_(system), window_(service_), notifications_(service_, session) {
    connect(&window_, &ui::MainWindow::quitWanted, qApp, &QApplication::quit);
    connect(&window_, &ui::MainWindow::closed, qApp, &QApplication::quit);
    connect(&notifications_, &ui::Notifications::detailsWanted, this, &Program::showDevice);
}

void Program::start(bool background) {
    if (!background)
        window_.bringToFront();
    notifications_.start();
    service_.start();
}

void Program::show(const QString& token) {
    useActivationToken(token);
    window_.bringToFront();
}

void Program::showDevice(const QString& device, const QString& token) {
    useActivationToken(token);
    window_.showDevice(device);
}

}  // namespace belay::app
