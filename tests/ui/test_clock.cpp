#include "tests/ui/test_clock.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QEvent>
#include <algorithm>
#include <tuple>

namespace belay::test {

class TestClock::TestAlarm final : public ui::Alarm {
 public:
    TestAlarm(TestClock& clock, std::function<void()> then)
        : ring(std::move(then)), clock_(clock) {}
    ~TestAlarm() override { cancel(); }
    TestAlarm(const TestAlarm&) = delete;
    TestAlarm& operator=(const TestAlarm&) = delete;

    void set(Milliseconds later) override {
        due = clock_.time_ + later;
        serial = ++clock_.serial_;
        clock_.set_.insert(this);
    }
    void cancel() override { clock_.set_.erase(this); }

    std::function<void()> ring;
    Milliseconds due{0};
    quint64 serial = 0;  // what was set first rings first

 private:
    TestClock& clock_;
};

bool TestClock::Bell::event(QEvent*) {
    const auto now = std::move(ring);
    now();
    return true;
}

TestClock::TestClock() {
    use(this);
}

TestClock::~TestClock() {
    if (!set_.empty())
        qFatal("what uses the test's clock must go before it");
    use(nullptr);
}

void TestClock::advance(Milliseconds time) {
    const Milliseconds end = time_ + time;
    while (!set_.empty()) {
        TestAlarm* const next = *std::ranges::min_element(
            set_, {}, [](const TestAlarm* alarm) { return std::tuple(alarm->due, alarm->serial); });
        if (next->due > end)
            break;
        time_ = std::max(time_, next->due);
        set_.erase(next);
        // It may go as it rings.
        bell_.ring = next->ring;
        QEvent event(QEvent::User);
        QCoreApplication::sendEvent(&bell_, &event);
    }
    time_ = end;
}

// Always the same day, for pictures and texts that can be compared.
QDateTime TestClock::now() const {
    return QDateTime({2026, 3, 2}, {12, 0}).addMSecs(time_.count());
}

std::unique_ptr<ui::Alarm> TestClock::makeAlarm(std::function<void()> ring) {
    return std::make_unique<TestAlarm>(*this, std::move(ring));
}

QDeadlineTimer TestClock::deadline(Milliseconds patience) {
    patience_ = patience;
    if (whenStoodStill_)
        whenStoodStill_();
    return patient_ ? QDeadlineTimer(QDeadlineTimer::Forever) : QDeadlineTimer(0);
}

}  // namespace belay::test
