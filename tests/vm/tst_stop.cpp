#include "tests/vm/scenario/scenario.h"

#include <signal.h>

#include <QDir>
#include <QTest>
#include <future>

using namespace scenario;

// Stop ends in every state, within 5 s, with the device gone and nobody stuck.
class TestStop : public QObject {
    Q_OBJECT

 private slots:
    void whenIdle_data() { inBothDirections(); }
    void whenIdle();
    void underLoad_data() { inBothDirections(); }
    void underLoad();
    void whenUnplugged_data() { inBothDirections(); }
    void whenUnplugged();
    void underLoadWhenUnplugged_data() { inBothDirections(); }
    void underLoadWhenUnplugged();
    void rightAfterKill_data() { inBothDirections(); }
    void rightAfterKill();
    void whenPeerIsDead_data() { inBothDirections(); }
    void whenPeerIsDead();
    void whenDeadPeerIsNoticed_data() { inBothDirections(); }
    void whenDeadPeerIsNoticed();
    void staysStopped_data() { inBothDirections(); }
    void staysStopped();
    void goesOnAfterARefusedEnd_data() { inBothDirections(); }
    void goesOnAfterARefusedEnd();
    void mounted_data() { inBothDirections(); }
    void mounted();
    void peerIsSlow_data() { inBothDirections(); }
    void peerIsSlow();
    void openedMeanwhile_data() { inBothDirections(); }
    void openedMeanwhile();
    void openThroughAnotherNode_data() { inBothDirections(); }
    void openThroughAnotherNode();
    void claimedByTheKernel_data() { inBothDirections(); }
    void claimedByTheKernel();
};

namespace {

constexpr Milliseconds kLimit = 5s;

// Stops the device; fails unless it and all that waited for it is free in time.
void stop(Rig& rig, Disk& disk, bool force = false) {
    const Outcome outcome = rig.stop(disk, force);
    require(outcome.status == 0, "stop failed: " + outcome.output);
    QElapsedTimer clock;
    clock.start();
    require(waitUntil([&] { return !disk.exists(); }, 10s), disk.name() + " stays");
    const qint64 ms = outcome.ms + clock.elapsed();
    qInfo("%s: gone after %lld ms", QTest::currentDataTag(), ms);
    require(ms < kLimit.count(), QString("stop took %1 ms").arg(ms));
    require(!QFile::exists(disk.node()), disk.node() + " stays");
    require(rig.stateOf(disk).isEmpty(), "it is still in the list of devices");
    require(!readFile(rig.initiator().runDir() + "/devices.json")
                 .contains(('"' + disk.label() + '"').toUtf8()),
            "the state file still names it");
    require(stuckProcesses().isEmpty(), "stuck: " + stuckProcesses().join(", "));
}

void mustRefuse(Rig& rig, Disk& disk, const QString& reason) {
    const Outcome outcome = rig.stop(disk);
    require(outcome.status != 0, "it was stopped although it is in use");
    require(outcome.output.contains(reason.toUtf8()),
            "the refusal does not say \"" + reason + "\": " + outcome.output);
    require(disk.exists(), "it is gone although stop refused");
}

// A load that is at work, and that will see its disk go. It leaves the one processor to others now
// and then: the programs that stop it have to be started.
std::unique_ptr<Program> startLoad(Rig& rig, Disk& disk) {
    auto fio = rig.startFio(disk, {.blocks = "4k-64k", .mib = 8, .loops = 1000, .pauseUs = 20000});
    disk.awaitProgress(20);
    return fio;
}

void mustFail(Program& load) {
    require(load.finish(5s) != 0, "the load saw no error although its disk is gone");
}

// Something to save: written, and not flushed.
void writeUnsaved(Disk& disk) {
    mustRun({"dd", "if=/dev/zero", "of=" + disk.node(), "bs=64k", "count=1", "oflag=direct"});
}

// The target's worker stands still as long as it lives.
class StandingStill {
 public:
    explicit StandingStill(pid_t process) : process_(process) { ::kill(process, SIGSTOP); }
    ~StandingStill() { ::kill(process_, SIGCONT); }
    StandingStill(const StandingStill&) = delete;
    StandingStill& operator=(const StandingStill&) = delete;

 private:
    pid_t process_;
};

}  // namespace

void TestStop::whenIdle() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        stop(rig, disk);
    });
}

void TestStop::underLoad() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        auto load = startLoad(rig, disk);
        mustRefuse(rig, disk, "open in process");
        stop(rig, disk, true);
        mustFail(*load);
    });
}

void TestStop::whenUnplugged() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        stop(rig, disk);
    });
}

void TestStop::underLoadWhenUnplugged() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        auto load = startLoad(rig, disk);
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        stop(rig, disk, true);
        mustFail(*load);
    });
}

void TestStop::rightAfterKill() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        auto load = startLoad(rig, disk);
        rig.note("kill the initiator's worker");
        ::kill(rig.initiator().worker(), SIGKILL);
        stop(rig, disk, true);
        mustFail(*load);
    });
}

void TestStop::whenPeerIsDead() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        auto load = startLoad(rig, disk);
        rig.note("kill the target for good");
        rig.target().killSupervisor();
        stop(rig, disk, true);
        mustFail(*load);
        // What a killed gadget leaves in configfs is the next one's to take up.
        rig.target().startAgain();
    });
}

void TestStop::whenDeadPeerIsNoticed() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        auto load = startLoad(rig, disk);
        rig.note("kill the target for good");
        rig.target().killSupervisor();
        rig.waitForState(disk, "waiting");
        stop(rig, disk, true);
        mustFail(*load);
        rig.target().startAgain();
    });
}

// In another session, too; until it is asked for. The host takes what is plugged in as new.
void TestStop::staysStopped() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        Disk& other = rig.offer("other", 8);
        rig.start();
        stop(rig, disk);
        rig.note("the target hangs, and goes on");
        ::kill(rig.target().worker(), SIGSTOP);
        rig.waitForState(other, "waiting");
        ::kill(rig.target().worker(), SIGCONT);
        rig.waitForState(other, "live");
        const auto comes = [&] { return disk.exists() || !rig.stateOf(disk).isEmpty(); };
        require(!waitUntil(comes, 2s), "it came back, although it was stopped");

        rig.note("asked for");
        Daemon& initiator = rig.initiator();
        require(initiator.command({"attach", "strange"}).output.contains("offers no such disk"),
                "what is not offered was attached");
        const Outcome attached = initiator.command({"attach", "disk"});
        require(attached.status == 0, "attach: " + attached.output);
        rig.waitForState(disk, "live");
        require(attached.output.trimmed() == disk.node().toUtf8(), "it says " + attached.output);
        require(initiator.command({"attach", "disk"}).output.trimmed() == disk.node().toUtf8(),
                "attached already is not as good as attached");
        rig.compare();

        if (rig.direction() != Direction::Attach)
            return;
        stop(rig, disk);
        rig.pullCable();
        rig.waitForState(other, "waiting");
        rig.plugIn();
        rig.waitForState(disk, "live");
    });
}

// An end that is refused is over, and all goes on.
void TestStop::goesOnAfterARefusedEnd() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        Daemon& initiator = rig.initiator();
        auto user = rig.startProgram({"sh", "-c", "exec 3<" + disk.node() + "; exec sleep 1000"});
        const QString open = QString("/proc/%1/fd/3").arg(user->pid());
        require(waitUntil([&] { return QFile::exists(open); }), "nobody uses it");
        ::kill(initiator.supervisor(), SIGTERM);
        require(waitUntil([&] { return initiator.output().contains("Not ended: it goes on"); }),
                "it does not say that it goes on");
        ::kill(user->pid(), SIGKILL);
        user->finish();
        stop(rig, disk);
        require(initiator.running(), "it has ended");
        const Outcome attached = initiator.command({"attach", "disk"});
        require(attached.status == 0, "attach: " + attached.output);
        rig.waitForState(disk, "live");
        rig.compare();
    });
}

void TestStop::mounted() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 24);
        rig.start();
        const QString here = rig.folder() + "/mounted";
        QDir().mkpath(here);
        mustRun({"mkfs.ext4", "-q", disk.node()});
        mustRun({"mount", disk.node(), here});
        mustRefuse(rig, disk, "mounted on " + here);
        stop(rig, disk, true);
        mustRun({"umount", here});
        QDir().rmdir(here);
    });
}

// It is connected: no cable helps.
void TestStop::peerIsSlow() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        const pid_t worker = rig.target().worker();
        writeUnsaved(disk);
        {
            const StandingStill slow(worker);
            mustRefuse(rig, disk, "has not finished saving within 3 s");
            require(rig.stateOf(disk) == "live", "it is " + rig.stateOf(disk));
        }
        stop(rig, disk);
    });
}

// After it was looked for who uses it, and before what is on it was saved.
void TestStop::openedMeanwhile() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        const pid_t worker = rig.target().worker();
        writeUnsaved(disk);
        auto slow = std::make_unique<StandingStill>(worker);
        auto asked = std::async(std::launch::async, [&] { return rig.stop(disk); });
        require(waitUntil([] {
                    return run({"pgrep", "-x", "belay-ublk-ctl"}).status == 0;
                }),
                "nothing is saved");
        auto opened = std::make_unique<QFile>(disk.node());
        require(opened->open(QIODevice::ReadOnly | QIODevice::Unbuffered), "it cannot be opened");
        slow.reset();
        const Outcome outcome = asked.get();
        require(outcome.status != 0, "it was stopped although it is in use");
        require(outcome.output.contains("open in process"), outcome.output);
        require(disk.exists(), "it is gone although stop refused");
        opened.reset();
        stop(rig, disk);
    });
}

// As in a container, which has mounts of its own and a /dev with other names.
void TestStop::openThroughAnotherNode() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        const QString dev = rig.folder() + "/dev";
        QDir().mkpath(dev);
        QString number = readFile("/sys/block/" + disk.name() + "/dev").trimmed();
        auto user = rig.startProgram(
            {"unshare", "--mount", "sh", "-c",
             QString("mount -t tmpfs -o dev another %1 && mknod %1/another b %2 && "
                     "exec sleep 60 <%1/another")
                 .arg(dev, number.replace(':', ' '))});
        const QString link = QString("/proc/%1/fd/0").arg(user->pid());
        require(waitUntil([&] { return QFile::symLinkTarget(link).endsWith("/another"); }),
                "it is not open");
        mustRefuse(rig, disk, QString("open in process %1 (sleep)").arg(user->pid()));
        user->signal(SIGTERM);
        user->finish();
        stop(rig, disk);
        QDir().rmdir(dev);
    });
}

// By a part of it that has no block device to be named, such as an iSCSI target.
void TestStop::claimedByTheKernel() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        mustRun({"modprobe", "target_core_iblock"});
        const QString target = "/sys/kernel/config/target/core/iblock_0";
        QDir().mkpath(target + "/disk");
        mustRun({"sh", "-c",
                 QString("echo udev_path=%1 >%2/control && echo 1 >%2/enable")
                     .arg(disk.node(), target + "/disk")});
        mustRefuse(rig, disk, "in use by the kernel or another container");
        QDir().rmdir(target + "/disk");
        QDir().rmdir(target);
        stop(rig, disk);
    });
}

int main(int argc, char** argv) {
    TestStop test;
    return runScenarios(argc, argv, test);
}

#include "tst_stop.moc"
