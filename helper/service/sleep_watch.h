#pragma once

#include "helper/supervisor/fleet.h"

#include <QtCore/QObject>
#include <QtCore/QTimer>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusUnixFileDescriptor>
#include <chrono>
#include <functional>

namespace belay::service {

// Tells the fleet when the computer is about to sleep, and holds it up until the fleet has done
// what there is to be done (a delay lock of systemd-logind, org.freedesktop.login1(5), Inhibit).
//
// The kernel stops all programs before it sleeps, and gives up after 20 s if one sits in an
// uninterruptible wait (kernel/power/process.c: try_to_freeze_tasks), as everybody does who waits
// for a block device (submit_bio_wait, folio_wait_bit_common). No server of a device can let such a
// program through but by answering its request: so held requests of those devices fail whose policy
// is not to wait for ever, and of the others it is said what holds the computer up.
class SleepWatch : public QObject {
    Q_OBJECT

 public:
    // `fleet`: null while there is none.
    SleepWatch(QDBusConnection bus, std::function<helper::FleetInterface*()> fleet);

 private slots:
    void prepareForSleep(bool begins);

 private:
    // Less than logind waits for (InhibitDelayMaxSec, 5 s).
    static constexpr std::chrono::milliseconds kLongest{3000};
    static constexpr std::chrono::milliseconds kLookAgain{50};

    void takeLock();
    void sayWhoWaits();
    bool isDone() const;

    QDBusConnection bus_;
    std::function<helper::FleetInterface*()> fleet_;
    QDBusUnixFileDescriptor lock_;  // held as long as it is open
    QTimer looking_;
    QTimer longest_;
};

}  // namespace belay::service
