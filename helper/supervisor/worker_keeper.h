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
//
// - A *lasting* worker outlives this process; the next keeper takes it up with adopt().
// - Once in each period a worker is asked for a sign of life. One that has left kMostUnanswered of
//   them without any hangs, and is killed. Counted, not timed: a keeper that was itself kept from
//   running finds the answers waiting. One that was just started may take kMostWhileStarting.
class WorkerKeeper {
 public:
    static constexpr Duration kPingPeriod = std::chrono::seconds(2);
    static constexpr unsigned kMostUnanswered = 5;
    // To start a program takes a while on a busy machine.
    static constexpr unsigned kMostWhileStarting = 30;
    static constexpr Duration kBurialPatience = std::chrono::seconds(2);
    static constexpr Duration kMakeWayAgain = std::chrono::milliseconds(250);

    struct Start {
        std::string program;            // its path; empty: this very program
        std::vector<std::string> args;  // argv, from argv[0]
        std::vector<Fd> fds;            // descriptors 4, 5, ... of the worker
        // Empty: descriptor 3 is the channel, and the worker dies with us. Else it is a socket that
        // listens at this path, and the worker lasts.
        std::string socketPath;
    };
    struct Hooks {
        // Before each worker: what one before it left is put out of its way. As long as that fails
        // it is tried again, and none starts. Unset: nothing is in the way.
        std::function<Result<void>()> makeWay;
        // What the next worker is started with. An error counts as a death.
        std::function<Result<Start>()> prepare;
        std::function<void(const Json& message, std::vector<Fd> fds)> message;
        // `message`: where it stands. Also of one that was adopted.
        std::function<void(const Json& message)> ready;
        std::function<void(const std::string& how)> died;
        // It was killed, and after kBurialPatience the kernel still cannot end it: a thread of it
        // hangs in there. Nothing is to be had from it any more; died() follows, if ever, when the
        // kernel lets go, and only then its successor. Unset: nobody wants to know.
        std::function<void()> lingers;
        std::function<void()> keepsDying;
        // The very first worker ended by itself before it was ready. True: its configuration is
        // bad, and none follows. False, or unset: it is a death like any other.
        std::function<bool()> neverStarted;
    };

    WorkerKeeper(Ring& ring, Hooks hooks, Duration pingPeriod = kPingPeriod);
    ~WorkerKeeper();
    WorkerKeeper(const WorkerKeeper&) = delete;
    WorkerKeeper& operator=(const WorkerKeeper&) = delete;

    // Starts a worker now, whatever became of earlier ones; after rest(), once the one that was
    // killed is gone.
    void start();
    // Takes up a worker that outlived an earlier keeper. False if there is none.
    bool adopt(const std::string& socketPath);
    // Kills it; another one follows.
    void kill();
    // Kills it; none follows until start().
    void rest();
    // Nothing happens without a worker that is ready.
    void tell(const Json& message, const std::vector<int>& fds = {});

    bool isReady() const { return ready_; }
    // Some worker was, at least once.
    bool wasReady() const { return wasReadyOnce_; }
    // 0: there is none, or it is being killed for good.
    pid_t pid() const { return child_ && !resting_ ? child_->pid() : 0; }
    std::size_t deaths() const { return deaths_; }

 private:
    bool isWayFree();
    Result<void> launch();
    void talkOver(Fd socket, unsigned mostUnanswered);
    void heard(const Json& message, std::vector<Fd> fds);
    void ping();
    void awaitBurial();
    void died(std::string how, bool byItself);

    Ring& ring_;
    Hooks hooks_;
    const Duration pingPeriod_;
    lifecycle::Backoff backoff_;
    std::unique_ptr<Child> child_;
    std::unique_ptr<Channel> channel_;
    std::optional<Ring::TimerId> restart_;
    std::optional<Ring::TimerId> pinging_;
    std::optional<Ring::TimerId> lastWords_;
    std::optional<Ring::TimerId> burial_;
    unsigned unanswered_ = 0;  // pings
    unsigned mostUnanswered_ = 0;
    bool ready_ = false;
    bool hung_ = false;
    bool wasReadyOnce_ = false;
    bool resting_ = false;
    bool startAfterRest_ = false;
    std::size_t deaths_ = 0;
    std::string inTheWay_;  // as said last
};

}  // namespace belay::helper
