#include "helper/supervisor/service.h"

#include "core/base/log.h"
#include "core/ublk/device.h"
#include "helper/supervisor/command.h"
#include "helper/supervisor/file_limit.h"

#include <fmt/format.h>
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
// A report that does not come in this time is done without: the worker may hang.
constexpr auto kReportPatience = 500ms;
// Each stop takes some processes of its own and has a deadline: all of many at once would miss it.
constexpr int kStopsAtOnce = 4;
// Whoever asks again long after a refusal asks anew.
constexpr auto kForceWindow = 30s;
// Before a worker that keeps dying is tried again.
constexpr auto kTryAgain = 30s;
// How long the stores may take to be saved at the end.
constexpr auto kSavePatience = 30s;

Json answerOf(const Result<void>& result) {
    if (result)
        return {{"ok", true}};
    return {
        {"ok", false}, {"busy", result.error().code == EBUSY}, {"error", result.error().message()}};
}

}  // namespace

Service::Service(Ring& ring, RunDir runDir, const Identity& worker, ServiceOptions options)
    : ring_(ring),
      runDir_(std::move(runDir)),
      worker_(worker),
      policy_(options.policy),
      stores_(
          ring, options.stores, options.stateDir + "/records",
          [this](const Json& message, const std::vector<int>& fds) { target_.tell(message, fds); }),
      initiator_(ring, keeperHooks(WorkerRole::Initiator)),
      target_(ring, keeperHooks(WorkerRole::Target)),
      devices_(ring, StateFile(runDir_.file("devices.json")), deviceHooks(options.writeLogBytes)),
      initiates_(options.initiates) {}

Service::~Service() = default;

WorkerKeeper::Hooks Service::keeperHooks(WorkerRole role) {
    WorkerKeeper::Hooks hooks;
    hooks.makeWay = [this, role] { return makeWay(role); };
    hooks.prepare = [this, role] { return prepareWorker(role); };
    hooks.message = [this, role](const Json& message, std::vector<Fd> fds) {
        heard(role, message, fds);
    };
    hooks.ready = [this, role](const Json&) {
        if (role == WorkerRole::Target)
            stores_.workerReady();
        workerReady(role);
        if (role == WorkerRole::Initiator)
            devices_.workerReady();
    };
    hooks.died = [this, role](const std::string& how) {
        log::warning("the {}'s worker died: {}", nameOf(role), how);
        if (role == WorkerRole::Target)
            stores_.workerDied();
        else
            devices_.workerDied();
        workerDied(role);
    };
    hooks.lingers = [this, role] {
        log::warning(
            "the {}'s worker was killed, but hangs in the kernel: another one takes over "
            "when it is gone",
            nameOf(role));
        workerLingers(role);
    };
    hooks.keepsDying = [this, role] { keepsDying(role); };
    hooks.neverStarted = [this] {
        if (!goesOn_)
            finish(EXIT_FAILURE);
        return !goesOn_;
    };
    return hooks;
}

// Bad stores are found before anybody sees what is offered. What lies on a device that nobody
// serves yet is opened when somebody does.
void Service::startTarget() {
    if (goesOn_) {
        target_.start();
        return;
    }
    stores_.open(
        [this](const Result<void>& opened) {
            if (finishing_)
                return;
            if (opened)
                target_.start();
            else
                fail(opened.error());
        },
        [this](const Error& reason) { fail(reason); });
}

void Service::heard(WorkerRole role, const Json& message, std::vector<Fd>& fds) {
    const auto type = message.at("type").get<std::string>();
    if (role == WorkerRole::Initiator ? devices_.handle(message, fds) : stores_.handle(message)) {
        if (type == "exports")
            exportsOffered();
    } else if (type == "report") {
        reported(role);
    } else {
        workerMessage(role, message);
    }
}

// The devices' users have a word for "try again". Without a device there is nobody here to ask.
void Service::keepsDying(WorkerRole role) {
    workerKeepsDying(role);
    if (role == WorkerRole::Initiator && !devices_.empty()) {
        announce(
            "the initiator's worker keeps dying: see the messages above, then use \"recover\"");
        return;
    }
    announce(fmt::format(
        "the {}'s worker keeps dying: see the messages above. It is started again in {} seconds",
        nameOf(role), kTryAgain / 1s));
    ring_.callAfter(kTryAgain, [this, role] {
        if (role == WorkerRole::Initiator)
            startInitiatorIfIdle();
        else if (!finishing_ && target_.pid() == 0)
            target_.start();
    });
}

// What is offered is known only with a worker.
void Service::startInitiatorIfIdle() {
    if (initiates_ && !isEnding() && devices_.empty() && initiator_.pid() == 0)
        initiator_.start();
}

DeviceHooks Service::deviceHooks(std::size_t writeLogBytes) {
    DeviceHooks hooks;
    hooks.wanted = [this](const wire::ExportInfo& info) { return !stopping_ && wanted(info); };
    hooks.policy = [this](const wire::ExportInfo&) { return policy_; };
    hooks.tellWorker = [this](const Json& message, const std::vector<int>& fds) {
        initiator_.tell(message, fds);
    };
    hooks.startWorker = [this] {
        if (initiator_.pid() == 0)
            initiator_.start();
    };
    hooks.killWorker = [this] { initiator_.kill(); };
    hooks.announce = &Service::announce;
    hooks.gone = [this](const ManagedDevice&) {
        deviceGone();
        startInitiatorIfIdle();
    };
    hooks.workerUid = worker_.uid;
    hooks.workerGid = worker_.gid;
    hooks.writeLogBytes = writeLogBytes;
    return hooks;
}

void Service::announce(const std::string& line) {
    ::puts(line.c_str());
    ::fflush(stdout);
}

void Service::fail(const Error& reason) {
    log::error("{}", reason.message());
    finish(EXIT_FAILURE);
}

Result<int> Service::run() {
    if (auto fits = stores_.check(); !fits)
        return tl::make_unexpected(fits.error());
    raiseFileLimit();
    if (auto watched = watchSignals(); !watched)
        return tl::make_unexpected(watched.error());
    const std::string control = runDir_.file("control");
    // Who ends by itself takes it away.
    goesOn_ = ::access(control.c_str(), F_OK) == 0;
    auto commands = CommandServer::listen(
        ring_, control, [this](const Json& request, const CommandServer::Reply& reply) {
            command(request, reply);
        });
    if (!commands)
        return tl::make_unexpected(commands.error());
    commands_ = std::move(*commands);
    if (auto adopted = devices_.adopt(); !adopted)
        return tl::make_unexpected(adopted.error());
    goesOn_ = goesOn_ || !devices_.empty();
    if (auto begun = begin(); !begun)
        return tl::make_unexpected(begun.error());
    if (initiates_ || !devices_.empty())
        initiator_.start();
    if (!stores_.empty())
        startTarget();
    if (auto ran = ring_.run(); !ran)
        return tl::make_unexpected(ran.error());
    end();
    return exitStatus_;
}

Result<void> Service::watchSignals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (::sigprocmask(SIG_BLOCK, &set, nullptr) < 0)
        return systemError("block signals");
    signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_)
        return systemError("watch signals");
    signalWatch_ = std::make_unique<FdWatch>(ring_, signals_.get(), POLLIN, [this](std::uint32_t) {
        signalfd_siginfo info;
        if (::read(signals_.get(), &info, sizeof info) == sizeof info)
            askedToEnd();
    });
    return {};
}

void Service::askedToEnd() {
    const bool again = stopping_ || (refusedAt_ && Clock::now() - *refusedAt_ < kForceWindow);
    stopping_ = true;
    stopAll(again);
}

void Service::stopAll(bool force) {
    if (devices_.empty()) {
        finish(EXIT_SUCCESS);
        return;
    }
    devices_.undoCreations([this] { endWhenEmpty(); });
    const auto ids = devices_.devices();
    toStop_.assign(ids.begin(), ids.end());
    for (int i = 0; i < kStopsAtOnce; ++i)
        stopNext(force);
}

void Service::stopNext(bool force) {
    // One that was being stopped already may be gone by now.
    while (!toStop_.empty() && devices_.device(toStop_.front()) == nullptr)
        toStop_.pop_front();
    if (toStop_.empty()) {
        if (stopsUnderWay_ == 0)
            goOnIfRefused();
        return;
    }
    const DeviceId id = toStop_.front();
    toStop_.pop_front();
    ++stopsUnderWay_;
    devices_.stop(id, force, [this, force](const Result<void>& result) {
        --stopsUnderWay_;
        if (!result) {
            refused_ = true;
            announce(result.error().message());
        }
        endWhenEmpty();
        stopNext(force);
    });
}

void Service::goOnIfRefused() {
    if (!std::exchange(refused_, false) || finishing_)
        return;
    stopping_ = false;
    refusedAt_ = Clock::now();
    announce(
        fmt::format("Not ended: it goes on. To force the end, send the signal again within {} "
                    "seconds",
                    kForceWindow / 1s));
}

void Service::endWhenEmpty() {
    if (stopping_ && !finishing_ && devices_.empty())
        finish(EXIT_SUCCESS);
}

void Service::finish(int status) {
    exitStatus_ = status;
    initiator_.rest();
    target_.rest();
    // A worker that never came so far has written nothing, and whoever kept it from that may have.
    // Who asks twice does not want to wait.
    if (!target_.wasReady() || std::exchange(finishing_, true)) {
        ring_.stop();
        return;
    }
    stores_.endUse([this] { ring_.stop(); });
    // A store that hangs is left as it is.
    ring_.callAfter(kSavePatience, [this] { ring_.stop(); });
}

void Service::command(const Json& request, const CommandServer::Reply& reply) {
    const auto command = commandFrom(request);
    if (!command) {
        reply(answerOf(tl::make_unexpected(command.error())));
        return;
    }
    switch (command->kind) {
        case Command::Kind::Status:
            answerStatus(reply);
            break;
        case Command::Kind::Attach:
            attach(command->share, reply);
            break;
        case Command::Kind::Stop:
            devices_.stop(command->device, command->force,
                          [reply](const Result<void>& result) { reply(answerOf(result)); });
            break;
        case Command::Kind::Recover:
            reply(answerOf(devices_.recover(command->device, command->acceptLoss)));
            break;
        case Command::Kind::SetPolicy:
            reply(answerOf(devices_.setPolicy(command->device, command->policy)));
            break;
        case Command::Kind::Rescan:
            devices_.rescan(command->device,
                            [reply](const Result<void>& result) { reply(answerOf(result)); });
            break;
    }
}

void Service::attach(const std::string& share, const CommandServer::Reply& reply) {
    const auto found = devices_.exportCalled(share);
    if (stopping_)
        reply(answerOf(errorFrom(ECANCELED, "attach", share, "The program is ending")));
    else if (!devices_.sessionOpen())
        reply(answerOf(errorFrom(ENOTCONN, "attach", share,
                                 "The other side is not there: try again when it is")));
    else if (!found)
        reply(answerOf(errorFrom(ENOENT, "attach", share, "The other side offers no such disk")));
    else if (const auto live = devices_.liveDeviceOf(*found))
        reply({{"ok", true}, {"node", ublk::diskNode(*live)}});
    else
        devices_.attach(*found, [reply](const Result<DeviceId>& device) {
            Json answer = answerOf(device ? Result<void>() : tl::make_unexpected(device.error()));
            if (device)
                answer["node"] = ublk::diskNode(*device);
            reply(answer);
        });
}

void Service::answerStatus(CommandServer::Reply reply) {
    waitingForReport_.push_back(std::move(reply));
    for (const WorkerRole role : kWorkerRoles)
        if (keeperOf(role).isReady()) {
            keeperOf(role).tell({{"type", "report"}, {"requests", true}});
            reportsDue_.insert(role);
        }
    ring_.callAfter(reportsDue_.empty() ? Duration::zero() : Duration(kReportPatience),
                    [this] { flushStatus(); });
}

void Service::reported(WorkerRole role) {
    reportsDue_.erase(role);
    if (reportsDue_.empty())
        flushStatus();
}

Json Service::workersStatus() const {
    Json workers = Json::object();
    const auto add = [&](WorkerRole role, const WorkerKeeper& keeper) {
        if (keeper.pid() != 0 || keeper.deaths() > 0)
            workers[nameOf(role)] = {{"pid", keeper.pid()}, {"deaths", keeper.deaths()}};
    };
    add(WorkerRole::Initiator, initiator_);
    add(WorkerRole::Target, target_);
    return workers;
}

void Service::flushStatus() {
    reportsDue_.clear();
    if (waitingForReport_.empty())
        return;
    Json status = {{"ok", true},
                   {"devices", devices_.status()},
                   {"offered", stores_.status()},
                   {"workers", workersStatus()}};
    addStatus(status);
    for (const auto& reply : std::exchange(waitingForReport_, {}))
        reply(status);
}

}  // namespace belay::helper
