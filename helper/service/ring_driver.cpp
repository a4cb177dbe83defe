#include "helper/service/ring_driver.h"

#include "core/base/log.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QCoreApplication>
#include <algorithm>

namespace belay::service {

Result<std::unique_ptr<RingDriver>> RingDriver::create(Ring& ring) {
    Fd announced(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    // A descriptor and not a QTimer: a dispatcher may have looked at its timers already when it
    // says that it is about to sleep.
    Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!announced || !timer)
        return systemError("make an event descriptor");
    if (auto error = ring.announceOn(announced.get()); !error)
        return tl::make_unexpected(error.error());
    return std::unique_ptr<RingDriver>(
        new RingDriver(ring, std::move(announced), std::move(timer)));
}

RingDriver::RingDriver(Ring& ring, Fd announced, Fd timer)
    : ring_(ring),
      announced_(std::move(announced)),
      timer_(std::move(timer)),
      onAnnounced_(announced_.get(), QSocketNotifier::Read),
      onTimer_(timer_.get(), QSocketNotifier::Read) {
    QObject::connect(&onAnnounced_, &QSocketNotifier::activated, &onAnnounced_,
                     [this] { readable(announced_.get()); });
    QObject::connect(&onTimer_, &QSocketNotifier::activated, &onTimer_,
                     [this] { readable(timer_.get()); });
    beforeSleep_ = QObject::connect(QAbstractEventDispatcher::instance(),
                                    &QAbstractEventDispatcher::aboutToBlock, &onAnnounced_, [this] {
                                        if (!ring_.settled())
                                            turn();
                                        else
                                            setTimer();
                                    });
}

RingDriver::~RingDriver() {
    QObject::disconnect(beforeSleep_);
}

void RingDriver::readable(int fd) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(fd, &count, sizeof count);
    if (fd == timer_.get())
        timerSetTo_.reset();
    turn();
}

void RingDriver::turn() {
    if (turning_)
        return;
    turning_ = true;
    do {
        if (auto turned = ring_.turn(Duration::zero()); !turned) {
            log::error("{}", turned.error().message());
            QCoreApplication::exit(EXIT_FAILURE);
            break;
        }
    } while (!ring_.settled());
    turning_ = false;
    setTimer();
}

void RingDriver::setTimer() {
    const auto next = ring_.nextTimer();
    if (next == timerSetTo_)
        return;
    timerSetTo_ = next;
    itimerspec time{};
    if (next) {
        // Zero would switch it off.
        const auto left =
            std::max<std::chrono::nanoseconds>(*next - Clock::now(), std::chrono::nanoseconds(1));
        time.it_value.tv_sec = left.count() / 1'000'000'000;
        time.it_value.tv_nsec = left.count() % 1'000'000'000;
    }
    ::timerfd_settime(timer_.get(), 0, &time, nullptr);
}

}  // namespace belay::service
