#pragma once

#include "core/base/fd.h"
#include "core/base/ring.h"

#include <QtCore/QObject>
#include <QtCore/QSocketNotifier>
#include <memory>
#include <optional>

namespace belay::service {

// Runs a Ring inside Qt's event loop, on the thread that made both.
//
// - A turn of the ring is made when the kernel announces something, when a timer of the ring is
//   due, and before Qt sleeps when something was prepared meanwhile.
// - A turn never waits.
class RingDriver {
 public:
    // `ring` must outlive it.
    static Result<std::unique_ptr<RingDriver>> create(Ring& ring);
    ~RingDriver();
    RingDriver(const RingDriver&) = delete;
    RingDriver& operator=(const RingDriver&) = delete;

 private:
    RingDriver(Ring& ring, Fd announced, Fd timer);
    void readable(int fd);
    void turn();
    void setTimer();

    Ring& ring_;
    Fd announced_;
    Fd timer_;
    QSocketNotifier onAnnounced_;
    QSocketNotifier onTimer_;
    QMetaObject::Connection beforeSleep_;
    std::optional<TimePoint> timerSetTo_;
    bool turning_ = false;
};

}  // namespace belay::service
