#include "tests/vm/chaos/plant.h"

#include "tests/vm/scenario/machine.h"

#include <signal.h>

#include <QFile>
#include <utility>

namespace chaos {
namespace {

using namespace scenario;

constexpr int kMib = 8;
constexpr int kStatusGone = 3;
// A daemon that has died five times within a minute takes half a minute of rest, and an emulated
// machine has more than one of them to start.
constexpr Milliseconds kSettlePatience = 120s;

QString text(const nlohmann::json& json, const char* key) {
    return QString::fromStdString(json.at(key).get<std::string>());
}

bool hasProblem(const nlohmann::json& device, const char* problem) {
    const auto& problems = device.at("problems");
    return std::ranges::find(problems, problem) != problems.end();
}

}  // namespace

Plant::Plant(Rig& rig, Dice& dice) : rig_(rig), machine_(rig), dice_(dice) {}

Plant::~Plant() {
    for (const pid_t process : stopped_)
        ::kill(process, SIGCONT);
    if (isFrozen_)
        run({"fsfreeze", "--unfreeze", rig_.storeFolder()});
}

void Plant::must(const QStringList& command) {
    rig_.note(command.join(' '));
    mustRun(command);
}

void Plant::start(const QStringList& labels) {
    for (const QString& label : labels) {
        Disk& disk = rig_.offer(label, kMib);
        const QString file = "/run/belay-scenario/" + label + ".model";
        must({CHAOS_VERIFIER, "make", file, disk.store(), QString::number(dice_.seed()),
              QString::number(kMib)});
        slots_.push_back({&disk, file, Model::open(file.toStdString()), nullptr});
    }
    machine_.sync();
    rig_.startGadget();
    rig_.startHost();
    rig_.waitForAllLive(kSettlePatience);
    for (Slot& slot : slots_)
        startVerifier(slot);
}

void Plant::startVerifier(Slot& slot) {
    slot.verifier = rig_.startProgram(
        {CHAOS_VERIFIER, "run", slot.file, slot.disk->node(), QString::number(dice_.seed())});
}

void Plant::endVerifier(Slot& slot) {
    if (!slot.verifier)
        return;
    if (slot.verifier->running())
        slot.verifier->signal(SIGTERM);
    const int status = slot.verifier->finish(60s);
    require(status == 0 || (status == kStatusGone && slot.isStopped),
            slot.disk->label() + ": " + slot.verifier->output());
    slot.verifier.reset();
}

void Plant::look() {
    for (Slot& slot : slots_)
        if (slot.verifier && !slot.verifier->running())
            endVerifier(slot);
    require(crash().isEmpty(), "a program crashed: " + crash());
}

std::pair<std::uint64_t, std::uint64_t> Plant::requests() const {
    std::pair<std::uint64_t, std::uint64_t> sum;
    for (const Slot& slot : slots_) {
        sum.first += slot.model.succeeded();
        sum.second += slot.model.failed();
    }
    return sum;
}

Daemon& Plant::anyDaemon() {
    return dice_.below(2) == 0 ? rig_.initiator() : rig_.target();
}

Plant::Slot& Plant::anySlot() {
    return slots_[dice_.below(static_cast<std::uint32_t>(slots_.size()))];
}

bool Plant::answers(const Daemon& daemon) const {
    return daemon.running() && !silent_.contains(&daemon);
}

// -- what is in the way

bool Plant::pullOrPlug() {
    if (rig_.cable().isPulled())
        rig_.plugIn();
    else
        rig_.pullCable();
    return true;
}

// Each of these has one direction, and so one worker. 0: none just now.
pid_t Plant::workerOf(const Daemon& daemon) {
    const auto status = daemon.status();
    const auto workers =
        status ? status->value("workers", nlohmann::json::object()) : nlohmann::json::object();
    return workers.empty() ? 0 : workers.front().at("pid").get<pid_t>();
}

bool Plant::killWorker() {
    Daemon& daemon = anyDaemon();
    if (!answers(daemon))
        return false;
    const pid_t process = workerOf(daemon);
    if (process == 0)
        return false;
    rig_.note("kill the " + daemon.name() + "'s worker");
    ::kill(process, SIGKILL);
    stopped_.erase(process);
    return true;
}

bool Plant::killSupervisor() {
    Daemon& daemon = anyDaemon();
    if (!daemon.running())
        return false;
    rig_.note("kill the " + daemon.name() + "'s supervisor");
    stopped_.erase(daemon.supervisor());
    silent_.erase(&daemon);
    daemon.killOnlySupervisor();
    down_.insert(&daemon);
    initiatorLostLog_ = initiatorLostLog_ || &daemon == &rig_.initiator();
    return true;
}

void Plant::restartSupervisors() {
    if (std::exchange(isOff_, false))
        machine_.comeBack();
    for (Daemon* daemon : std::exchange(down_, {})) {
        rig_.note("start the " + daemon->name() + " again");
        daemon->startAgain();
    }
}

bool Plant::stopProcess() {
    Daemon& daemon = anyDaemon();
    const bool supervisor = dice_.below(2) == 0;
    if (!answers(daemon))
        return false;
    const pid_t process = supervisor ? daemon.supervisor() : workerOf(daemon);
    if (process == 0)
        return false;
    rig_.note(
        QString("SIGSTOP to the %1's %2").arg(daemon.name(), supervisor ? "supervisor" : "worker"));
    ::kill(process, SIGSTOP);
    stopped_.insert(process);
    if (supervisor)
        silent_.insert(&daemon);
    return true;
}

bool Plant::continueProcesses() {
    if (stopped_.empty())
        return false;
    rig_.note("SIGCONT");
    for (const pid_t process : std::exchange(stopped_, {}))
        ::kill(process, SIGCONT);
    silent_.clear();
    return true;
}

bool Plant::freezeOrThaw() {
    if (isOff_)
        return false;
    must({"fsfreeze", isFrozen_ ? "--unfreeze" : "--freeze", rig_.storeFolder()});
    isFrozen_ = !isFrozen_;
    return true;
}

bool Plant::fillOrFree() {
    if (isOff_ || isFrozen_)
        return false;
    if (isFull_) {
        rig_.note("free the disk under the stores");
        QFile::remove(filler());
    } else {
        for (Slot& slot : slots_)
            slot.model.allowErrors(true);
        rig_.note("fill the disk under the stores");
        run({"dd", "if=/dev/zero", "of=" + filler(), "bs=1M", "status=none"});
    }
    isFull_ = !isFull_;
    return true;
}

bool Plant::renameStore() {
    Slot& slot = anySlot();
    if (isOff_ || isFrozen_)
        return false;
    const bool back = QFile::exists(renamed(slot));
    rig_.note("rename the store of " + slot.disk->label() + (back ? " back" : ""));
    require(back ? QFile::rename(renamed(slot), slot.disk->store())
                 : QFile::rename(slot.disk->store(), renamed(slot)),
            "cannot rename " + slot.disk->store());
    return true;
}

bool Plant::losePower() {
    if (isOff_ || isFrozen_ || !rig_.target().running())
        return false;
    stopped_.erase(rig_.target().supervisor());
    silent_.erase(&rig_.target());
    continueProcesses();
    machine_.goDown();
    isOff_ = targetLostPower_ = true;
    return true;
}

// -- what a user does

bool Plant::setPolicy() {
    Slot& slot = anySlot();
    const QString policy = dice_.below(2) == 0 ? "fail-fast" : "2";
    if (!answers(rig_.initiator()) || slot.isStopped)
        return false;
    slot.model.allowErrors(true);
    slot.hasPolicy = true;
    rig_.note(slot.disk->label() + ": policy " + policy);
    rig_.initiator().command({"policy", slot.disk->node(), policy});
    return true;
}

bool Plant::stopInUse() {
    Slot& slot = anySlot();
    if (!answers(rig_.initiator()) || slot.isStopped || !slot.verifier)
        return false;
    rig_.note("stop " + slot.disk->label() + ", which is in use");
    const Outcome outcome = rig_.initiator().command({"stop", slot.disk->node()});
    require(outcome.status != 0, slot.disk->label() + " was in use and is stopped");
    return true;
}

bool Plant::forceStop() {
    Slot& slot = anySlot();
    if (!answers(rig_.initiator()) || slot.isStopped || !stopped_.empty())
        return false;
    slot.model.allowErrors(true);
    const Outcome outcome = rig_.stop(*slot.disk, true);
    require(outcome.status == 0, slot.disk->label() + " does not stop: " + outcome.output);
    slot.isStopped = true;
    endVerifier(slot);
    slot.model.allowLoss();
    return true;
}

bool Plant::squeezeMemory() {
    const QByteArray info = readFile("/proc/meminfo");
    const QByteArray line = info.mid(info.indexOf("MemAvailable:") + 13).simplified();
    const qint64 mib = line.left(line.indexOf(' ')).toLongLong() / 1024 * 7 / 10;
    const int ms = 500 + static_cast<int>(dice_.below(3000));
    squeezers_.push_back(
        rig_.startProgram({CHAOS_VERIFIER, "squeeze", QString::number(mib), QString::number(ms)}));
    return true;
}

// -- back to normal

void Plant::settle() {
    rig_.note("settle");
    if (isFrozen_)
        freezeOrThaw();
    continueProcesses();
    if (rig_.cable().isPulled())
        rig_.plugIn();
    for (Slot& slot : slots_)
        if (QFile::exists(renamed(slot)))
            require(QFile::rename(renamed(slot), slot.disk->store()), "cannot rename it back");
    QFile::remove(filler());
    isFull_ = false;
    restartSupervisors();
    for (auto& squeezer : std::exchange(squeezers_, {}))
        squeezer->finish(60s);
    for (Slot& slot : slots_) {
        if (slot.isStopped)
            attachAgain(slot);
        awaitLive(slot);
        if (std::exchange(slot.hasPolicy, false))
            rig_.initiator().command({"policy", slot.disk->node(), "wait"});
    }
    // Who was told of an error has looked by then whether it was allowed.
    rig_.wait(500ms);
    for (Slot& slot : slots_) {
        slot.model.allowErrors(false);
        if (!slot.verifier)
            startVerifier(slot);
    }
    for (Slot& slot : slots_)
        awaitFlush(slot);
    targetLostPower_ = initiatorLostLog_ = false;
}

void Plant::attachAgain(Slot& slot) {
    slot.disk->leftItsPlace();
    Outcome outcome;
    const auto attached = [&] {
        outcome = rig_.initiator().command({"attach", slot.disk->label()});
        return outcome.status == 0;
    };
    await(
        attached, [&] { return "attach: " + outcome.output; }, kSettlePatience, 500ms);
    slot.isStopped = false;
}

void Plant::awaitLive(Slot& slot) {
    std::optional<nlohmann::json> device;
    const auto live = [&] {
        look();
        device = rig_.deviceOf(*slot.disk);
        if (device)
            help(slot, *device);
        return device && text(*device, "state") == "live";
    };
    const auto otherwise = [&] {
        return slot.disk->label() + " is not live, but " +
               (device ? QString::fromStdString(device->dump()) : "nowhere");
    };
    await(live, otherwise, kSettlePatience, 50ms);
    slot.disk->appearedAs(text(*device, "node"));
    rig_.note(slot.disk->label() + " is live");
}

// As a user would whom the window asks to decide.
void Plant::help(Slot& slot, const nlohmann::json& device) {
    const QString state = text(device, "state");
    if (state != "failed" && state != "needs-attention")
        return;
    QStringList command = {"recover", slot.disk->node()};
    if (state == "failed") {
        require(slot.hasPolicy, slot.disk->label() + " was not to stop waiting");
    } else if (hasProblem(device, "data-may-be-missing")) {
        require(targetLostPower_ && initiatorLostLog_,
                slot.disk->label() + " has lost data though a copy of it was there: " +
                    QString::fromStdString(device.dump()));
        slot.model.allowLoss();
        command += "--accept-loss";
    } else {
        require(hasProblem(device, "daemon-keeps-dying"),
                slot.disk->label() + ": " + QString::fromStdString(device.dump()));
    }
    rig_.note(command.join(' '));
    rig_.initiator().command(command);
}

void Plant::awaitFlush(Slot& slot) {
    // The one that is under way may have begun earlier.
    const std::uint64_t goal = slot.model.flushes() + 2;
    const auto flushed = [&] {
        look();
        return slot.model.flushes() >= goal;
    };
    require(waitUntil(flushed, 60s, 20ms), slot.disk->label() + " is live and cannot be flushed");
}

void Plant::finish() {
    for (Slot& slot : slots_)
        endVerifier(slot);
    for (const Slot& slot : slots_) {
        rig_.note("check " + slot.disk->label());
        const Outcome outcome = run({CHAOS_VERIFIER, "check", slot.file, slot.disk->node()});
        require(outcome.status == 0, slot.disk->label() + ": " + outcome.output);
    }
    rig_.compare();
}

}  // namespace chaos
