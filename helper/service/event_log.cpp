#include "helper/service/event_log.h"

#include <algorithm>

namespace belay::service {

void EventLog::add(const bus::Event& event) {
    if (events_.size() == kMost)
        events_.pop_front();
    events_.push_back(event);
}

QList<bus::Event> EventLog::list(qulonglong since, uint max) const {
    QList<bus::Event> found;
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
        if (max != 0 && found.size() == static_cast<qsizetype>(max))
            break;
        // By each event's own time: the clock may have been set back in between.
        if (event->time > since)
            found.append(*event);
    }
    std::reverse(found.begin(), found.end());
    return found;
}

}  // namespace belay::service
