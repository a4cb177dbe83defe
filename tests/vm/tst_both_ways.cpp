#include "tests/vm/scenario/scenario.h"
#include "tests/vm/scenario/volumes.h"

#include <signal.h>

#include <QTest>

using namespace scenario;

// Both directions between the same two ends, and what hangs in one of them: a store may lie on a
// disk of ours, or on a file system that stands still, and whoever has it may be killed then. The
// other direction goes on, and so does this one as soon as it can.
//
// A row is the direction of "disk"; what is offered "back" goes the other way.
class TestBothWays : public QObject {
    Q_OBJECT

 private slots:
    void storeOnOurOwnDisk_data() { inBothDirections(); }
    void storeOnOurOwnDisk();
    void storeThatHangs_data() { inBothDirections(); }
    void storeThatHangs();
    void startedAgainWhileAStoreHangs_data() { inBothDirections(); }
    void startedAgainWhileAStoreHangs();
    void endsWhileAStoreHangs_data() { inBothDirections(); }
    void endsWhileAStoreHangs();
    void startedAgainWithoutAStore_data() { inBothDirections(); }
    void startedAgainWithoutAStore();
    void keepsDying_data() { inBothDirections(); }
    void keepsDying();
    void keepsDyingWithoutDevice_data() { inBothDirections(); }
    void keepsDyingWithoutDevice();
};

namespace {

constexpr Milliseconds kLimit = 5s;

void kill(Rig& rig, Daemon& daemon, const QString& role) {
    rig.note(QString("kill the %1's %2").arg(daemon.name(), role));
    ::kill(daemon.worker(role), SIGKILL);
}

void mustBury(Rig& rig, Daemon& daemon, const QString& role) {
    const pid_t process = daemon.worker(role);
    kill(rig, daemon, role);
    require(waitUntil([=] { return isDead(process); }, kPatience, 5ms),
            QString("the %1's %2 cannot be buried").arg(daemon.name(), role));
}

// Until its supervisor does not start it again at once.
void killOverAndOver(Rig& rig, Daemon& daemon, const QString& role) {
    const auto given = [&] { return daemon.output().count("worker keeps dying"); };
    const auto before = given();
    while (given() == before)
        mustBury(rig, daemon, role);
}

void mustStop(Rig& rig, Disk& disk) {
    const Outcome outcome = rig.stop(disk, true);
    require(outcome.status == 0, "stop --force failed: " + outcome.output);
    require(outcome.ms < kLimit.count(), QString("stop --force took %1 ms").arg(outcome.ms));
    require(waitUntil([&] { return !disk.exists(); }, 1s), disk.name() + " stays");
}

// Writes and verifies for as long as it is needed.
std::unique_ptr<Program> startLoad(Rig& rig, const Disk& disk) {
    auto load = rig.startFio(
        disk, {.blocks = "4k-64k", .depth = 8, .mib = 4, .loops = 1000, .pauseUs = 2000});
    disk.awaitProgress(20);
    return load;
}

// What the processes of one end have in memory, write logs apart.
qint64 ownKiB(Daemon& daemon) {
    qint64 sum = 0;
    for (const pid_t process :
         {daemon.supervisor(), daemon.worker("initiator"), daemon.worker("target")})
        for (const QByteArray& line : readFile(QString("/proc/%1/status").arg(process)).split('\n'))
            if (line.startsWith("RssAnon:") || line.startsWith("RssFile:"))
                sum += line.simplified().split(' ').value(1).toLongLong();
    return sum;
}

}  // namespace

void TestBothWays::storeOnOurOwnDisk() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 64);
        rig.useBothWays();
        rig.start();
        VolumeOnDisk volume(disk);
        rig.note("a store on the disk, for the other way");
        Disk& back = rig.offerBack("back", volume.folder() + "/image", 8);
        mustRun({"sync", "-f", volume.folder()});
        rig.initiator().killOnlySupervisor();
        // As after a long time: nothing of it is in memory.
        writeFile("/proc/sys/vm/drop_caches", "3");
        if (rig.direction() == Direction::Attach)
            rig.startHost();
        else
            rig.startGadget();
        rig.waitForAllLive(30s);
        rig.waitForState(back, "live", 30s);

        auto load = startLoad(rig, back);
        for (Daemon* daemon : {&rig.initiator(), &rig.target()})
            for (const char* role : {"initiator", "target"}) {
                mustBury(rig, *daemon, role);
                rig.waitForState(disk, "live", 20s);
                rig.waitForState(back, "live", 20s);
                back.awaitProgress(10);
                require(stuckProcesses().isEmpty(), "stuck: " + stuckProcesses().join(", "));
            }
        endLoad(*load);
        for (Daemon* daemon : {&rig.host(), &rig.gadget()}) {
            const qint64 own = ownKiB(*daemon);
            qInfo("%s: %lld KiB in both directions", qPrintable(daemon->name()), own);
            require(own < 32 * 1024, QString("%1 has %2 KiB").arg(daemon->name()).arg(own));
        }
        back.compare();
        mustStop(rig, back);
        // Under a file system that is mounted, and under a store that is open.
        mustStop(rig, disk);
        require(stuckProcesses().isEmpty(), "stuck: " + stuckProcesses().join(", "));
    });
}

void TestBothWays::storeThatHangs() {
    play([](Rig& rig) {
        FreezableVolume volume("/run/belay-scenario/frozen");
        Disk& disk = rig.offer("disk", 16);
        rig.useBothWays();
        Disk& back = rig.offerBack("back", volume.folder() + "/image", 8);
        rig.start();
        rig.waitForState(back, "live");
        auto load = startLoad(rig, disk);
        auto hanging = startLoad(rig, back);

        // Who has "back" is also the server of "disk".
        Daemon& daemon = rig.initiator();
        rig.note("the store of \"back\" stands still");
        volume.freeze();
        rig.wait(1000ms);
        disk.awaitProgress(20);
        const pid_t process = daemon.worker("target");
        kill(rig, daemon, "target");
        rig.wait(2000ms);
        require(!isDead(process), "nothing hung in the kernel: the scenario shows nothing");
        // However long it hangs: the disk goes on, and its server can be replaced.
        for (int round = 0; round < 2; ++round) {
            rig.waitForState(disk, "live", 20s);
            require(
                waitUntil([&, before = disk.completed()] { return disk.completed() > before + 50; },
                          20s, 20ms),
                "the disk stands still with the other's store");
            mustBury(rig, daemon, "initiator");
        }
        rig.waitForState(disk, "live", 20s);
        disk.awaitProgress(50);

        rig.note("it moves again");
        volume.thaw();
        require(waitUntil([=] { return isDead(process); }, kPatience), "it still cannot be buried");
        rig.waitForState(back, "live", 30s);
        back.awaitProgress(20);
        endLoad(*hanging);
        back.compare();
        mustStop(rig, disk);
        load->finish(5s);
        mustStop(rig, back);
    });
}

void TestBothWays::startedAgainWhileAStoreHangs() {
    play([](Rig& rig) {
        FreezableVolume volume("/run/belay-scenario/frozen");
        Disk& disk = rig.offer("disk", 16);
        rig.useBothWays();
        Disk& back = rig.offerBack("back", volume.folder() + "/image", 8);
        rig.start();
        rig.waitForState(back, "live");
        auto load = startLoad(rig, disk);
        auto hanging = startLoad(rig, back);

        rig.note("the store of \"back\" stands still");
        volume.freeze();
        rig.wait(1000ms);
        Daemon& daemon = rig.initiator();
        const pid_t process = daemon.worker("target");
        rig.note("kill the supervisor, and start it again");
        daemon.killOnlySupervisor();
        daemon.startAgain();
        rig.waitForState(disk, "live", 20s);
        disk.awaitProgress(50);
        require(!isDead(process), "nothing hung in the kernel: the scenario shows nothing");
        // Longer than any patience that the start may have.
        rig.wait(15s);
        require(daemon.running(), "it has ended");
        disk.awaitProgress(50);

        rig.note("it moves again");
        volume.thaw();
        rig.waitForState(back, "live", 60s);
        back.awaitProgress(20);
        endLoad(*hanging);
        back.compare();
        endLoad(*load);
        disk.compare();
        mustStop(rig, back);
    });
}

void TestBothWays::endsWhileAStoreHangs() {
    play([](Rig& rig) {
        FreezableVolume volume("/run/belay-scenario/frozen");
        Disk& disk = rig.offer("disk", 16);
        rig.useBothWays();
        Disk& back = rig.offerBack("back", volume.folder() + "/image", 8);
        rig.start();
        rig.waitForState(back, "live");
        auto hanging = startLoad(rig, back);
        volume.freeze();
        rig.wait(1000ms);

        Daemon& daemon = rig.initiator();
        const pid_t process = daemon.worker("target");
        daemon.end(60s);
        require(!disk.exists(), "its disk stays");
        require(!isDead(process), "nothing hung in the kernel: the scenario shows nothing");
        daemon.startAgain();
        disk.leftItsPlace();
        rig.waitForState(disk, "live", 30s);

        rig.note("it moves again");
        volume.thaw();
        rig.waitForState(back, "live", 60s);
        back.awaitProgress(20);
        endLoad(*hanging);
        back.compare();
        disk.compare();
        mustStop(rig, back);
    });
}

void TestBothWays::startedAgainWithoutAStore() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.useBothWays();
        Disk& back = rig.offerBack("back", rig.storeFolder() + "/back", 8);
        rig.start();
        rig.waitForState(back, "live");
        auto load = startLoad(rig, disk);

        rig.note("the store of \"back\" is renamed away");
        mustRun({"mv", back.store(), back.store() + ".away"});
        Daemon& daemon = rig.initiator();
        daemon.killOnlySupervisor();
        daemon.startAgain();
        rig.waitForState(disk, "live", 20s);
        disk.awaitProgress(50);
        require(daemon.running(), "it has ended");

        rig.note("and is back");
        mustRun({"mv", back.store() + ".away", back.store()});
        rig.waitForState(back, "live", 60s);
        endLoad(*load);
        disk.compare();
        back.compare();
        mustStop(rig, back);
    });
}

void TestBothWays::keepsDying() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.useBothWays();
        Disk& back = rig.offerBack("back", rig.storeFolder() + "/back", 8);
        rig.start();
        rig.waitForState(back, "live");
        auto load = startLoad(rig, disk);
        auto waiting = startLoad(rig, back);

        Daemon& daemon = rig.initiator();
        killOverAndOver(rig, daemon, "target");
        rig.waitForState(disk, "live", 20s);
        disk.awaitProgress(50);
        rig.waitForState(back, "waiting", 20s);
        rig.note("the cable is pulled meanwhile");
        rig.pullCable();
        rig.waitForState(disk, "waiting", 20s);
        rig.plugIn();
        rig.waitForState(disk, "live", 20s);
        disk.awaitProgress(50);

        rig.waitForState(back, "live", 45s);
        back.awaitProgress(20);
        rig.waitForState(disk, "live", 20s);
        disk.awaitProgress(50);
        endLoad(*waiting);
        endLoad(*load);
        back.compare();
        disk.compare();
        mustStop(rig, back);
    });
}

void TestBothWays::keepsDyingWithoutDevice() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.useBothWays();
        rig.start();
        auto load = startLoad(rig, disk);
        Daemon& daemon = rig.target();
        killOverAndOver(rig, daemon, "initiator");
        rig.waitForState(disk, "live", 20s);
        disk.awaitProgress(50);
        require(!isDead(daemon.worker("initiator")), "there is none again");
        rig.waitForState(disk, "live", 20s);
        disk.awaitProgress(50);
        endLoad(*load);
        disk.compare();
    });
}

QTEST_GUILESS_MAIN(TestBothWays)
#include "tst_both_ways.moc"
