#pragma once

#include "ui/model/records.h"

#include <QtCore/QList>
#include <deque>

namespace belay::ui {

// What one device has done lately: how much it read and wrote, and which states it was in. Fed
// with every change of the device; times are milliseconds since 1970.
class History {
 public:
    // How far it goes back.
    static constexpr qint64 kDepthMs = 10 * 60 * 1000;

    struct Rate {
        double read = 0;  // bytes per second
        double written = 0;
    };
    struct Span {
        qint64 from = 0;
        qint64 to = 0;
        QString state;
    };

    void note(const Device& device, qint64 now);
    // The mean rates of `bins` equal parts of the time from `from` to `to`.
    QList<Rate> rates(qint64 from, qint64 to, int bins) const;
    // The states of that time, in order, without gaps where they are known.
    QList<Span> states(qint64 from, qint64 to) const;
    // The rate of the last second.
    Rate now(qint64 now) const;

 private:
    struct Sample {
        qint64 time = 0;
        qulonglong read = 0;
        qulonglong written = 0;
    };
    struct Change {
        qint64 time = 0;
        QString state;
    };

    std::deque<Sample> samples_;
    std::deque<Change> changes_;
};

}  // namespace belay::ui
