#include "helper/supervisor/control_task.h"

#include "core/base/abandoned.h"

#include <poll.h>

namespace belay::helper {

ControlTask::ControlTask(Ring& ring, const ublk::ControlRequest& request, Duration deadline,
                         Callback callback)
    : ring_(ring), callback_(std::move(callback)) {
    auto process = ublk::ControlProcess::start(request);
    if (!process) {
        timer_ = ring_.callAfter(Duration::zero(), [this, error = process.error()] {
            timer_.reset();
            finish(tl::make_unexpected(error));
        });
        return;
    }
    process_.emplace(std::move(*process));
    watch_ = std::make_unique<FdWatch>(ring_, process_->readyFd(), POLLIN,
                                       [this](std::uint32_t) { ready(); });
    timer_ = ring_.callAfter(deadline, [this] {
        timer_.reset();
        finish(errorFrom(ETIMEDOUT, "wait for the ublk driver"));
    });
}

ControlTask::~ControlTask() {
    if (timer_)
        ring_.cancel(*timer_);
}

void ControlTask::ready() {
    if (auto answer = process_->poll())
        finish(std::move(*answer));
}

void ControlTask::finish(Result<ublk::ControlAnswer> answer) {
    watch_.reset();
    process_.reset();
    if (timer_)
        ring_.cancel(*std::exchange(timer_, std::nullopt));
    reapAbandoned();
    // By a copy: the callback may destroy this task.
    const Callback callback = callback_;
    callback(std::move(answer));
}

}  // namespace belay::helper
