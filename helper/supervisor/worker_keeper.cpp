#include "helper/supervisor/worker_keeper.h"

#include "core/base/log.h"
#include "helper/supervisor/unix_socket.h"

#include <signal.h>
#include <sys/wait.h>

#include <tuple>
#include <utility>

namespace belay::helper {
namespace {

// How long a worker may take to end after it has closed its channel.
constexpr auto kLastWords = std::chrono::seconds(1);

}  // namespace

WorkerKeeper::WorkerKeeper(Ring& ring, Hooks hooks, Duration pingPeriod)
    : ring_(ring), hooks_(std::move(hooks)), pingPeriod_(pingPeriod) {}

WorkerKeeper::~WorkerKeeper() {
    for (const auto& timer : {restart_, pinging_, lastWords_, burial_})
        if (timer)
            ring_.cancel(*timer);
}

void WorkerKeeper::start() {
    if (child_ && resting_) {
        startAfterRest_ = true;
        return;
    }
    resting_ = false;
    if (restart_)
        ring_.cancel(*std::exchange(restart_, std::nullopt));
    if (!isWayFree())
        restart_ = ring_.callAfter(kMakeWayAgain, [this] {
            restart_.reset();
            start();
        });
    else if (auto launched = launch(); !launched)
        died(launched.error().message(), true);
}

bool WorkerKeeper::isWayFree() {
    const auto made = hooks_.makeWay ? hooks_.makeWay() : Result<void>();
    const std::string why = made ? std::string() : made.error().message();
    if (std::exchange(inTheWay_, why) != why && !why.empty())
        log::warning("a worker has to wait: {}", why);
    return made.has_value();
}

Result<void> WorkerKeeper::launch() {
    auto start = hooks_.prepare();
    if (!start)
        return tl::make_unexpected(start.error());
    const bool lasting = !start->socketPath.empty();
    Fd ours;
    Fd theirs;
    if (lasting) {
        auto listening = listenAt(start->socketPath);
        if (!listening)
            return tl::make_unexpected(listening.error());
        theirs = std::move(*listening);
        // Waits in the backlog until the worker gets to it.
        auto connected = connectTo(start->socketPath);
        if (!connected)
            return tl::make_unexpected(connected.error());
        ours = std::move(*connected);
    } else {
        auto ends = Channel::pair();
        if (!ends)
            return tl::make_unexpected(ends.error());
        std::tie(ours, theirs) = std::move(*ends);
    }
    Child::Program program{std::move(start->program), std::move(start->args), {}, lasting};
    program.fds.push_back(std::move(theirs));
    for (Fd& fd : start->fds)
        program.fds.push_back(std::move(fd));
    auto child = Child::spawn(ring_, std::move(program), [this](int status) {
        died(describeStatus(status), status != Child::kUnknownStatus && WIFEXITED(status));
    });
    if (!child)
        return tl::make_unexpected(child.error());
    child_ = std::move(*child);
    talkOver(std::move(ours), kMostWhileStarting);
    return {};
}

bool WorkerKeeper::adopt(const std::string& socketPath) {
    auto connected = connectTo(socketPath);
    if (!connected)
        return false;
    const auto peer = peerOf(*connected);
    if (!peer)
        return false;
    auto child = Child::adopt(ring_, peer->process,
                              [this](int status) { died(describeStatus(status), false); });
    if (!child)
        return false;
    child_ = std::move(*child);
    talkOver(std::move(*connected), kMostUnanswered);
    return true;
}

void WorkerKeeper::talkOver(Fd socket, unsigned mostUnanswered) {
    hung_ = false;
    unanswered_ = 0;
    mostUnanswered_ = mostUnanswered;
    channel_ = std::make_unique<Channel>(
        ring_, std::move(socket),
        [this](const Json& message, std::vector<Fd> fds) { heard(message, std::move(fds)); },
        [this, talker = pid()](const Error& reason) {
            // It has ended, as a rule, and its status says how: perhaps it has already. A worker
            // that lives on and cannot be talked to is of no use.
            log::debug("worker: {}", reason.message());
            if (talker != pid())
                return;
            lastWords_ = ring_.callAfter(kLastWords, [this] {
                lastWords_.reset();
                kill();
            });
        });
    if (!pinging_)
        ping();
}

void WorkerKeeper::heard(const Json& message, std::vector<Fd> fds) {
    unanswered_ = 0;
    mostUnanswered_ = kMostUnanswered;
    const auto type = message.at("type").get<std::string>();
    if (type == "pong")
        return;
    if (type == "ready") {
        ready_ = wasReadyOnce_ = true;
        hooks_.ready(message);
    } else {
        hooks_.message(message, std::move(fds));
    }
}

void WorkerKeeper::ping() {
    // Somebody else may have killed it, and a thread of it keeps the kernel from telling.
    if (unanswered_ > 0 && !hung_ && child_->isDying())
        awaitBurial();
    if (unanswered_++ >= mostUnanswered_ && !hung_) {
        hung_ = true;
        kill();
    }
    channel_->send({{"type", "ping"}});
    pinging_ = ring_.callAfter(pingPeriod_, [this] { ping(); });
}

void WorkerKeeper::died(std::string how, bool byItself) {
    const bool neverStarted = byItself && !wasReadyOnce_ && hooks_.neverStarted;
    if (std::exchange(hung_, false))
        how = "it did not answer any more";
    ready_ = false;
    ++deaths_;
    // Both may be calling just now.
    ring_.destroyLater(std::move(child_));
    ring_.destroyLater(std::move(channel_));
    for (auto* timer : {&pinging_, &lastWords_, &burial_})
        if (*timer)
            ring_.cancel(*std::exchange(*timer, std::nullopt));
    if (resting_) {
        if (std::exchange(startAfterRest_, false))
            start();
        return;
    }
    hooks_.died(how);
    if (neverStarted && hooks_.neverStarted())
        return;
    const Duration pause = backoff_.next(Clock::now());
    if (backoff_.exhausted()) {
        hooks_.keepsDying();
        return;
    }
    if (child_ || restart_)
        return;
    restart_ = ring_.callAfter(pause, [this] {
        restart_.reset();
        start();
    });
}

void WorkerKeeper::kill() {
    if (!child_)
        return;
    child_->signal(SIGKILL);
    awaitBurial();
}

void WorkerKeeper::awaitBurial() {
    if (!burial_)
        burial_ = ring_.callAfter(kBurialPatience, [this] {
            burial_.reset();
            ready_ = false;
            if (hooks_.lingers && !resting_)
                hooks_.lingers();
        });
}

void WorkerKeeper::rest() {
    resting_ = true;
    startAfterRest_ = false;
    ready_ = false;
    if (restart_)
        ring_.cancel(*std::exchange(restart_, std::nullopt));
    kill();
}

void WorkerKeeper::tell(const Json& message, const std::vector<int>& fds) {
    if (ready_ && channel_)
        channel_->send(message, fds);
}

}  // namespace belay::helper
