#include "helper/service/daemon.h"

#include "core/base/log.h"
#include "dbus/types.h"

#include <QtCore/QCoreApplication>
#include <QtDBus/QDBusError>
#include <algorithm>

namespace belay::service {
namespace {

constexpr const char* kConnection = "belayd";
// Calls that were on their way when the name was given up still arrive.
constexpr std::chrono::milliseconds kLastCalls{200};

QDBusConnection connectTo(const QString& address) {
    return address.isEmpty() ? QDBusConnection::connectToBus(QDBusConnection::SystemBus,
                                                             QLatin1String(kConnection))
                             : QDBusConnection::connectToBus(address, QLatin1String(kConnection));
}

}  // namespace

Daemon::Daemon(DaemonOptions options) : options_(std::move(options)) {}

Daemon::~Daemon() {
    check_.reset();
    sleepWatch_.reset();
    // The fleet's last words still reach the service, and no caller the fleet.
    if (service_)
        service_->hide();
    fleet_.reset();
    service_.reset();
    driver_.reset();
}

void Daemon::problem(const char* name, const Error& error) {
    log::error("{}", error.message());
    own_.problems.append(QLatin1String(name));
    own_.explanations.append(QString::fromStdString(error.message()));
}

void Daemon::tellSystem() {
    service_->setSystem({.ublkFeatures = ublk_.ublkFeatures,
                         .problems = own_.problems + ublk_.problems,
                         .explanations = own_.explanations + ublk_.explanations});
}

Result<void> Daemon::makeRing() {
    auto ring = Ring::create(256, {}, Ring::Loop::Other);
    if (!ring)
        return tl::make_unexpected(ring.error());
    ring_ = std::move(*ring);
    auto driver = RingDriver::create(*ring_);
    if (!driver)
        return tl::make_unexpected(driver.error());
    driver_ = std::move(*driver);
    return {};
}

Result<void> Daemon::openFleet() {
    auto fleet = helper::HostFleet::open(*ring_, options_.fleet, *service_);
    if (!fleet)
        return tl::make_unexpected(fleet.error());
    fleet_ = std::move(*fleet);
    service_->show(*fleet_);
    return {};
}

void Daemon::ublkChecked(const SystemState& state) {
    for (const QString& explanation : state.explanations)
        log::warning("{}", explanation.toStdString());
    ublk_ = state;
    if (fleet_ && state.problems.isEmpty())
        fleet_->ublkAppeared();
    tellSystem();
}

Result<void> Daemon::begin() {
    bus::registerTypes();
    QDBusConnection bus = connectTo(options_.busAddress);
    if (!bus.isConnected())
        return failure("connect to the bus", options_.busAddress.toStdString(),
                       bus.lastError().message().toStdString());
    unixSignals_ = std::make_unique<UnixSignals>([] { QCoreApplication::quit(); });
    systemSignals_ = std::make_unique<SystemSignals>(
        bus,
        [this](bool begins) {
            log::notice("the system {}", begins ? "shuts down" : "does not shut down after all");
            if (auto* const fleet = service_->fleet())
                fleet->systemShutsDown(begins);
        },
        [] {
            log::error("the bus is gone");
            QCoreApplication::exit(EXIT_FAILURE);
        });
    service_ = std::make_unique<BusService>(bus);
    sleepWatch_ = std::make_unique<SleepWatch>(bus, [this] { return service_->fleet(); });
    if (!service_->appear())
        return failure("put the root object on the bus");

    if (auto made = makeRing(); !made) {
        problem("no-io-uring", made.error());
    } else {
        if (auto opened = openFleet(); !opened)
            problem("no-supervision", opened.error());
        check_ = std::make_unique<SystemCheck>(
            *ring_, [this](const SystemState& state) { ublkChecked(state); });
        check_->begin();
    }
    tellSystem();

    // Last, since from now on there are callers.
    if (!bus.registerService(QLatin1String(bus::kService)))
        return failure("take the name on the bus", bus::kService,
                       "Is another belayd running? " + bus.lastError().message().toStdString());
    return {};
}

int Daemon::run() {
    if (auto begun = begin(); !begun) {
        log::error("{}", begun.error().message());
        return EXIT_FAILURE;
    }
    notifier_.ready();
    if (options_.idleExit.count() > 0) {
        QObject::connect(&idleTimer_, &QTimer::timeout, [this] { exitIfIdle(); });
        idleTimer_.start(std::chrono::milliseconds(options_.idleExit) / 2);
    }
    const int status = QCoreApplication::exec();
    notifier_.stopping();
    return status;
}

void Daemon::exitIfIdle() {
    idleTurns_ = service_->idle() ? idleTurns_ + 1 : 0;
    if (idleTurns_ >= 2)
        leave();
}

void Daemon::leave() {
    idleTimer_.stop();
    QDBusConnection bus(QLatin1String{kConnection});
    bus.unregisterService(QLatin1String(bus::kService));
    QTimer::singleShot(kLastCalls, &idleTimer_, [this, bus]() mutable {
        if (service_->idle()) {
            log::info("nothing to do: ending");
            QCoreApplication::quit();
            return;
        }
        // Somebody came after all.
        if (!bus.registerService(QLatin1String(bus::kService)))
            QCoreApplication::exit(EXIT_FAILURE);
        idleTurns_ = 0;
        idleTimer_.start();
    });
}

}  // namespace belay::service
