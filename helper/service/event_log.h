#pragma once

#include "dbus/types.h"

#include <deque>

namespace belay::service {

// What happened lately.
class EventLog {
 public:
    static constexpr std::size_t kMost = 1000;

    void add(const bus::Event& event);
    // Those after `since` (0: all), the oldest first; of these the newest `max` (0: all).
    QList<bus::Event> list(qulonglong since, uint max) const;

 private:
    std::deque<bus::Event> events_;
};

}  // namespace belay::service
