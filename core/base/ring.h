#pragma once

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fd.h"

#include <liburing.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace belay {

// One operation under way in a Ring. Its address is the operation's user_data, so it must stay
// where it is until complete() was called without IORING_CQE_F_MORE.
class Operation {
 public:
    // `result` as the kernel gives it: >= 0, or a negative errno. `flags` are IORING_CQE_F_*.
    virtual void complete(int result, std::uint32_t flags) = 0;

 protected:
    ~Operation() = default;
};

// The event ring: one io_uring that a process's only data thread sleeps in.
//
// - Belongs to the thread that made it (IORING_SETUP_SINGLE_ISSUER); nothing here is thread-safe.
// - What is prepared during a turn is submitted by the turn's one io_uring_enter(2).
// - Callbacks may prepare operations, add and cancel timers, and stop the loop.
class Ring {
 public:
    using Callback = std::function<void()>;
    using TimerId = std::uint64_t;

    // Where the ring's thread sleeps: in turn(), or in another loop (Qt's), which announceOn()
    // wakes.
    enum class Loop : std::uint8_t { Own, Other };

    // `entries`: submission slots; the completion queue has four times as many. `only`: opcodes
    // that the kernel is to take from this ring, for good, and no others (all, if empty); of
    // registrations it then takes addWorkers()' alone. A system call filter does not see what goes
    // through a ring.
    static Result<std::unique_ptr<Ring>> create(unsigned entries,
                                                std::span<const std::uint8_t> only = {},
                                                Loop loop = Loop::Own);
    ~Ring();
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    // A cleared submission slot whose completion goes to `operation` (null: nobody is told).
    // Submits what is waiting when the queue is full, so it always returns one.
    io_uring_sqe* prepare(Operation* operation);

    // Submits what is prepared now, for what cannot wait for the end of the turn. What the kernel
    // has no room for yet goes out with the turn.
    Result<void> submit();

    // Kernel threads for file operations that block (io-wq's bounded workers; four a processor to
    // begin with): whoever may have `change` more of them blocked at once adds them here, so that
    // one file which hangs leaves the others theirs. Negative: gives them back.
    Result<void> addWorkers(int change);

    // Calls `callback` at or after `when`, once. The id is never reused.
    TimerId callAt(TimePoint when, Callback callback);
    TimerId callAfter(Duration delay, Callback callback) {
        return callAt(Clock::now() + delay, std::move(callback));
    }
    // Harmless when it already ran.
    void cancel(TimerId timer);

    // Calls `callback` once at the end of this turn, before the thread sleeps: the place to send
    // together what was gathered during the turn.
    void callAtEndOfTurn(Callback callback);
    // Destroys an object at the end of this turn: for one that may be calling just now.
    template <class T>
    void destroyLater(std::unique_ptr<T> object) {
        callAtEndOfTurn([last = std::shared_ptr<T>(std::move(object))] {});
    }

    // Handles events until stop() is called; not one if it was called before. An error means that
    // the ring itself failed.
    Result<void> run();
    void stop() { stopped_ = true; }
    // One turn: submits, waits for at least one event (or a timer, or `limit`), handles all.
    Result<void> turn(std::optional<Duration> limit = std::nullopt);

    // For Loop::Other, whose thread calls turn(0) when it must. `eventFd` becomes readable when
    // there is something for a turn to handle; the ring does not own it.
    Result<void> announceOn(int eventFd);
    // True if a turn has nothing to submit, to send or to call just now.
    bool settled() const;
    // When a turn is due even though nothing was announced.
    std::optional<TimePoint> nextTimer() const;

 private:
    friend class FdWatch;
    Ring() = default;
    // The kernel's timer for the earliest of ours.
    struct Alarm final : Operation {
        std::optional<TimePoint> due;

        void complete(int, std::uint32_t) override { due.reset(); }
    };

    Result<void> restrictTo(std::span<const std::uint8_t> operations);
    bool isDue() const;
    int submitAndWait(Duration limit);
    int submitAndSleep();
    void setAlarm(TimePoint when);
    void runTimers();
    void runEndOfTurn();

    io_uring ring_{};
    bool open_ = false;
    bool stopped_ = false;
    unsigned workers_ = 0;
    TimerId nextTimer_ = 1;
    std::map<std::pair<TimePoint, TimerId>, Callback> timers_;
    std::map<TimerId, TimePoint> timerTimes_;
    Alarm alarm_;
    __kernel_timespec alarmTime_{};
    std::vector<Callback> endOfTurn_;
    // Operations that nobody waits for any more, until the kernel has let go of them.
    std::map<const void*, std::shared_ptr<void>> orphans_;
};

// Calls back each time a descriptor is readable (or has any of `events`), until destroyed.
//
// - Must be destroyed before the ring; the descriptor is not owned.
class FdWatch {
 public:
    enum class Trigger : std::uint8_t {
        Level,  // as long as it is readable: a callback may read in part
        Edge,  // when something has come: a callback must take all there is. Costs the kernel less,
               // as it goes on watching by itself (IORING_POLL_ADD_MULTI)
    };

    FdWatch(Ring& ring, int fd, std::uint32_t events, std::function<void(std::uint32_t)> callback,
            Trigger trigger = Trigger::Level);
    ~FdWatch();
    FdWatch(const FdWatch&) = delete;
    FdWatch& operator=(const FdWatch&) = delete;

 private:
    struct Poll;
    std::shared_ptr<Poll> poll_;
};

}  // namespace belay
