#pragma once

#include <QtCore/QObject>
#include <QtDBus/QDBusConnection>
#include <functional>

namespace belay::service {

// What the bus and the system say to everybody and we have to act on.
class SystemSignals : public QObject {
    Q_OBJECT

 public:
    // `shutsDown`: systemd-logind says that the system is about to, or is not after all
    // (org.freedesktop.login1(5), PrepareForShutdown). `busLost`: nobody can reach us any more.
    SystemSignals(QDBusConnection bus, std::function<void(bool)> shutsDown,
                  std::function<void()> busLost);

 private slots:
    void prepareForShutdown(bool begins) { shutsDown_(begins); }
    void disconnected() { busLost_(); }

 private:
    std::function<void(bool)> shutsDown_;
    std::function<void()> busLost_;
};

}  // namespace belay::service
