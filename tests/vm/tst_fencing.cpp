#include "tests/vm/scenario/held_store.h"
#include "tests/vm/scenario/scenario.h"

#include <signal.h>

#include <QDir>
#include <QFile>
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
    void otherDiskGoesOn_data();
    void otherDiskGoesOn();
};

namespace {

constexpr int kBytes = 4096;
const QString kPlace = QStringLiteral("/run/belay-place");

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

// Where the store of the first disk is, whatever becomes of it.
class HangingPlace {
 public:
    virtual ~HangingPlace() = default;
    // Kills the target's worker, and returns when the store keeps its successor waiting.
    virtual void hang(Rig& rig, Disk& disk) = 0;
    virtual void goOn() = 0;
};

class HungFlush final : public HangingPlace {
 public:
    void hang(Rig& rig, Disk& disk) override {
        startWriting(rig, disk, 'x')->succeed();
        store_.holdNextSync();
        flush_ = rig.startProgram({"sync", disk.node()});
        require(waitUntil([&] { return store_.isHoldingSync(); }), "no sync reached the store");
        rig.note("kill the target's worker in the middle of it");
        ::kill(rig.target().worker(), SIGKILL);
        // Its successor asks whether anything was lost.
        store_.holdNextSync();
        store_.releaseSync();
        require(waitUntil([&] { return store_.isHoldingSync(); }), "nobody asks what was lost");
    }
    void goOn() override {
        store_.releaseSync();
        flush_->succeed(30s);
    }

 private:
    HeldStore store_{kPlace};
    std::unique_ptr<Program> flush_;
};

class FrozenFileSystem final : public HangingPlace {
 public:
    FrozenFileSystem() {
        QDir().mkpath(kPlace);
        QFile::remove(kImage);
        mustRun({"truncate", "-s", "16M", kImage});
        mustRun({"mkfs.ext4", "-q", kImage});
        mustRun({"mount", "-o", "loop", kImage, kPlace});
    }
    ~FrozenFileSystem() override {
        run({"fsfreeze", "-u", kPlace});
        run({"umount", "-l", kPlace});
    }
    void hang(Rig& rig, Disk&) override {
        rig.note("freeze the file system and kill the target's worker");
        mustRun({"fsfreeze", "-f", kPlace});
        rig.target().killWorker();
    }
    void goOn() override { mustRun({"fsfreeze", "-u", kPlace}); }

 private:
    const QString kImage = "/run/belay-place.img";
};

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

void TestFencing::otherDiskGoesOn_data() {
    QTest::addColumn<bool>("lend");
    QTest::addColumn<bool>("flush");
    for (const bool lend : {false, true})
        for (const bool flush : {true, false})
            if (hasTurn(lend ? 1 : 0))
                QTest::addRow("%s.%s", flush ? "flush" : "frozen", lend ? "lend" : "attach")
                    << lend << flush;
}

// What a worker must ask of a store before it offers it hangs: the worker lives, and its other disk
// goes on.
void TestFencing::otherDiskGoesOn() {
    QFETCH(bool, flush);
    play([&](Rig& rig) {
        std::unique_ptr<HangingPlace> place;
        if (flush)
            place = std::make_unique<HungFlush>();
        else
            place = std::make_unique<FrozenFileSystem>();
        QFile::remove(rig.storeFolder() + "/disk");  // the last row's link
        Disk& disk = rig.offer("disk", 4);
        Disk& other = rig.offer("other", 4);
        mustRun({"dd", "if=" + disk.store(), "of=" + kPlace + "/disk", "bs=64k"});
        mustRun({"ln", "-sf", kPlace + "/disk", disk.store()});
        rig.start();
        place->hang(rig, disk);

        const pid_t worker = rig.target().worker();
        rig.waitForState(other, "live");
        QElapsedTimer clock;
        clock.start();
        // Longer than a supervisor waits for a worker that does not answer.
        while (clock.elapsed() < 12'000) {
            startWriting(rig, other, 'o')->succeed(5s);
            rig.wait(500ms);
        }
        require(rig.stateOf(disk) != "live", "the first disk is live, and its store hangs");
        require(rig.target().worker() == worker, "the worker was killed");
        rig.note("the store goes on");
        place->goOn();
        rig.waitForAllLive();
        require(!rig.initiator().output().contains("is saved again"),
                "something counts as lost, and nothing was");
        rig.compare();
        rig.end();
    });
}

QTEST_GUILESS_MAIN(TestFencing)
#include "tst_fencing.moc"
