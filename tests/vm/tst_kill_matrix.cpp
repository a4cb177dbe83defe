#include "tests/vm/kill_matrix/file_system.h"
#include "tests/vm/kill_matrix/stages.h"
#include "tests/vm/kill_matrix/table.h"
#include "tests/vm/scenario/scenario.h"
#include "tests/vm/scenario/stop_token.h"
#include "tests/vm/scenario/target_machine.h"

#include <signal.h>

#include <QTest>

using namespace scenario;
using namespace kill_matrix;

Q_DECLARE_METATYPE(kill_matrix::Stage)

// Each process dies at each named stage, in both directions: all that was written is there
// afterwards, or the device says what is wrong with it.
class TestKillMatrix : public QObject {
    Q_OBJECT

 private slots:
    void start_data() { rows(kStart, 5); }
    void start();
    void takeOver_data() { rows(kTakeOver, 3); }
    void takeOver();
    void session_data() { rows(kSession, 7); }
    void session();
    void reboot_data() { rows(kReboot, 3); }
    void reboot();
    void store_data() { rows(kStore, 2); }
    void store();
    void stop_data() { rows(kStop, 4); }
    void stop();
    void cleanupTestCase();

 private:
    static void rows(const std::vector<Stage>& stages, int stride);
    // Plays the present row; `body` brings the death about and sees to what comes of it.
    class Death;
    void playRow(const std::function<void(Death& death)>& body, bool losesPower = false);

    std::vector<Row> table_;
};

namespace {

// Of the load's writes, which are of 64 KiB at most, at least five.
constexpr qint64 kEnoughToReplay = 5 * 64 * 1024;

}  // namespace

// One death, from its preparation to the last check.
class TestKillMatrix::Death {
 public:
    Death(Rig& rig, const Stage& stage, Row& row, TargetMachine* machine)
        : rig_(rig),
          stage_(stage),
          row_(row),
          machine_(machine),
          token_(stage.place, "/run/belay-scenario/stop"),
          disk_(rig.offer("disk", 24)) {
        victim().setEnvironment(token_.environment());
    }

    Rig& rig() { return rig_; }
    Disk& disk() { return disk_; }
    TargetMachine& machine() { return *machine_; }
    Daemon& victim() { return stage_.end == End::Initiator ? rig_.initiator() : rig_.target(); }
    void arm() {
        rig_.note(QString("armed: %1").arg(stage_.place));
        token_.arm();
        armed_ = true;
    }
    bool happensWithin(Milliseconds limit) {
        return armed_ && waitUntil([this] { return !token_.isArmed(); }, limit, 1ms);
    }
    // Waits for the death; sees to it that a dead supervisor is started again.
    void await() {
        require(waitUntil([this] { return !token_.isArmed(); }, kPatience, 1ms),
                QString("nobody came to %1").arg(stage_.place));
        sinceDeath_.start();
        rig_.note("died");
        if (stage_.who != Who::Supervisor)
            return;
        require(waitUntil([this] { return !victim().running(); }), "the supervisor lives on");
        victim().startAgain();
    }
    // Waits until requests are finished again, and the device is live.
    void awaitRequests(const Program& load) {
        const qint64 before = disk_.completed();
        require(waitUntil([&] { return disk_.completed() > before || !load.running(); }, 60s, 1ms),
                "no request was finished within 60 s");
        row_.ms = sinceDeath_.elapsed();
        awaitLive(60s);
    }
    void awaitLive(Milliseconds limit) {
        rig_.waitForState(disk_, "live", limit);
        row_.state = "live";
    }
    void sawState(const QString& state) { row_.state = state; }
    void took(qint64 ms) { row_.ms = ms; }
    qint64 sinceDeath() const { return sinceDeath_.elapsed(); }

 private:
    Rig& rig_;
    const Stage& stage_;
    Row& row_;
    TargetMachine* machine_;
    StopToken token_;
    bool armed_ = false;
    Disk& disk_;
    QElapsedTimer sinceDeath_;
};

void TestKillMatrix::rows(const std::vector<Stage>& stages, int stride) {
    QTest::addColumn<bool>("lend");
    QTest::addColumn<Stage>("stage");
    // The short form takes some of them, and on each kernel others.
    int number = oldKernel() ? 0 : 1;
    for (const bool lend : {false, true})
        for (const Stage& stage : stages) {
            if (!full() && number++ % stride != 0)
                continue;
            const bool host = lend == (stage.end == End::Target);
            QTest::addRow("%s.%s-%s.%s", lend ? "lend" : "attach", host ? "host" : "gadget",
                          nameOf(stage.who), stage.place)
                << lend << stage;
        }
}

void TestKillMatrix::playRow(const std::function<void(Death&)>& body, bool losesPower) {
    QFETCH(bool, lend);
    QFETCH(Stage, stage);
    const bool host = lend == (stage.end == End::Target);
    Row row{.direction = lend ? "lend" : "attach",
            .process = QString("%1's %2").arg(host ? "host" : "gadget", nameOf(stage.who)),
            .stage = stage.place,
            .state = {}};
    if (oldKernel() && *stage.notOnOldKernels != '\0') {
        row.state = QString("not tried: ") + stage.notOnOldKernels;
        row.passed = true;
    } else {
        row.state = "?";
        play([&](Rig& rig) {
            std::optional<TargetMachine> machine;
            if (losesPower)
                machine.emplace(rig);
            Death death(rig, stage, row, machine ? &*machine : nullptr);
            body(death);
            // It goes before the rig, and takes the stores along.
            if (machine)
                rig.end();
        });
        row.passed = !QTest::currentTestFailed();
    }
    table_.push_back(row);
}

void TestKillMatrix::start() {
    playRow([](Death& death) {
        death.arm();
        death.rig().startGadget();
        death.rig().startHost();
        death.await();
        death.awaitLive(kPatience);
        death.took(death.sinceDeath());
        FileSystem files(death.rig(), death.disk());
        files.verify();
    });
}

void TestKillMatrix::takeOver() {
    playRow([](Death& death) {
        death.rig().start();
        FileSystem files(death.rig(), death.disk());
        files.beBusy();
        death.arm();
        death.rig().initiator().killWorker();
        death.await();
        death.awaitRequests(files.job());
        files.verify();
    });
}

void TestKillMatrix::session() {
    playRow([](Death& death) {
        death.rig().start();
        FileSystem files(death.rig(), death.disk());
        // Sometimes fewer requests than the place asks for are under way; it counts them all.
        for (int round = 0; round < 5 && !death.happensWithin(2s); ++round) {
            files.beBusy();
            death.rig().pullCable();
            death.rig().waitForState(death.disk(), "waiting");
            if (round == 0)
                death.arm();
            death.rig().plugIn();
        }
        death.await();
        death.awaitRequests(files.job());
        files.verify();
    });
}

void TestKillMatrix::reboot() {
    const auto body = [](Death& death) {
        death.machine().sync();
        death.rig().start();
        FileSystem files(death.rig(), death.disk());
        // Right after a flush there would be too little to send again.
        for (int tries = 0; tries < 20; ++tries) {
            files.beBusy();
            death.machine().goDown();
            death.rig().waitForState(death.disk(), "waiting");
            if (death.rig().unsavedBytes(death.disk()) >= kEnoughToReplay)
                break;
            death.machine().comeBack();
            death.rig().waitForState(death.disk(), "live");
        }
        require(death.rig().unsavedBytes(death.disk()) >= kEnoughToReplay,
                "there is never enough to send again");
        death.arm();
        death.machine().comeBack();
        death.await();
        death.awaitRequests(files.job());
        files.verify();
    };
    playRow(body, true);
}

void TestKillMatrix::store() {
    playRow([](Death& death) {
        death.rig().start();
        FileSystem files(death.rig(), death.disk());
        files.beBusy();
        death.arm();
        death.await();
        death.awaitRequests(files.job());
        files.verify();
    });
}

void TestKillMatrix::stop() {
    playRow([](Death& death) {
        Rig& rig = death.rig();
        Disk& disk = death.disk();
        rig.start();
        {
            FileSystem files(rig, disk);
            files.verify();
        }
        const QByteArray shown = disk.sha256OfDevice();
        death.arm();
        const auto asked =
            rig.startProgram({rig.direction() == Direction::Attach ? BELAY_HOSTD : BELAY_GADGET,
                              "--run-dir", rig.initiator().runDir(), "stop", disk.name()});
        death.await();
        asked->finish();
        // A supervisor that was started again makes the device anew, as it was told to.
        const auto settled = [&] {
            const QString state = rig.stateOf(disk);
            return rig.initiator().status() && (state == "live" || state.isEmpty());
        };
        require(waitUntil(settled, 30s, 20ms),
                "it is neither there nor gone, but " + rig.stateOf(disk));
        death.took(death.sinceDeath());
        death.sawState(rig.stateOf(disk) == "live" ? "live" : "gone");
        require(disk.sha256OfStore() == shown, "the store is not what the device showed");
    });
}

void TestKillMatrix::cleanupTestCase() {
    qInfo("%s", qPrintable(tableOf(table_)));
}

QTEST_GUILESS_MAIN(TestKillMatrix)
#include "tst_kill_matrix.moc"
