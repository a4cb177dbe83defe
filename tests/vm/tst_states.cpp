#include "tests/vm/scenario/held_store.h"
#include "tests/vm/scenario/scenario.h"

#include <signal.h>

#include <QTest>
#include <array>

using namespace scenario;

// Every state of a device, reached on a real kernel, and left once by Recover and once by Stop.
// Where Recover is not to do anything, because what it asks for is being done, it must do no harm.
// What each event does in each state is in tests/unit/tst_lifecycle_table.cpp.
class TestStates : public QObject {
    Q_OBJECT

 private slots:
    void starting_data() { inBothDirections(); }
    void starting();
    void live_data() { inBothDirections(); }
    void live();
    void waiting_data() { inBothDirections(); }
    void waiting();
    void resuming_data() { inBothDirections(); }
    void resuming();
    void crashed_data() { inBothDirections(); }
    void crashed();
    void recovering_data() { inBothDirections(); }
    void recovering();
    void failed_data() { inBothDirections(); }
    void failed();
    void needsAttention_data() { inBothDirections(); }
    void needsAttention();
    void stoppingAndGone_data() { inBothDirections(); }
    void stoppingAndGone();
};

namespace {

// With a worker that hangs, and a kernel that is slow to bury it.
constexpr Milliseconds kStopLimit = 20s;

void recover(Rig& rig, const Disk& disk) {
    const Outcome outcome = rig.initiator().command({"recover", disk.name()});
    require(outcome.status == 0, "recover was refused: " + outcome.output);
    rig.note("recovered by hand");
}

// The answer comes when the kernel has no such device any more. (The next session may make another
// one of the same disk, so its absence is looked at only where there can be no session.)
void stopByForce(Rig& rig, Disk& disk) {
    rig.note("stop by force");
    const Outcome outcome = rig.initiator().command({"stop", disk.name(), "--force"}, kStopLimit);
    require(outcome.status == 0, "stop was refused: " + outcome.output);
    require(stuckProcesses().isEmpty(), "stuck: " + stuckProcesses().join(", "));
    rig.note(QString("gone after %1 ms").arg(outcome.ms));
    qInfo("%s, %s: stopped after %lld ms", QTest::currentTestFunction(), QTest::currentDataTag(),
          outcome.ms);
}

// A new life of the initiator: it makes the device anew, and has forgotten all deaths.
void beginAnew(Rig& rig) {
    if (rig.initiator().running()) {
        rig.initiator().worker();
        rig.initiator().end();
    }
    rig.initiator().startAgain();
}

std::unique_ptr<Program> startWriting(Rig& rig, const Disk& disk) {
    return rig.startProgram(
        {"dd", "if=/dev/urandom", "of=" + disk.node(), "bs=64k", "count=4", "oflag=direct"});
}

// Kills the initiator's worker so often that the next one has to wait for its turn.
void crash(Rig& rig, Disk& disk, int deaths) {
    for (int i = 1; i < deaths; ++i) {
        rig.initiator().killWorker();
        rig.waitForState(disk, "live");
    }
    rig.initiator().killWorker();
}

// Stops the initiator's worker (SIGSTOP) while the device is in a state that passes by itself.
// `begin` brings the state about; `worker` finds the process to stop, 0 as long as there is none.
pid_t catchIn(Rig& rig, Disk& disk, const QString& state, const std::function<void()>& begin,
              const std::function<pid_t()>& worker) {
    constexpr int kTries = 6;
    for (int i = 0; i < kTries; ++i) {
        begin();
        pid_t process = 0;
        require(waitUntil([&] { return (process = worker()) != 0; }, kPatience, 0ms),
                "there is no worker to stop");
        ::kill(process, SIGSTOP);
        if (rig.stateOf(disk) == state) {
            disk.appearedAs("/dev/ublkb0");
            rig.note("caught in " + state);
            return process;
        }
        rig.note("missed it");
        ::kill(process, SIGCONT);
        rig.waitForState(disk, "live");
        beginAnew(rig);
        rig.waitForState(disk, "live");
    }
    throw Failure("the device is never seen " + state);
}

}  // namespace

void TestStates::starting() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        pid_t process = 0;
        const auto begin = [&] {
            rig.initiator().end();
            rig.initiator().startAgain();
            process = rig.initiator().worker();
        };
        const auto found = [&] { return QFile::exists("/dev/ublkc0") ? process : 0; };
        catchIn(rig, disk, "starting", begin, found);
        recover(rig, disk);
        require(rig.stateOf(disk) == "starting", "recover has changed its state");
        ::kill(process, SIGCONT);
        rig.waitForState(disk, "live");
        rig.compare();

        catchIn(rig, disk, "starting", begin, found);
        stopByForce(rig, disk);
    });
}

void TestStates::live() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        auto load = startWriting(rig, disk);
        recover(rig, disk);
        load->succeed(30s);
        rig.waitForState(disk, "live");
        rig.compare();
        const Outcome outcome = rig.initiator().command({"stop", disk.name()});
        require(outcome.status == 0 && !disk.exists(), "it was not stopped: " + outcome.output);
    });
}

void TestStates::waiting() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        auto load = startWriting(rig, disk);
        recover(rig, disk);
        rig.wait(500ms);
        const QString state = rig.stateOf(disk);
        require(state == "waiting" || state == "resuming", "without a cable it is " + state);
        require(load->running(), "the writer did not wait:\n" + load->output());
        rig.plugIn();
        rig.waitForState(disk, "live");
        load->succeed(30s);
        rig.compare();

        rig.pullCable();
        rig.waitForState(disk, "waiting");
        stopByForce(rig, disk);
    });
}

// The request that was held is under way again, and the store takes its time.
void TestStates::resuming() {
    play([](Rig& rig) {
        HeldStore store("/run/belay-scenario/stores0");
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        std::unique_ptr<Program> load;
        const auto reach = [&] {
            rig.pullCable();
            rig.waitForState(disk, "waiting");
            load = startWriting(rig, disk);
            rig.wait(500ms);
            store.holdNext();
            rig.plugIn();
            rig.waitForState(disk, "resuming");
            require(waitUntil([&] { return store.isHolding(); }), "nothing was sent again");
        };
        reach();
        recover(rig, disk);
        rig.wait(500ms);
        require(rig.stateOf(disk) != "live", "it is live with a request of before under way");
        store.release();
        rig.waitForState(disk, "live", 30s);
        load->succeed(30s);
        rig.compare();

        reach();
        stopByForce(rig, disk);
        require(load->finish(5s) != 0, "the writer got no error");
        store.release();
        rig.end();
    });
}

void TestStates::crashed() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        crash(rig, disk, 4);
        QElapsedTimer clock;
        clock.start();
        rig.waitForState(disk, "crashed");
        recover(rig, disk);
        require(rig.stateOf(disk) != "crashed", "recover has not begun");
        // Its turn would come after four seconds.
        require(clock.elapsed() < 3500, "too slow to tell recover from the turn itself");
        rig.waitForState(disk, "live");
        rig.compare();

        beginAnew(rig);
        rig.waitForState(disk, "live");
        crash(rig, disk, 4);
        rig.waitForState(disk, "crashed");
        stopByForce(rig, disk);
    });
}

void TestStates::recovering() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        pid_t last = 0;
        const auto begin = [&] {
            last = rig.initiator().worker();
            rig.initiator().killWorker();
        };
        const auto next = [&] {
            const auto status = rig.initiator().status();
            const pid_t now =
                status ? status->at("workers").at("initiator").at("pid").get<pid_t>() : 0;
            return now == last ? 0 : now;
        };
        const pid_t process = catchIn(rig, disk, "recovering", begin, next);
        recover(rig, disk);
        require(rig.stateOf(disk) == "recovering", "recover has changed its state");
        ::kill(process, SIGCONT);
        rig.waitForState(disk, "live");
        rig.compare();

        beginAnew(rig);
        rig.waitForState(disk, "live");
        catchIn(rig, disk, "recovering", begin, next);
        stopByForce(rig, disk);
    });
}

void TestStates::failed() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        const auto reach = [&] {
            const Outcome outcome = rig.initiator().command({"policy", disk.name(), "1"});
            require(outcome.status == 0, "the policy was refused: " + outcome.output);
            rig.pullCable();
            rig.waitForState(disk, "failed");
            require(startWriting(rig, disk)->finish(5s) != 0, "the writer got no error");
        };
        reach();
        rig.plugIn();
        rig.wait(1s);
        recover(rig, disk);
        rig.waitForState(disk, "live");
        startWriting(rig, disk)->succeed();
        rig.compare();

        reach();
        stopByForce(rig, disk);
    });
}

void TestStates::needsAttention() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        const QString aside = disk.store() + ".aside";
        const auto reach = [&] {
            rig.target().end();
            mustRun({"mv", disk.store(), aside});
            mustRun({"cp", aside, disk.store()});
            rig.target().startAgain();
            rig.waitForState(disk, "needs-attention");
        };
        reach();
        recover(rig, disk);
        rig.waitForState(disk, "needs-attention");
        rig.target().worker();
        rig.target().end();
        mustRun({"mv", "-f", aside, disk.store()});
        rig.target().startAgain();
        rig.target().worker();
        recover(rig, disk);
        rig.waitForState(disk, "live");
        rig.compare();

        reach();
        stopByForce(rig, disk);
    });
}

// A worker that hangs with requests makes the end take long enough to be seen.
void TestStates::stoppingAndGone() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        auto load = startWriting(rig, disk);
        rig.wait(500ms);
        ::kill(rig.initiator().worker(), SIGSTOP);
        const std::array<QString, 2> programs = {BELAY_HOSTD, BELAY_GADGET};
        auto first =
            rig.startProgram({programs[rig.direction() == Direction::Attach ? 0 : 1], "--run-dir",
                              rig.initiator().runDir(), "stop", disk.name(), "--force"});
        require(waitUntil([&] { return rig.stateOf(disk) == "stopping"; }, kPatience, 1ms),
                "it is never seen stopping");
        // It may be gone by now, which is an error of its own.
        static_cast<void>(rig.initiator().command({"recover", disk.name()}));
        const QString state = rig.stateOf(disk);
        require(state == "stopping" || state.isEmpty(), "recover has made it " + state);
        static_cast<void>(rig.initiator().command({"stop", disk.name(), "--force"}, kStopLimit));
        first->succeed(kStopLimit);
        require(!disk.exists(), "the device stays");
        require(load->finish(5s) != 0, "the writer got no error");

        // The number stays taken until the kernel has let go of the last reference.
        for (const char* command : {"recover", "stop"}) {
            const auto isUnknown = [&] {
                const Outcome outcome = rig.initiator().command({command, disk.name()});
                return outcome.status != 0 && outcome.output.contains("no such device");
            };
            require(waitUntil(isUnknown, 5s, 100ms),
                    QString("%1 of what is gone is no error").arg(command));
        }
    });
}

QTEST_GUILESS_MAIN(TestStates)
#include "tst_states.moc"
