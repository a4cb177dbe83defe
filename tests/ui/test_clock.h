#pragma once

#include "ui/model/clock.h"

#include <set>

namespace belay::test {

// A clock that stands still until the test moves it, in the place of the machine's as long as it
// lives. To be made before what it is for, and to go after that.
//
//     TestClock clock;
//     ... a device is unplugged; settleBus() ...
//     clock.advance(500ms);       // now it counts
//     settleBus();
//     QCOMPARE(server.history.size(), 1);
class TestClock final : public ui::Clock {
 public:
    TestClock();
    ~TestClock() override;
    TestClock(const TestClock&) = delete;
    TestClock& operator=(const TestClock&) = delete;

    // Moves the time. What is due meanwhile rings, each at its time.
    void advance(Milliseconds time);
    // Called as somebody begins to stand still until a deadline, who then does so for as long as it
    // takes, or not at all after losePatience().
    void whenStoodStill(std::function<void()> then) { whenStoodStill_ = std::move(then); }
    void losePatience() { patient_ = false; }
    // The patience that was asked for last.
    Milliseconds patience() const { return patience_; }

    QDateTime now() const override;
    Milliseconds running() const override { return time_; }
    std::unique_ptr<ui::Alarm> makeAlarm(std::function<void()> ring) override;
    QDeadlineTimer deadline(Milliseconds patience) override;

 private:
    class TestAlarm;

    // Lets it ring as Qt's timers do, by an event.
    class Bell final : public QObject {
     public:
        bool event(QEvent* event) override;
        std::function<void()> ring;
    };

    Milliseconds time_{0};
    std::set<TestAlarm*> set_;
    quint64 serial_ = 0;
    Bell bell_;
    std::function<void()> whenStoodStill_;
    bool patient_ = true;
    Milliseconds patience_{0};
};

}  // namespace belay::test
