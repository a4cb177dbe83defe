#pragma once

#include "helper/service/bus_service.h"
#include "helper/service/notifier.h"
#include "helper/service/ring_driver.h"
#include "helper/service/sleep_watch.h"
#include "helper/service/system_check.h"
#include "helper/service/system_signals.h"
#include "helper/service/unix_signals.h"
#include "helper/supervisor/host_fleet.h"

#include <QtCore/QString>
#include <QtCore/QTimer>
#include <chrono>
#include <memory>
#include <string>

namespace belay::service {

struct DaemonOptions {
    QString busAddress;  // empty: the system bus
    // Ends by itself after about so long with nothing to do; 0: never.
    std::chrono::seconds idleExit{0};
    helper::FleetOptions fleet;
};

// belayd: the ring, the fleet and the bus in one event loop.
//
// - What cannot be had is a named problem on the bus and not the end: whoever asks is told why.
//   Only without its name on the bus there is no point in going on.
class Daemon {
 public:
    explicit Daemon(DaemonOptions options);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    // Until it is told to end. The value is main()'s.
    int run();

 private:
    Result<void> begin();
    Result<void> makeRing();
    Result<void> openFleet();
    void ublkChecked(const SystemState& state);
    void problem(const char* name, const Error& error);
    void tellSystem();
    void exitIfIdle();
    void leave();

    const DaemonOptions options_;
    std::unique_ptr<Ring> ring_;
    std::unique_ptr<RingDriver> driver_;
    std::unique_ptr<BusService> service_;
    std::unique_ptr<helper::HostFleet> fleet_;
    std::unique_ptr<SystemCheck> check_;
    std::unique_ptr<SystemSignals> systemSignals_;
    std::unique_ptr<SleepWatch> sleepWatch_;
    std::unique_ptr<UnixSignals> unixSignals_;
    SystemState ublk_;
    SystemState own_;  // problems of this process
    Notifier notifier_;
    QTimer idleTimer_;
    int idleTurns_ = 0;
};

}  // namespace belay::service
