#pragma once

#include "core/base/fd.h"

#include <QtCore/QSocketNotifier>
#include <functional>

namespace belay::service {

// Calls back from the event loop when the process is told to end (SIGTERM, SIGINT). At most one
// object at a time.
//
// - By a handler that wakes the loop and not by a blocked signal: children would inherit the mask.
class UnixSignals {
 public:
    explicit UnixSignals(std::function<void()> end);
    ~UnixSignals();
    UnixSignals(const UnixSignals&) = delete;
    UnixSignals& operator=(const UnixSignals&) = delete;

 private:
    Fd wake_;
    QSocketNotifier notifier_;
};

}  // namespace belay::service
