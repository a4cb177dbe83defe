#include "tests/vm/scenario/scenario.h"

#include <QDir>
#include <QTest>

using namespace scenario;

// The machine goes to sleep, as far as stopping all programs (/sys/power/pm_test: the rig's own
// devices would not live through more), and wakes up. Disks in use go on, whatever has become of
// the cable meanwhile.
class TestSuspend : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase();
    void idle_data() { inBothDirections(); }
    void idle();
    void underLoad_data() { inBothDirections(); }
    void underLoad();
    void pulledWhileAsleep_data() { inBothDirections(); }
    void pulledWhileAsleep();
    void whileItWaits_data() { inBothDirections(); }
    void whileItWaits();
};

namespace {

// A cgroup with a program in it, which is stopped before everything else, as systemd 256 and newer
// does with all users' programs (systemd-suspend.service(8)).
class Users {
 public:
    Users() { require(QDir().mkpath(kFolder), "cannot make a cgroup"); }
    ~Users() {
        freeze(false);
        QDir().rmdir(kFolder);
    }
    Users(const Users&) = delete;
    Users& operator=(const Users&) = delete;

    void add(const Program& program) {
        writeFile(kFolder + "/cgroup.procs", QByteArray::number(program.pid()));
    }
    void freeze(bool on) {
        writeFile(kFolder + "/cgroup.freeze", on ? "1" : "0");
        require(
            waitUntil([&] {
                return readFile(kFolder + "/cgroup.events").contains(on ? "frozen 1" : "frozen 0");
            }),
            "a program is not stopped");
    }

 private:
    inline static const QString kFolder = QStringLiteral("/sys/fs/cgroup/users");
};

// Everything is stopped for a second. The outcome is that of writing to /sys/power/state.
Outcome suspend(Rig& rig) {
    rig.note("suspend");
    const Outcome outcome = run({"sh", "-c", "echo freeze >/sys/power/state"}, 120s);
    rig.note(QString("awake: %1 %2 (%3 ms)")
                 .arg(outcome.status)
                 .arg(QString::fromUtf8(outcome.output))
                 .arg(outcome.ms));
    return outcome;
}

void mustSuspend(Rig& rig) {
    const Outcome outcome = suspend(rig);
    require(outcome.status == 0, "the machine does not suspend: " + outcome.output);
}

bool held(Rig& rig, const Disk& disk) {
    const auto told = rig.deviceOf(disk);
    return told && told->at("counters").at("inFlight").get<int>() > 0;
}

std::unique_ptr<Program> startLoad(Rig& rig, const Disk& disk) {
    return rig.startFio(disk, {.blocks = "4k-256k", .depth = 8, .mib = 8, .loops = 1000});
}

// Our own reader of the partition table has come and gone, which a disk that has just appeared or
// was written to has.
void awaitPartitionsRead() {
    require(waitUntil(
                [] {
                    return run({"pgrep", "-x", "belay-parts"}).status != 0;
                },
                20s, 200ms),
            "the partition table is still being read");
}

void mustServe(Rig& rig, Disk& disk) {
    rig.waitForState(disk, "live");
    rig.startFio(disk, {.depth = 4, .mib = 4})->succeed();
}

}  // namespace

void TestSuspend::idle() {
    play([](Rig& rig) {
        Disk& disk = rig.offer();
        rig.start();
        mustServe(rig, disk);
        awaitPartitionsRead();
        mustSuspend(rig);
        mustServe(rig, disk);
        rig.compare();
    });
}

void TestSuspend::underLoad() {
    play([](Rig& rig) {
        Disk& disk = rig.offer();
        rig.start();
        const auto load = startLoad(rig, disk);
        disk.awaitProgress(100);
        // Whether the kernel gets it done depends on whom it stops first. Both ends well.
        suspend(rig);
        disk.awaitProgress(100);
        Users users;
        users.add(*load);
        users.freeze(true);
        awaitPartitionsRead();
        mustSuspend(rig);
        users.freeze(false);
        disk.awaitProgress(100);
        endLoad(*load);
        rig.compare();
    });
}

void TestSuspend::pulledWhileAsleep() {
    play([](Rig& rig) {
        Disk& disk = rig.offer();
        rig.start();
        const auto load = startLoad(rig, disk);
        disk.awaitProgress(100);
        Users users;
        users.add(*load);
        users.freeze(true);
        awaitPartitionsRead();
        rig.pullCable();
        mustSuspend(rig);
        users.freeze(false);
        rig.waitForState(disk, "waiting");
        rig.plugIn();
        disk.awaitProgress(100);
        endLoad(*load);
        rig.compare();
    });
}

void TestSuspend::whileItWaits() {
    play([](Rig& rig) {
        Disk& disk = rig.offer();
        rig.start();
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        const auto reader = rig.startProgram(
            {"dd", "if=" + disk.node(), "of=/dev/null", "bs=4k", "count=1", "iflag=direct"});
        require(waitUntil([&] { return held(rig, disk); }), "nothing is held");
        require(suspend(rig).status != 0, "the kernel has stopped who waits for a disk");
        require(reader->running(), "the reader has ended");
        rig.plugIn();
        reader->succeed();
        rig.compare();
    });
}

void TestSuspend::initTestCase() {
    writeFile("/sys/module/suspend/parameters/pm_test_delay", "1");
    writeFile("/sys/power/pm_test", "freezer");
}

int main(int argc, char** argv) {
    TestSuspend test;
    return runScenarios(argc, argv, test);
}

#include "tst_suspend.moc"
