#include "tests/vm/scenario/held_store.h"
#include "tests/vm/scenario/scenario.h"

#include <signal.h>

#include <QTest>

using namespace scenario;

// A store is slow to finish a write, and the process that asked for it is killed and replaced: the
// late write must not land after those of the next session. The successor waits: until the write is
// over, the kernel keeps all that the dead process had open, its end of the link and the store with
// its lock. (The lock alone: tst_store_vm.cpp, staysLockedUntilTheLastWriteIsOver.)
class TestFencing : public QObject {
    Q_OBJECT

 private slots:
    void workerIsKilled_data() { inBothDirections(); }
    void workerIsKilled();
    void supervisorIsKilled_data() { inBothDirections(); }
    void supervisorIsKilled();
    void initiatorIsKilled_data() { inBothDirections(); }
    void initiatorIsKilled();
};

namespace {

constexpr int kBytes = 4096;

// Writes 4 KiB of one letter to the start of the disk, past the page cache.
std::unique_ptr<Program> startWriting(Rig& rig, const Disk& disk, char letter) {
    return rig.startProgram({"sh", "-c",
                             QString("head -c %1 /dev/zero | tr '\\0' %2 | "
                                     "dd of=%3 bs=%1 count=1 iflag=fullblock oflag=direct")
                                 .arg(kBytes)
                                 .arg(letter)
                                 .arg(disk.node())});
}

void playHeld(const std::function<void(Rig& rig, Disk& disk)>& kill) {
    play([&](Rig& rig) {
        HeldStore store("/run/belay-scenario/stores0");
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        startWriting(rig, disk, 'x')->succeed();

        rig.note("hold the next write back");
        store.holdNext();
        auto first = startWriting(rig, disk, 'a');
        require(waitUntil([&] { return store.isHolding(); }), "no write reached the store");
        const int landed = store.landed();
        kill(rig, disk);

        // Were the next session open already, it would send the write again, somebody would get
        // the answer, and write something newer.
        rig.wait(2500ms);
        require(store.isHolding() && store.landed() == landed,
                "a new session writes while the write of a dead one is under way");
        require(first->running(),
                "the writer has an answer that nobody can give:\n" + first->output());

        rig.note("let it land");
        store.release();
        first->succeed(30s);
        rig.waitForState(disk, "live", 30s);
        startWriting(rig, disk, 'b')->succeed();
        rig.wait(500ms);
        require(store.content(0, kBytes) == QByteArray(kBytes, 'b'),
                "the last write is not what the store has");
        rig.compare();
        rig.end();
    });
}

}  // namespace

void TestFencing::workerIsKilled() {
    playHeld([](Rig& rig, Disk&) {
        rig.note("kill the target's worker");
        ::kill(rig.target().worker(), SIGKILL);
    });
}

// The next supervisor knows nothing of the dead worker.
void TestFencing::supervisorIsKilled() {
    playHeld([](Rig& rig, Disk&) {
        rig.note("kill the target");
        const pid_t worker = rig.target().worker();
        rig.target().killOnlySupervisor();
        ::kill(worker, SIGKILL);
        rig.target().startAgain();
    });
}

// The target lives, and must end the old session's writes before it takes up the next session.
void TestFencing::initiatorIsKilled() {
    playHeld([](Rig& rig, Disk&) {
        rig.note("kill the initiator's worker");
        rig.initiator().killWorker();
    });
}

QTEST_GUILESS_MAIN(TestFencing)
#include "tst_fencing.moc"
