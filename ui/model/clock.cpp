#include "ui/model/clock.h"

#include <QtCore/QTimer>
#include <utility>

namespace belay::ui {
namespace {

class MachineAlarm final : public Alarm {
 public:
    explicit MachineAlarm(std::function<void()> ring) {
        timer_.setSingleShot(true);
        QObject::connect(&timer_, &QTimer::timeout, std::move(ring));
    }
    void set(Clock::Milliseconds later) override { timer_.start(later); }
    void cancel() override { timer_.stop(); }

 private:
    QTimer timer_;
};

class MachineClock final : public Clock {
 public:
    QDateTime now() const override { return QDateTime::currentDateTime(); }
    Milliseconds running() const override {
        return std::chrono::duration_cast<Milliseconds>(
            std::chrono::steady_clock::now().time_since_epoch());
    }
    std::unique_ptr<Alarm> makeAlarm(std::function<void()> ring) override {
        return std::make_unique<MachineAlarm>(std::move(ring));
    }
    QDeadlineTimer deadline(Milliseconds patience) override { return QDeadlineTimer(patience); }
};

// Null: the machine's.
Clock* inPlace = nullptr;

}  // namespace

Clock& Clock::current() {
    static MachineClock machine;
    return inPlace == nullptr ? machine : *inPlace;
}

void Clock::use(Clock* clock) {
    inPlace = clock;
}

Timer::Timer(QObject* parent)
    : QObject(parent), alarm_(Clock::current().makeAlarm([this] { ring(); })) {}

void Timer::start() {
    active_ = true;
    alarm_->set(interval_);
}

void Timer::start(Clock::Milliseconds interval) {
    interval_ = interval;
    start();
}

void Timer::stop() {
    active_ = false;
    alarm_->cancel();
}

// Whoever hears it may start it anew, or stop it.
void Timer::ring() {
    if (single_)
        active_ = false;
    else
        alarm_->set(interval_);
    emit timeout();
}

}  // namespace belay::ui
