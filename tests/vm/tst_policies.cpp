#include "tests/vm/scenario/scenario.h"

#include <QTest>

using namespace scenario;

// What a device does when nobody plugs the cable in again: as its policy says.
class TestPolicies : public QObject {
    Q_OBJECT

 private slots:
    void limitedWait_data() { inBothDirections(); }
    void limitedWait();
    void changedWhileWaiting_data() { inBothDirections(); }
    void changedWhileWaiting();
    void outlivesTheSupervisor_data() { inBothDirections(); }
    void outlivesTheSupervisor();
};

namespace {

void set(Rig& rig, const Disk& disk, const QString& policy) {
    const Outcome outcome = rig.initiator().command({"policy", disk.name(), policy});
    require(outcome.status == 0, "the policy was refused: " + outcome.output);
}

std::unique_ptr<Program> startWriting(Rig& rig, const Disk& disk) {
    auto load = rig.startProgram({"dd", "if=/dev/zero", "of=" + disk.node(), "bs=64k",
                                  QString("count=%1").arg(disk.mib() * 16), "oflag=direct"});
    disk.awaitProgress(10);
    return load;
}

void needsError(Program& load) {
    require(load.finish(10s) != 0, "the writer got no error");
    require(load.output().contains("Input/output error"),
            "the writer got another error:\n" + load.output());
}

// Requests fail at once, with and without a cable, until the user says Recover.
void leavesFailedByRecover(Rig& rig, Disk& disk) {
    const auto read = [&] {
        return run({"dd", "if=" + disk.node(), "of=/dev/null", "bs=4k", "count=1", "iflag=direct"});
    };
    Outcome outcome = read();
    require(outcome.status != 0 && outcome.ms < 2000,
            QString("a read ended with %1 after %2 ms").arg(outcome.status).arg(outcome.ms));
    rig.plugIn();
    rig.wait(1500ms);
    require(rig.stateOf(disk) == "failed", "it went on by itself: " + rig.stateOf(disk));
    require(read().status != 0, "it serves requests though it says it does not");
    outcome = rig.initiator().command({"recover", disk.name()});
    require(outcome.status == 0, "recover was refused: " + outcome.output);
    rig.waitForState(disk, "live");
    rig.compare();
}

}  // namespace

void TestPolicies::limitedWait() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.start();
        set(rig, disk, "2");
        auto load = startWriting(rig, disk);
        rig.pullCable();
        rig.waitForState(disk, "waiting", 5s);
        rig.wait(1s);
        require(load->running(), "it did not wait:\n" + load->output());
        rig.waitForState(disk, "failed", 5s);
        needsError(*load);
        leavesFailedByRecover(rig, disk);

        // In time, nothing fails.
        auto again = startWriting(rig, disk);
        rig.pullCable();
        rig.waitForState(disk, "waiting", 5s);
        rig.plugIn();
        again->succeed(60s);
        rig.compare();
        rig.end();
    });
}

// The time counts from when requests began to be held.
void TestPolicies::changedWhileWaiting() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.start();
        auto load = startWriting(rig, disk);
        rig.pullCable();
        rig.waitForState(disk, "waiting", 5s);
        rig.wait(6s);
        require(load->running(), "it did not wait:\n" + load->output());
        set(rig, disk, "fail-fast");
        rig.waitForState(disk, "failed", 2s);
        needsError(*load);
        leavesFailedByRecover(rig, disk);
        rig.end();
    });
}

void TestPolicies::outlivesTheSupervisor() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.start();
        set(rig, disk, "3");
        auto load = startWriting(rig, disk);
        rig.pullCable();
        rig.waitForState(disk, "waiting", 5s);
        rig.initiator().killSupervisor();
        rig.initiator().startAgain();
        rig.waitForState(disk, "failed", 15s);
        needsError(*load);
        // Of a device that failed before its supervisor died.
        rig.initiator().killSupervisor();
        rig.initiator().startAgain();
        rig.waitForState(disk, "failed", 15s);
        leavesFailedByRecover(rig, disk);
        rig.end();
    });
}

QTEST_GUILESS_MAIN(TestPolicies)
#include "tst_policies.moc"
