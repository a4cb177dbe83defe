#include "core/base/ring.h"

#include "core/base/address.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace belay {
namespace {

__kernel_timespec timespecOf(Duration duration) {
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
    return {ns / 1'000'000'000, ns % 1'000'000'000};
}

}  // namespace

Result<std::unique_ptr<Ring>> Ring::create(unsigned entries, std::span<const std::uint8_t> only,
                                           Loop loop) {
    std::unique_ptr<Ring> ring(new Ring);
    io_uring_params params{};
    params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER;
    // The flags every ublk server uses: completions are run only while this thread waits, which
    // is also what lets the kernel hand a dead server's requests on without delay. Whoever sleeps
    // elsewhere would not always hear of them: Linux 6.12.117 does not signal the eventfd for work
    // that is put off when no completion came since its last signal (measured).
    if (loop == Loop::Own)
        params.flags |= IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN;
    if (!only.empty())
        params.flags |= IORING_SETUP_R_DISABLED;
    params.cq_entries = entries * 4;
    const int error = io_uring_queue_init_params(entries, &ring->ring_, &params);
    if (error < 0)
        return errorFrom(error, "set up io_uring", {},
                         error == -EPERM ? "Allow it with: sysctl kernel.io_uring_disabled=0" : "");
    ring->open_ = true;
    io_uring_ring_dontfork(&ring->ring_);
    if (!only.empty())
        if (auto restricted = ring->restrictTo(only); !restricted)
            return tl::make_unexpected(restricted.error());
    return ring;
}

Result<void> Ring::restrictTo(std::span<const std::uint8_t> operations) {
    std::vector<io_uring_restriction> restrictions;
    for (const std::uint8_t operation : operations) {
        auto& restriction = restrictions.emplace_back();
        restriction.opcode = IORING_RESTRICTION_SQE_OP;
        restriction.sqe_op = operation;
    }
    auto& flags = restrictions.emplace_back();
    flags.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    flags.sqe_flags = IOSQE_ASYNC;
    auto& registering = restrictions.emplace_back();
    registering.opcode = IORING_RESTRICTION_REGISTER_OP;
    registering.register_op = IORING_REGISTER_IOWQ_MAX_WORKERS;
    // liburing 2.3 does not export the calls for restrictions.
    if (::syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_RESTRICTIONS,
                  restrictions.data(), restrictions.size()) < 0)
        return systemError("restrict io_uring");
    if (::syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) <
        0)
        return systemError("enable io_uring");
    return {};
}

Ring::~Ring() {
    // What these hold may still speak to the ring when it is destroyed.
    endOfTurn_.clear();
    timers_.clear();
    if (open_)
        io_uring_queue_exit(&ring_);
}

io_uring_sqe* Ring::prepare(Operation* operation) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    while (sqe == nullptr) {
        io_uring_submit(&ring_);
        sqe = io_uring_get_sqe(&ring_);
    }
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data(sqe, operation);
    return sqe;
}

Result<void> Ring::submit() {
    const int error = io_uring_submit(&ring_);
    if (error < 0 && error != -EINTR && error != -EAGAIN && error != -EBUSY)
        return errorFrom(error, "submit to io_uring");
    return {};
}

Result<void> Ring::addWorkers(int change) {
    // Bounded and unbounded; 0 asks and changes nothing.
    unsigned limits[2] = {0, 0};
    int error = 0;
    if (workers_ == 0) {
        error = io_uring_register_iowq_max_workers(&ring_, limits);
        workers_ = std::max(limits[0], 4u);
    }
    workers_ += static_cast<unsigned>(change);
    limits[0] = workers_;
    limits[1] = 0;
    if (error == 0)
        error = io_uring_register_iowq_max_workers(&ring_, limits);
    if (error < 0)
        return errorFrom(error, "set io_uring's number of workers");
    return {};
}

Ring::TimerId Ring::callAt(TimePoint when, Callback callback) {
    const TimerId id = nextTimer_++;
    timers_.emplace(std::pair(when, id), std::move(callback));
    timerTimes_.emplace(id, when);
    return id;
}

void Ring::cancel(TimerId timer) {
    const auto found = timerTimes_.find(timer);
    if (found == timerTimes_.end())
        return;
    timers_.erase({found->second, timer});
    timerTimes_.erase(found);
}

void Ring::callAtEndOfTurn(Callback callback) {
    endOfTurn_.push_back(std::move(callback));
}

bool Ring::isDue() const {
    return !timers_.empty() && timers_.begin()->first.first <= Clock::now();
}

void Ring::runTimers() {
    const TimePoint now = Clock::now();
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
        auto node = timers_.extract(timers_.begin());
        timerTimes_.erase(node.key().second);
        node.mapped()();
    }
}

void Ring::runEndOfTurn() {
    // A callback may ask for another one; it runs in the same turn.
    while (!endOfTurn_.empty()) {
        std::vector<Callback> callbacks;
        callbacks.swap(endOfTurn_);
        for (Callback& callback : callbacks)
            callback();
    }
}

int Ring::submitAndWait(Duration limit) {
    Duration wait = limit;
    if (!timers_.empty())
        wait = std::min(wait, timers_.begin()->first.first - Clock::now());
    wait = std::max(wait, Duration::zero());
    __kernel_timespec timeout = timespecOf(wait);
    io_uring_cqe* first = nullptr;
    return io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
}

// A time limit for each sleep would cost the kernel a timer started and cancelled every time. One
// that goes off too early, because its timer of ours was cancelled, costs one turn.
int Ring::submitAndSleep() {
    if (!timers_.empty() && (!alarm_.due || *alarm_.due > timers_.begin()->first.first))
        setAlarm(timers_.begin()->first.first);
    return io_uring_submit_and_wait(&ring_, 1);
}

void Ring::setAlarm(TimePoint when) {
    alarmTime_ = timespecOf(when.time_since_epoch());
    if (alarm_.due) {
        // It fails if the alarm goes off just now, and then that begins the next turn.
        io_uring_prep_timeout_update(prepare(nullptr), &alarmTime_,
                                     addressOf(static_cast<Operation*>(&alarm_)),
                                     IORING_TIMEOUT_ABS);
    } else {
        io_uring_sqe* const sqe = prepare(&alarm_);
        io_uring_prep_timeout(sqe, &alarmTime_, 0, IORING_TIMEOUT_ABS);
        io_uring_sqe_set_data(sqe, static_cast<Operation*>(&alarm_));
    }
    alarm_.due = when;
}

Result<void> Ring::turn(std::optional<Duration> limit) {
    runEndOfTurn();
    const bool sleeps = !limit && !isDue();
    const int error = sleeps ? submitAndSleep() : submitAndWait(limit.value_or(Duration::zero()));
    if (error < 0 && error != -ETIME && error != -EINTR && error != -EAGAIN && error != -EBUSY)
        return errorFrom(error, "wait in io_uring");

    std::array<io_uring_cqe*, 64> cqes;
    while (const unsigned count = io_uring_peek_batch_cqe(&ring_, cqes.data(), cqes.size())) {
        for (unsigned i = 0; i < count; ++i) {
            // Copied and released first: a handler may need room in the completion queue.
            const io_uring_cqe cqe = *cqes[i];
            if (auto* operation = static_cast<Operation*>(io_uring_cqe_get_data(&cqe)))
                operation->complete(cqe.res, cqe.flags);
        }
        io_uring_cq_advance(&ring_, count);
    }
    runTimers();
    return {};
}

Result<void> Ring::announceOn(int eventFd) {
    const int error = io_uring_register_eventfd(&ring_, eventFd);
    if (error < 0)
        return errorFrom(error, "have io_uring announce completions");
    return {};
}

bool Ring::settled() const {
    return io_uring_sq_ready(&ring_) == 0 && endOfTurn_.empty() && !isDue();
}

std::optional<TimePoint> Ring::nextTimer() const {
    if (timers_.empty())
        return std::nullopt;
    return timers_.begin()->first.first;
}

Result<void> Ring::run() {
    while (!stopped_) {
        if (auto turned = turn(); !turned)
            return turned;
    }
    stopped_ = false;
    runEndOfTurn();
    return {};
}

// Outlives its FdWatch until the kernel has let go of the poll.
struct FdWatch::Poll final : Operation {
    Ring& ring;
    int fd;
    std::uint32_t events;
    std::function<void(std::uint32_t)> callback;
    Trigger trigger;
    bool armed = false;
    bool orphaned = false;

    Poll(Ring& r, int f, std::uint32_t e, std::function<void(std::uint32_t)> c, Trigger t)
        : ring(r), fd(f), events(e), callback(std::move(c)), trigger(t) {
        arm();
    }

    void arm() {
        io_uring_sqe* const sqe = ring.prepare(this);
        if (trigger == Trigger::Edge)
            io_uring_prep_poll_multishot(sqe, fd, events);
        else
            io_uring_prep_poll_add(sqe, fd, events);
        armed = true;
    }

    void complete(int result, std::uint32_t flags) override {
        armed = (flags & IORING_CQE_F_MORE) != 0;
        // The callback may end the watch, which leaves this object to the ring.
        if (!orphaned)
            callback(result > 0 ? static_cast<std::uint32_t>(result) : POLLERR);
        if (armed)
            return;
        if (orphaned)
            ring.orphans_.erase(this);
        else if (result > 0)
            arm();
    }
};

FdWatch::FdWatch(Ring& ring, int fd, std::uint32_t events,
                 std::function<void(std::uint32_t)> callback, Trigger trigger)
    : poll_(std::make_shared<Poll>(ring, fd, events, std::move(callback), trigger)) {}

FdWatch::~FdWatch() {
    poll_->orphaned = true;
    if (poll_->armed)
        io_uring_prep_poll_remove(poll_->ring.prepare(nullptr),
                                  addressOf(static_cast<Operation*>(poll_.get())));
    poll_->ring.orphans_.emplace(poll_.get(), poll_);
}

}  // namespace belay
