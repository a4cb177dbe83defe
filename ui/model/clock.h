#pragma once

#include <QtCore/QDateTime>
#include <QtCore/QDeadlineTimer>
#include <QtCore/QObject>
#include <chrono>
#include <functional>
#include <memory>

namespace belay::ui {

// Rings once, later; again when it is set anew. Gone, it does not ring.
class Alarm {
 public:
    virtual ~Alarm() = default;
    virtual void set(std::chrono::milliseconds later) = 0;
    virtual void cancel() = 0;
};

// The time, and what waits for it. All of ui/ and app/ has both from here, so that a test can move
// the time instead of waiting.
//
// - The time is the same for the whole process. Another clock is put in the place of the machine's
//   before anything is made that uses it.
// - For one thread, the one with the event loop.
class Clock {
 public:
    using Milliseconds = std::chrono::milliseconds;

    static Clock& current();
    virtual ~Clock() = default;

    // The time of day, which may be set.
    virtual QDateTime now() const = 0;
    qint64 nowMs() const { return now().toMSecsSinceEpoch(); }
    // Since some moment, and never set: for how long something lasts.
    virtual Milliseconds running() const = 0;
    virtual std::unique_ptr<Alarm> makeAlarm(std::function<void()> ring) = 0;
    // For who must stand still, and would otherwise be given up on.
    virtual QDeadlineTimer deadline(Milliseconds patience) = 0;

 protected:
    // Null: the machine's.
    static void use(Clock* clock);
};

// What QTimer is, by the current clock.
class Timer : public QObject {
    Q_OBJECT

 public:
    explicit Timer(QObject* parent = nullptr);

    void setSingleShot(bool single) { single_ = single; }
    // Of the next start().
    void setInterval(Clock::Milliseconds interval) { interval_ = interval; }
    // Begins anew if it is active.
    void start();
    void start(Clock::Milliseconds interval);
    void stop();
    bool isActive() const { return active_; }

 signals:
    void timeout();

 private:
    void ring();

    std::unique_ptr<Alarm> alarm_;
    Clock::Milliseconds interval_{0};
    bool single_ = false;
    bool active_ = false;
};

}  // namespace belay::ui
