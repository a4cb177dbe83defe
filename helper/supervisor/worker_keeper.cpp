#include "helper/supervisor/worker_keeper.h"

#include "core/base/log.h"

#include <signal.h>
#include <sys/wait.h>

namespace belay::helper {
namespace {

// How long a worker may take to end after it has closed its channel.
constexpr auto kLastWords = std::chrono::seconds(1);

}  // namespace

WorkerKeeper::WorkerKeeper(Ring& ring, Hooks hooks) : ring_(ring), hooks_(std::move(hooks)) {}

WorkerKeeper::~WorkerKeeper() {
    if (restart_)
        ring_.cancel(*restart_);
}

void WorkerKeeper::start() {
    if (restart_)
        ring_.cancel(*std::exchange(restart_, std::nullopt));
    auto start = hooks_.prepare();
    auto ends = Channel::pair();
    if (!start || !ends) {
        died((start ? ends.error() : start.error()).message(), true);
        return;
    }
    std::vector<Fd> fds;
    fds.push_back(std::move(ends->second));
    for (Fd& fd : start->fds)
        fds.push_back(std::move(fd));
    auto child = Child::spawn(ring_, start->args, std::move(fds), [this](int status) {
        died(describeStatus(status), WIFEXITED(status));
    });
    if (!child) {
        died(child.error().message(), true);
        return;
    }
    child_ = std::move(*child);
    channel_ = std::make_unique<Channel>(
        ring_, std::move(ends->first),
        [this](const Json& message, std::vector<Fd>) {
            if (message.at("type").get<std::string>() == "ready") {
                ready_ = wasReadyOnce_ = true;
                hooks_.ready();
            } else {
                hooks_.message(message);
            }
        },
        [this](const Error& reason) {
            // It has ended, as a rule, and its status will say how. A worker that lives on and
            // cannot be talked to is of no use.
            log::debug("worker: {}", reason.message());
            ring_.callAfter(kLastWords, [this, pid = pid()] {
                if (pid == this->pid())
                    kill();
            });
        });
}

void WorkerKeeper::died(const std::string& how, bool byItself) {
    const bool configurationIsBad = byItself && !wasReadyOnce_;
    ready_ = false;
    ++deaths_;
    // Both may be calling just now.
    ring_.destroyLater(std::move(child_));
    ring_.destroyLater(std::move(channel_));
    if (ending_)
        return;
    hooks_.died(how);
    if (configurationIsBad) {
        hooks_.neverStarted();
        return;
    }
    const Duration pause = backoff_.next(Clock::now());
    if (backoff_.exhausted()) {
        hooks_.keepsDying();
        return;
    }
    restart_ = ring_.callAfter(pause, [this] {
        restart_.reset();
        start();
    });
}

void WorkerKeeper::kill() {
    if (child_)
        child_->signal(SIGKILL);
}

void WorkerKeeper::end() {
    ending_ = true;
    if (restart_)
        ring_.cancel(*std::exchange(restart_, std::nullopt));
    kill();
}

void WorkerKeeper::tell(const Json& message, const std::vector<int>& fds) {
    if (ready_ && channel_)
        channel_->send(message, fds);
}

}  // namespace belay::helper
