#include "tests/vm/scenario/rig.h"

#include "tests/vm/scenario/bus_host.h"
#include "tests/vm/scenario/machine.h"
#include "tests/vm/scenario/private_bus.h"

#include <signal.h>

#include <QDir>
#include <QFile>
#include <QFileInfo>

namespace scenario {
namespace {

const QString kRun = QStringLiteral("/run/belay-scenario/");

std::unique_ptr<Daemon> makeHost(int number, const QString& log) {
    if (onPrivateBus())
        return std::make_unique<BusHost>(QString("G%1").arg(number), log);
    return std::make_unique<Daemon>("host", BELAY_HOSTD, kRun + QString("host%1").arg(number), log);
}

}  // namespace

Rig::Rig(Direction direction, QString folder, int number)
    : direction_(direction),
      folder_(std::move(folder)),
      number_(number),
      cable_(number, QString("belay%1").arg(number)),
      gadget_("gadget", BELAY_GADGET, kRun + QString("gadget%1").arg(number), log("gadget")),
      host_(makeHost(number, log("host"))) {
    clock_.start();
    trace_.start(cable_.bus());
}

Rig::~Rig() {
    if (cable_.isPulled())
        cable_.plugIn();
    // As long as the target is there, the initiator can end in order.
    initiator().forceEnd();
    target().forceEnd();
}

QString Rig::log(const QString& name) const {
    return QString("%1/%2%3.log").arg(folder_, name).arg(number_);
}

void Rig::note(const QString& step) {
    QFile file(log("steps"));
    if (file.open(QIODevice::Append))
        file.write(QString("%1 s  %2\n")
                       .arg(double(clock_.elapsed()) / 1000, 7, 'f', 3)
                       .arg(step)
                       .toUtf8());
}

Disk& Rig::offer(const QString& label, int mib, const QString& folder) {
    const QString store = (folder.isEmpty() ? storeFolder() : folder) + '/' + label;
    return disks_.try_emplace(label, label, store, mib).first->second;
}

Disk& Rig::offerBack(const QString& label, const QString& store, int mib) {
    return back_.try_emplace(label, label, store, mib).first->second;
}

QStringList Rig::backOptions(const char* option) const {
    QStringList options;
    for (const auto& [label, disk] : back_)
        options += {option, disk.store(), "--label", label};
    return options;
}

Daemon& Rig::initiatorOf(const Disk& disk) {
    return back_.contains(disk.label()) ? target() : initiator();
}

QString Rig::storeFolder() const {
    return QString("%1stores%2").arg(kRun).arg(number_);
}

Disk& Rig::disk(const QString& label) {
    const auto found = disks_.find(label);
    require(found != disks_.end(), "no disk is called " + label);
    return found->second;
}

std::vector<Disk*> Rig::disks() {
    std::vector<Disk*> all;
    for (auto& [label, disk] : disks_)
        all.push_back(&disk);
    return all;
}

void Rig::startGadget() {
    note("start the gadget");
    QStringList options = {"--name",   QString("belay%1").arg(number_),
                           "--serial", QString("G%1").arg(number_),
                           "--udc",    QString("dummy_udc.%1").arg(number_)};
    if (direction_ == Direction::Lend)
        options += QStringList("--lend-ready") + initiatorOptions_;
    else
        for (const auto& [label, disk] : disks_)
            options += {"--share", disk.store(), "--label", label};
    if (bothWays_ && direction_ == Direction::Attach)
        options += "--lend-ready";
    else if (bothWays_)
        options += backOptions("--share");
    gadget_.start(options);
}

void Rig::startHost() {
    note("start the host");
    QStringList options = {"--gadget", QString("G%1").arg(number_)};
    if (direction_ == Direction::Attach && onPrivateBus())
        for (const auto& [label, disk] : disks_)
            options += {"--attach", label};
    else if (direction_ == Direction::Attach)
        options += QStringList{"--attach", "all"} + initiatorOptions_;
    else
        for (const auto& [label, disk] : disks_)
            options += {"--lend", disk.store(), "--label", label};
    if (bothWays_ && direction_ == Direction::Lend)
        options += {"--attach", "all"};
    else if (bothWays_)
        options += backOptions("--lend");
    host_->start(options);
}

void Rig::start() {
    startGadget();
    startHost();
    waitForAllLive();
}

void Rig::end() {
    note("end both");
    for (Daemon* daemon : {&initiator(), &target()})
        if (daemon->running() && bothWays_)
            daemon->end();
        else if (daemon->running())
            daemon->endWhenReady();
    host_->awaitPeerGone();
    for (const Daemon* daemon : {&gadget_, host_.get()})
        require(!QFile::exists(daemon->runDir() + "/devices.json"),
                daemon->name() + " has left a state file behind");
}

std::optional<nlohmann::json> Rig::deviceOf(const Disk& disk) {
    return initiatorOf(disk).device(disk.label());
}

qint64 Rig::unsavedBytes(const Disk& disk) {
    const auto device = deviceOf(disk);
    return device && device->contains("counters")
               ? device->at("counters").at("unsavedBytes").get<qint64>()
               : -1;
}

QString Rig::stateOf(const Disk& disk) {
    const auto device = deviceOf(disk);
    return device ? QString::fromStdString(device->at("state")) : QString();
}

void Rig::waitForState(Disk& disk, const QString& state, Milliseconds limit) {
    std::optional<nlohmann::json> device;
    const auto reached = [&] {
        device = deviceOf(disk);
        return device && device->at("state") == state.toStdString();
    };
    const auto otherwise = [&] {
        return QString("%1 is not %2 after %3 ms, but %4")
            .arg(disk.label(), state)
            .arg(limit.count())
            .arg(device ? QString::fromStdString(device->dump()) : "nowhere");
    };
    await(reached, otherwise, limit, 20ms);
    disk.appearedAs(QString::fromStdString(device->at("node")));
    note(disk.label() + " is " + state);
}

void Rig::waitForAllLive(Milliseconds limit) {
    for (auto& [label, disk] : disks_)
        waitForState(disk, "live", limit);
}

void Rig::pullCable(Cable::Method method) {
    note("pull the cable");
    cable_.pull(method);
}

void Rig::plugIn() {
    note("plug it in");
    cable_.plugIn();
}

void Rig::wait(Milliseconds span) {
    note(QString("wait %1 ms").arg(span.count()));
    scenario::wait(span);
}

const char* Rig::nameOf(Victim victim) {
    switch (victim) {
        case Victim::HostWorker:
            return "host's worker";
        case Victim::HostSupervisor:
            return "host's supervisor";
        case Victim::GadgetWorker:
            return "gadget's worker";
        case Victim::GadgetSupervisor:
            break;
    }
    return "gadget's supervisor";
}

std::optional<qint64> Rig::outage(Victim victim, Disk& disk, const Program& load) {
    const bool onHost = victim == Victim::HostWorker || victim == Victim::HostSupervisor;
    const bool whole = victim == Victim::HostSupervisor || victim == Victim::GadgetSupervisor;
    Daemon& daemon = onHost ? *host_ : gadget_;
    const bool goesOnWithout = whole && !daemon.workerDiesWithSupervisor();
    const pid_t process = goesOnWithout ? daemon.supervisor() : daemon.worker();
    note(QString("kill the %1").arg(nameOf(victim)));
    QElapsedTimer clock;
    clock.start();
    if (whole)
        daemon.killOnlySupervisor();
    else
        ::kill(process, SIGKILL);
    require(waitUntil([=] { return isDead(process); }, kPatience, 1ms),
            QString("the %1 does not die").arg(nameOf(victim)));
    const qint64 before = disk.completed();
    if (whole && !goesOnWithout)
        daemon.startAgain();
    // Until the process table is asked again, a program that has ended looks alive.
    const auto goesOn = [&] { return disk.completed() > before || !load.running(); };
    require(waitUntil(goesOn, 60s, 1ms),
            QString("no request was finished within 60 s after the kill of the %1")
                .arg(nameOf(victim)));
    const qint64 ms = clock.elapsed();
    if (goesOnWithout)
        daemon.startAgain();
    if (disk.completed() == before)
        return std::nullopt;
    note(QString("the next request was finished after %1 ms").arg(ms));
    return ms;
}

Outcome Rig::stop(const Disk& disk, bool force) {
    const QStringList options = force ? QStringList{"--force"} : QStringList();
    const auto stop = [&](Daemon& daemon, const QString& what) {
        note(daemon.name() + ": stop " + what + ' ' + options.join(' '));
        const Outcome outcome = daemon.command(QStringList{"stop", what} + options);
        note(QString("%1 (%2 ms)").arg(outcome.output).arg(outcome.ms));
        return outcome;
    };
    if (!onPrivateBus())
        return stop(initiatorOf(disk), disk.name());
    if (direction_ == Direction::Attach)
        return stop(*host_, disk.label());
    // Whoever uses it on the gadget is asked first; by force, first goes what they wait for.
    // Nothing is asked of a belayd that does not run: it would start, and lend the file again.
    Outcome taken;
    if (force && host_->running())
        taken = stop(*host_, disk.label());
    const Outcome stopped = stop(gadget_, disk.name());
    if (taken.status != 0 || stopped.status != 0 || force)
        return taken.status != 0 || taken.ms > stopped.ms ? taken : stopped;
    return stop(*host_, disk.label());
}

std::unique_ptr<Program> Rig::startFio(const Disk& disk, const FioJob& job) {
    const bool range = job.blocks.contains('-');
    return startProgram({"fio", "--name=verify", "--filename=" + disk.node(), "--direct=1",
                         "--ioengine=libaio", "--rw=" + job.pattern,
                         (range ? "--bsrange=" : "--bs=") + job.blocks,
                         QString("--iodepth=%1").arg(job.depth), QString("--size=%1M").arg(job.mib),
                         QString("--loops=%1").arg(job.loops), "--verify=crc32c", "--do_verify=1",
                         "--verify_fatal=1", "--randrepeat=0",
                         QString("--thinktime=%1").arg(job.pauseUs), "--thinktime_blocks=16"});
}

std::unique_ptr<Program> Rig::startProgram(const QStringList& command) {
    const QString name =
        QString("%1-%2").arg(++programs_).arg(QFileInfo(command.first()).fileName());
    note("run " + command.join(' '));
    auto program = std::make_unique<Program>(name, log(name));
    program->start(command.first(), command.mid(1));
    return program;
}

void Rig::compare() {
    for (const auto& [label, disk] : disks_) {
        note("compare " + label);
        disk.compare();
    }
}

void Rig::keepEvidence(const QString& failure) {
    note("FAILED: " + failure);
    for (Daemon* daemon : {&gadget_, host_.get()}) {
        const auto status = daemon->running() ? daemon->status() : std::nullopt;
        note(QString("%1: %2").arg(daemon->name(),
                                   status ? QString::fromStdString(status->dump(1)) : "silent"));
    }
    note("stuck: " + stuckProcesses().join(", "));
    trace_.keep(log("usbmon"));
    QFile file(log("kernel"));
    if (file.open(QIODevice::WriteOnly))
        file.write(kernelLog());
}

}  // namespace scenario
