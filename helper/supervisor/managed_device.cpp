#include "helper/supervisor/managed_device.h"

#include "core/base/log.h"
#include "core/base/shared_memory.h"
#include "core/session/write_log.h"
#include "helper/protocol/export_json.h"
#include "helper/supervisor/kernel_device.h"
#include "helper/supervisor/words.h"

#include <fmt/format.h>

#include <utility>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
using lifecycle::Action;
using lifecycle::Event;
using lifecycle::Problem;
using lifecycle::State;

constexpr auto kTunePatience = 10s;
constexpr auto kSyncPatience = 3s;
constexpr auto kStopUnusedPatience = 3s;
// Who opens the disk only to look at it, as udev does, has closed it by then.
constexpr auto kLookPatience = 2s;
constexpr auto kLookPeriod = 100ms;
// Linux before 6.16 may need its 30 s request timeout to see that a server is dead.
constexpr auto kQuiescePatience = 45s;
constexpr auto kQuiescePoll = 5ms;
constexpr auto kServeRetry = 1s;
// How long a worker may take to end a start that is not wanted any more.
constexpr auto kStartEndPatience = 2s;

}  // namespace

Error cannotMake(const wire::ExportInfo& info, int code, const std::string& hint) {
    return errorFrom(code, "make a device of", info.label, hint).value();
}

ManagedDevice::ManagedDevice(Ring& ring, DeviceOwner& owner, DeviceRecord record)
    : ring_(ring),
      owner_(owner),
      record_(std::move(record)),
      machine_(record_.policy, Clock::now()) {
    rearm();
}

void ManagedDevice::start() {
    serve();
}

void ManagedDevice::giveUp(Error why) {
    notStarted_ = std::move(why);
    happened(Event::StartFailed, notStarted_->message());
}

void ManagedDevice::whenStarted(Done done) {
    starting_.push_back(std::move(done));
}

ManagedDevice::ManagedDevice(Ring& ring, DeviceOwner& owner, DeviceRecord record,
                             const lifecycle::Device& machine)
    : ring_(ring),
      owner_(owner),
      record_(std::move(record)),
      machine_(machine),
      explanation_(record_.explanation),
      started_(true),
      served_(machine.snapshot().served),
      wasLive_(true),
      found_(served_) {
    if (machine_.state() == State::Failed)
        failing_ = true;
    rearm();
}

ManagedDevice::~ManagedDevice() {
    for (const auto& timer : {clock_, attempt_, startEnds_, lookAgain_})
        if (timer)
            ring_.cancel(*timer);
}

// -- events in

void ManagedDevice::happened(Event event, const std::string& why) {
    const lifecycle::Step step = machine_.handle(event, Clock::now());
    if (step.impossible)
        log::error("{}: {} while {}: {}", ublk::diskName(id()), nameOf(step.event),
                   nameOf(step.from), step.reason);
    if (!step.reason.empty())
        return;
    if (!why.empty())
        explanation_ = why;
    carryOut(step);
    rearm();
}

// The clock's events come in turns of their own, never from within another event.
void ManagedDevice::rearm() {
    if (clock_)
        ring_.cancel(*std::exchange(clock_, std::nullopt));
    const TimePoint due = machine_.deadline();
    if (due == TimePoint::max())
        return;
    clock_ = ring_.callAt(due, [this] {
        clock_.reset();
        if (const auto step = machine_.poll(Clock::now()))
            carryOut(*step);
        rearm();
    });
}

void ManagedDevice::workerReady(bool servesUs) {
    if (served_ && !servesUs) {
        // It was served by a worker that an earlier life of ours left, and that is no more.
        workerDied();
        return;
    }
    // What an earlier life of ours told it last may not be what that had saved.
    if (servesUs)
        tell(failing_ || machine_.state() == State::Stopping ? "fail" : "resume");
    if (wantsServer_)
        serveSoon(Duration::zero());
}

void ManagedDevice::workerDied() {
    verdict_.reset();
    compared_ = false;
    takingOver_ = false;
    served_ = false;
    // The one that was killed to make room for the next, which is still to come.
    if (std::exchange(deathExpected_, false))
        return;
    wantsServer_ = false;
    happened(Event::DaemonDied);
}

void ManagedDevice::sessionEnded(const std::string& reason) {
    verdict_.reset();
    compared_ = false;
    if (served_ && !takingOver_)
        happened(Event::LinkLost, reason);
}

void ManagedDevice::handle(const std::string& type, const Json& message, std::vector<Fd>& fds) {
    if (type == "serving") {
        serving();
    } else if (type == "serve-failed") {
        serveFailed(message);
    } else if (type == "offered") {
        offered(message);
    } else if (type == "known") {
        record_.info = exportFromJson(message.at("export"));
        owner_.deviceChanged(*this);
    } else if (type == "write-log") {
        takeWriteLog(fds);
    } else if (type == "missing") {
        verdict_ = {Event::LinkLost, message.at("offered").get<bool>()
                                         ? "its store has not answered earlier requests yet"
                                         : "the other side does not offer it now"};
        applyVerdict();
    } else if (type == "caught-up") {
        if (machine_.state() == State::Resuming)
            happened(Event::CaughtUp);
    } else if (type == "stopped") {
        served_ = false;
    }
}

// -- actions out

void ManagedDevice::carryOut(const lifecycle::Step& step) {
    const lifecycle::Actions actions = step.actions;
    const bool starts = actions.has(Action::StartDaemon);
    if (step.from == State::Starting && step.to == State::Stopping)
        noteFailedStart(step.event);
    if (actions.has(Action::AcceptLoss)) {
        lossAccepted_ = true;
        tell("accept-loss");
    }
    if (actions.has(Action::KillDaemon) && (served_ || wantsServer_)) {
        deathExpected_ = starts;
        owner_.killWorker();
    }
    if (actions.has(Action::FailIo))
        failIo(step);
    if (actions.has(Action::ResumeIo)) {
        failing_ = false;
        tell("resume");
    }
    if (starts)
        serveSoon(Duration::zero());
    // All other sessions the worker opens by itself; and one that is open needs no reset when all
    // that was missing is the user's word.
    if (actions.has(Action::OpenSession) && step.event == Event::UserRecover && !verdict_ &&
        !(lossAccepted_ && owner_.sessionOpen()))
        owner_.tellWorker({{"type", "recover"}}, {});
    if (actions.has(Action::StopDevice)) {
        // Saved before it is done: the next of us must go on with it, and not take a device whose
        // requests fail already for a live one.
        owner_.deviceChanged(*this);
        beginRemoval();
    }
    announceStep(step);
    wasLive_ = wasLive_ || step.to == State::Live;
    owner_.deviceChanged(*this);
    if (step.to == State::Live)
        finishStarting({});
}

void ManagedDevice::noteFailedStart(Event event) {
    if (notStarted_)
        return;
    switch (event) {
        case Event::UserStop:
        case Event::UserForceStop:
            notStarted_ = cannotMake(record_.info, ECANCELED, "It was stopped");
            break;
        case Event::StartFailed:
            notStarted_ = cannotMake(record_.info, ETIMEDOUT, "The other side does not answer");
            break;
        case Event::DaemonDied:
            notStarted_ = cannotMake(record_.info, ENOTCONN, "Its service ended. Try again");
            break;
        default:
            notStarted_ = cannotMake(record_.info, ENOTCONN, kWentAway);
    }
}

void ManagedDevice::finishStarting(const Result<void>& result) {
    for (const Done& done : std::exchange(starting_, {}))
        done(result);
}

void ManagedDevice::tell(const char* type) {
    if (served_)
        owner_.tellWorker({{"type", type}, {"device", id().value}}, {});
}

void ManagedDevice::failIo(const lifecycle::Step& step) {
    failing_ = true;
    tell("fail");
    // What the kernel holds for a dead server takes a server to fail it, unless the device goes
    // away now: then the kernel does.
    const bool goes = step.actions.has(Action::StopDevice);
    if (!served_ && !goes && !step.actions.has(Action::StartDaemon))
        serveSoon(Duration::zero());
}

void ManagedDevice::tryAgainIn(Duration delay) {
    if (attempt_)
        ring_.cancel(*attempt_);
    attempt_ = ring_.callAfter(delay, [this] {
        attempt_.reset();
        takeOver();
    });
}

void ManagedDevice::serveSoon(Duration delay) {
    if (!std::exchange(wantsServer_, true))
        wantedSince_ = Clock::now();
    owner_.startWorker();
    tryAgainIn(delay);
}

// A server may take over only when the kernel has seen that the last one is dead.
void ManagedDevice::takeOver() {
    if (!wantsServer_ || !owner_.workerReady() || deathExpected_)
        return;
    const auto info = infoOf(id());
    if (info && info->state == ublk::DeviceState::Quiesced) {
        wantsServer_ = false;
        serve();
    } else if (!info || info->state == ublk::DeviceState::Dead) {
        wantsServer_ = false;
        happened(Event::KernelRefused, info ? "the kernel has stopped it" : info.error().message());
    } else if (Clock::now() - wantedSince_ > kQuiescePatience) {
        wantsServer_ = false;
        happened(Event::KernelRefused, "the kernel does not see that its server is dead");
    } else {
        tryAgainIn(kQuiescePoll);
    }
}

void ManagedDevice::serve() {
    served_ = true;
    takingOver_ = started_;
    if (!writeLog_ && !record_.info.readOnly)
        makeWriteLog();
    owner_.tellWorker({{"type", "serve"},
                       {"device", id().value},
                       {"export", toJson(record_.info)},
                       {"recover", started_},
                       {"maxIo", record_.maxIo},
                       {"depth", record_.depth},
                       // What the dead server had acknowledged and not flushed, only its write log
                       // knows.
                       {"unsaved", started_ && !lossAccepted_}},
                      writeLog_ ? std::vector{writeLog_.get()} : std::vector<int>());
    if (failing_)
        tell("fail");
}

void ManagedDevice::makeWriteLog() {
    if (owner_.writeLogBytes() == 0)
        return;
    auto memory = SharedMemory::create("belay-write-log", owner_.writeLogBytes());
    if (memory)
        writeLog_ = std::move(*memory);
    else
        log::warning("{}: {}", ublk::diskName(id()), memory.error().message());
}

// From a worker that outlived our earlier life. What is in it is for the next worker to judge.
void ManagedDevice::takeWriteLog(std::vector<Fd>& fds) {
    if (writeLog_ || fds.size() != 1)
        return;
    if (const auto checked = SharedMemory::check(fds.front(), session::WriteLog::kLeastBytes,
                                                 session::WriteLog::kMostBytes))
        writeLog_ = std::move(fds.front());
    else
        log::warning("{}: its write log: {}", ublk::diskName(id()), checked.error().message());
}

void ManagedDevice::serving() {
    if (!std::exchange(started_, true)) {
        if (machine_.state() == State::Stopping) {
            beginRemoval();  // it had to wait for this
        } else if (compared_) {
            tune();
            happened(Event::Started);
        } else {
            happened(Event::LinkLost, "the other side is not there yet");
        }
        return;
    }
    if (std::exchange(takingOver_, false)) {
        ++record_.recoveries;
        happened(Event::DaemonServing);
    } else {
        return;  // a worker that outlived us says what it does
    }
    if (!owner_.sessionOpen())
        happened(Event::LinkLost, "the other side is not there yet");
    applyVerdict();
}

void ManagedDevice::serveFailed(const Json& message) {
    const Error error = errorFromJson(message.at("error"));
    served_ = takingOver_ = false;
    if (machine_.state() == State::Stopping) {
        if (!started_)
            beginRemoval();  // it had to wait for this
        return;
    }
    log::warning("{}: {}", ublk::diskName(id()), error.message());
    if (!started_) {
        giveUp(error);
    } else if (message.at("lost").get<bool>()) {
        happened(Event::KernelRefused, error.message());
    } else {
        serveSoon(kServeRetry);
    }
}

void ManagedDevice::offered(const Json& message) {
    const auto verdict = message.at("verdict").get<std::string>();
    compared_ = verdict == "same";
    if (compared_) {
        lossAccepted_ = false;
        record_.info = exportFromJson(message.at("export"));
        verdict_ = {Event::SessionOpen, {}};
    } else if (verdict == "different-disk") {
        const wire::ExportInfo found = exportFromJson(message.at("export"));
        const bool changed =
            found.uuid == record_.info.uuid && found.generation != record_.info.generation;
        verdict_ = {Event::WrongDisk, std::string(changed ? "the disk was changed while it was away"
                                                          : "another disk has taken its place") +
                                          "; nothing was sent to it"};
    } else if (verdict == "data-may-be-missing") {
        verdict_ = {Event::DataMissing, "the other side lost bytes that were not saved yet"};
    } else {
        verdict_ = {Event::Incompatible, "the other side cannot take its requests"};
    }
    applyVerdict();
}

// A new server is told what the session offers before it serves.
void ManagedDevice::applyVerdict() {
    if (!verdict_ || !served_ || takingOver_)
        return;
    // Programs got errors already: the user says when to go on.
    if (machine_.state() == State::Failed && verdict_->first == Event::SessionOpen)
        return;
    const auto [event, why] = *std::exchange(verdict_, std::nullopt);
    // The session that was open all the time while we were away.
    if (std::exchange(found_, false) && event == Event::SessionOpen &&
        machine_.state() == State::Live)
        return;
    if (event == Event::SessionOpen)
        explanation_.clear();
    happened(event, why);
}

// -- the user

Result<void> ManagedDevice::recover(bool acceptLoss) {
    if (machine_.problems().has(Problem::DataMayBeMissing)) {
        if (!acceptLoss)
            return errorFrom(EPERM, "recover", ublk::diskName(id()),
                             "Bytes were lost: add --accept-loss to go on without them");
        happened(Event::UserAcceptLoss);
    }
    happened(Event::UserRecover);
    if (verdict_) {
        // The session came back while requests failed: there is nothing to catch up with.
        applyVerdict();
        if (machine_.state() == State::Resuming)
            happened(Event::CaughtUp);
    }
    return {};
}

void ManagedDevice::setPolicy(lifecycle::Policy policy) {
    record_.policy = policy;
    machine_.setPolicy(policy);
    owner_.deviceChanged(*this);
    rearm();
}

void ManagedDevice::setShutdown(bool on) {
    machine_.setShutdown(on ? std::optional(Clock::now()) : std::nullopt);
    rearm();
}

void ManagedDevice::setSleep(bool on) {
    machine_.setSleep(on ? std::optional(Clock::now()) : std::nullopt);
    rearm();
}

void ManagedDevice::stop(bool force, Done done) {
    // As long as it starts, it is nobody's to use.
    if (!force && machine_.state() != State::Stopping && machine_.state() != State::Starting)
        if (auto unused = needUnused(id()); !unused) {
            done(unused);
            return;
        }
    if (!force && machine_.problems().has(Problem::DaemonKeepsDying)) {
        done(errorFrom(ETIMEDOUT, "save what is on", ublk::diskName(id()),
                       "No service can be started for it: choose Recover, or use --force, which "
                       "loses what is not saved"));
        return;
    }
    waiting_.push_back(std::move(done));
    if (force)
        happened(Event::UserForceStop);
    // A disk that the kernel has taken away has nothing left to save.
    else if (!started_ || machine_.state() == State::Stopping || !ublk::hasDisk(id()))
        happened(Event::UserStop);
    else
        saveThenStop();
}

// Nobody has the device open, so its page cache is clean; what the target has acknowledged and not
// yet made durable is all there is to save.
void ManagedDevice::saveThenStop() {
    if (sync_ || lookAgain_)
        return;
    sync_ = std::make_unique<ControlTask>(
        ring_, ublk::ControlRequest{.operation = ublk::ControlRequest::Operation::Sync, .id = id()},
        kSyncPatience, [this](const Result<ublk::ControlAnswer>& answer) {
            ring_.destroyLater(std::move(sync_));
            if (machine_.state() == State::Stopping)
                return;  // by force
            saved_ = Clock::now();
            // It may be taken away meanwhile, too.
            if (answer || answer.error().code == ENOENT || answer.error().code == ENXIO)
                stopUnused();
            else
                notSaved(answer.error().code);
        });
}

void ManagedDevice::notSaved(int code) {
    constexpr std::string_view kForce = "use --force, which loses what is not saved";
    const bool connected = machine_.state() == State::Live || machine_.state() == State::Resuming;
    std::string hint;
    if (code != ETIMEDOUT)
        hint = fmt::format("The other side could not save it. See its messages, or {}", kForce);
    else if (connected)
        hint = fmt::format(
            "The other side is connected and has not finished saving within {} s. Try again when "
            "its disk is less busy, or {}",
            kSyncPatience / 1s, kForce);
    else
        hint = fmt::format("Plug the cable in and try again, or {}", kForce);
    finishWaiting(errorFrom(code, "save what is on", ublk::diskName(id()), hint));
}

// Somebody may have opened it since it was looked at. Where the kernel can, it decides, without a
// gap between look and stop.
void ManagedDevice::stopUnused() {
    if (auto unused = needUnused(id()); !unused) {
        finishWaiting(unused);
        return;
    }
    sync_ = std::make_unique<ControlTask>(
        ring_,
        ublk::ControlRequest{.operation = ublk::ControlRequest::Operation::StopUnused, .id = id()},
        kStopUnusedPatience, [this](const Result<ublk::ControlAnswer>& answer) {
            ring_.destroyLater(std::move(sync_));
            if (machine_.state() == State::Stopping)
                return;  // by force
            if (!answer && answer.error().code == EBUSY)
                stillUsed();
            else
                happened(Event::UserStop);
        });
}

// By somebody who could not be named just before.
void ManagedDevice::stillUsed() {
    if (Clock::now() - saved_ > kLookPatience) {
        // One that reads the partition table may hang as the other side does.
        if (ublk::isOpenInOwnProcess(id())) {
            happened(Event::UserStop);
            return;
        }
        finishWaiting(errorFrom(EBUSY, "stop", ublk::diskName(id()),
                                "It is in use by the kernel or another container. Close it there, "
                                "or use --force, which loses what is not saved"));
        return;
    }
    lookAgain_ = ring_.callAfter(kLookPeriod, [this] {
        lookAgain_.reset();
        if (machine_.state() != State::Stopping)
            stopUnused();
    });
}

// -- the end

void ManagedDevice::beginRemoval() {
    if (removal_)
        return;
    tell("fail");
    // STOP_DEV takes the tags back, and START_DEV after that makes a disk that nobody serves (Linux
    // 6.12): first the worker's start has to end, or the worker.
    if (served_ && !started_) {
        if (!startEnds_)
            startEnds_ = ring_.callAfter(kStartEndPatience, [this] {
                startEnds_.reset();
                if (served_ && !started_)
                    owner_.killWorker();
            });
        return;
    }
    removal_ = std::make_unique<Removal>(
        ring_, id(),
        [this] {
            if (served_)
                owner_.killWorker();
        },
        [this](const Result<void>& result) { removed(result); });
}

void ManagedDevice::removed(const Result<void>& result) {
    if (result) {
        happened(Event::Stopped);
        owner_.deviceGone(*this);
    } else {
        ring_.destroyLater(std::move(removal_));
        happened(Event::StopFailed, result.error().message());
    }
    if (notStarted_)
        finishStarting(tl::make_unexpected(*notStarted_));
    finishWaiting(result);
}

void ManagedDevice::finishWaiting(const Result<void>& result) {
    for (const Done& done : std::exchange(waiting_, {}))
        done(result);
}

// -- words

DeviceRecord ManagedDevice::record() const {
    DeviceRecord record = record_;
    record.lifecycle = machine_.snapshot();
    record.explanation = explanation_;
    return record;
}

void ManagedDevice::announceStep(const lifecycle::Step& step) {
    const std::string name = ublk::diskName(id());
    const bool entered = step.from != step.to;
    switch (step.to) {
        case State::Live:
            if (step.from == State::Starting)
                owner_.announce(fmt::format("{} ready: {}, {}", name, record_.info.label,
                                            sizeText(record_.info.sizeBytes)));
            else if (entered)
                owner_.announce(fmt::format("{} ready again", name));
            break;
        case State::Waiting:
            if (entered)
                owner_.announce(fmt::format("{} waiting: {}", name, explanation_));
            break;
        case State::Crashed:
            if (entered)
                owner_.announce(
                    fmt::format("{} waiting: its server died, another one takes over", name));
            break;
        case State::Failed:
            if (entered)
                owner_.announce(fmt::format(
                    "{} stopped waiting: its requests fail now. Use \"recover\" to go on", name));
            break;
        case State::NeedsAttention:
            if (entered || step.actions.has(Action::Notify))
                owner_.announce(fmt::format("{} needs attention: {}", name, explanation_));
            break;
        case State::Stopping:
            if (step.from == State::Starting && notStarted_->code != ECANCELED)
                owner_.announce(notStarted_->message());
            break;
        case State::Gone:
            if (wasLive_)
                owner_.announce(fmt::format("{} gone", name));
            break;
        case State::Starting:
        case State::Resuming:
        case State::Recovering:
            break;
    }
}

// What the block layer is told beyond what the device was made with. It cannot be waited for: it
// may wait for requests.
void ManagedDevice::tune() {
    tune_ = std::make_unique<ControlTask>(
        ring_, ublk::ControlRequest{.operation = ublk::ControlRequest::Operation::Tune, .id = id()},
        kTunePatience, [device = id()](const Result<ublk::ControlAnswer>& answer) {
            if (!answer)
                log::warning("{}: {}", ublk::diskName(device), answer.error().message());
        });
}

}  // namespace belay::helper
