#pragma once

#include <QtCore/QTimer>

namespace belay::service {

// Tells systemd, if it started us and asked to be told (sd_notify(3)).
class Notifier {
 public:
    // Ready to serve. From here on also keeps the watchdog quiet, from Qt's event loop: a loop
    // that hangs is what the watchdog is for.
    void ready();
    void stopping();

 private:
    QTimer watchdog_;
};

}  // namespace belay::service
