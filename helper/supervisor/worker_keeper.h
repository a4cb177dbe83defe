#pragma once

#include "core/lifecycle/backoff.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/child.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// Keeps one worker process running: starts it, starts it again when it dies (at once, then with
// growing pauses), and gives up after five deaths within a minute.
class WorkerKeeper {
 public:
    struct Start {
        std::vector<std::string> args;  // argv, from argv[0]
        std::vector<Fd> fds;            // descriptors 4, 5, ... of the worker; 3 is the channel
    };
    struct Hooks {
        // What the next worker is started with. An error counts as a death.
        std::function<Result<Start>()> prepare;
        std::function<void(const Json& message)> message;
        std::function<void()> ready;
        std::function<void(const std::string& how)> died;
        std::function<void()> keepsDying;
        // The very first worker ended by itself before it was ready: its configuration is bad.
        std::function<void()> neverStarted;
    };

    WorkerKeeper(Ring& ring, Hooks hooks);
    ~WorkerKeeper();

    // Starts a worker now, whatever became of earlier ones.
    void start();
    // Kills it; another one follows.
    void kill();
    // Kills it, and no other one follows.
    void end();
    // Nothing happens without a worker that is ready.
    void tell(const Json& message, const std::vector<int>& fds = {});

    bool isReady() const { return ready_; }
    pid_t pid() const { return child_ ? child_->pid() : 0; }
    std::size_t deaths() const { return deaths_; }

 private:
    void died(const std::string& how, bool byItself);

    Ring& ring_;
    Hooks hooks_;
    lifecycle::Backoff backoff_;
    std::unique_ptr<Child> child_;
    std::unique_ptr<Channel> channel_;
    std::optional<Ring::TimerId> restart_;
    bool ready_ = false;
    bool wasReadyOnce_ = false;
    bool ending_ = false;
    std::size_t deaths_ = 0;
};

}  // namespace belay::helper
