#include "ui/model/history.h"

#include <algorithm>

namespace belay::ui {
namespace {

// Counters come twice a second while they change. A longer silence means that nothing was moved
// until shortly before the next change.
constexpr qint64 kLongestStepMs = 1000;
constexpr double kMsPerSecond = 1000;

}  // namespace

void History::note(const Device& device, qint64 now) {
    if (changes_.empty() || changes_.back().state != device.state)
        changes_.push_back({now, device.state});
    const bool moved = samples_.empty() || samples_.back().read != device.readBytes ||
                       samples_.back().written != device.writtenBytes;
    if (moved) {
        // A server that took over may count from zero again.
        if (!samples_.empty() && (device.readBytes < samples_.back().read ||
                                  device.writtenBytes < samples_.back().written))
            samples_.clear();
        samples_.push_back({now, device.readBytes, device.writtenBytes});
    }
    // The newest one before the window is still needed: its effect reaches into it.
    while (samples_.size() > 1 && samples_[1].time < now - kDepthMs)
        samples_.pop_front();
    while (changes_.size() > 1 && changes_[1].time < now - kDepthMs)
        changes_.pop_front();
}

QList<History::Rate> History::rates(qint64 from, qint64 to, int bins) const {
    QList<Rate> result(bins);
    const double width = double(to - from) / bins;
    if (width <= 0)
        return result;
    for (std::size_t i = 1; i < samples_.size(); ++i) {
        const Sample& end = samples_[i];
        const qint64 begin = std::max(samples_[i - 1].time, end.time - kLongestStepMs);
        const double length = double(std::max<qint64>(1, end.time - begin));
        const double read = double(end.read - samples_[i - 1].read) / length * kMsPerSecond;
        const double written =
            double(end.written - samples_[i - 1].written) / length * kMsPerSecond;
        const int first = std::max(0, int(double(begin - from) / width));
        const int last = std::min(bins - 1, int(double(end.time - from) / width));
        for (int bin = first; bin <= last; ++bin) {
            const double left = std::max(double(begin - from), bin * width);
            const double right = std::min(double(end.time - from), (bin + 1) * width);
            const double share = std::max(0.0, right - left) / width;
            result[bin].read += read * share;
            result[bin].written += written * share;
        }
    }
    return result;
}

QList<History::Span> History::states(qint64 from, qint64 to) const {
    QList<Span> spans;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        const qint64 begin = std::max(from, changes_[i].time);
        const qint64 end = std::min(to, i + 1 < changes_.size() ? changes_[i + 1].time : to);
        if (begin < end)
            spans += {begin, end, changes_[i].state};
    }
    return spans;
}

History::Rate History::now(qint64 now) const {
    return rates(now - kLongestStepMs, now, 1).first();
}

}  // namespace belay::ui
