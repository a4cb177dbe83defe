#include "tests/vm/scenario/scenario.h"

#include <signal.h>

#include <QRegularExpression>
#include <QTest>

using namespace scenario;

// Two gadgets at once, and two disks of one: the trouble of one is its own.
class TestTwoGadgets : public QObject {
    Q_OBJECT

 private slots:
    void onePulledOtherGoesOn_data() { inBothDirections(); }
    void onePulledOtherGoesOn();
    void oneDiskStoppedOtherGoesOn_data() { inBothDirections(); }
    void oneDiskStoppedOtherGoesOn();
};

void TestTwoGadgets::onePulledOtherGoesOn() {
    playWithTwo([](Rig& first, Rig& second) {
        for (Rig* rig : {&first, &second}) {
            for (const char* label : {"one", "two", "three"})
                rig->offer(label, 4);
            rig->start();
        }
        const FioJob job = {
            .blocks = "16k", .depth = 8, .mib = 4, .loops = times(3, 6), .pauseUs = 20000};
        auto load = first.startFio(first.disk("one"), job);
        first.disk("one").awaitProgress(10);
        auto reader = second.startProgram({SCENARIO_REQUESTS, "watch", second.disk("two").node()});
        second.disk("two").awaitProgress(50);
        // A load that is over is followed by another.
        const auto awaitBusy = [&] {
            const qint64 goal = first.disk("one").completed() + 10;
            const auto isBusy = [&] {
                if (!load->running()) {
                    load->succeed();
                    load = first.startFio(first.disk("one"), job);
                }
                return first.disk("one").completed() >= goal;
            };
            require(waitUntil(isBusy, kPatience, 1ms), "the load makes no progress");
        };
        for (int i = 0; i < times(2, 20); ++i) {
            awaitBusy();
            first.pullCable();
            for (Disk* disk : first.disks())
                first.waitForState(*disk, "waiting");
            first.wait(1s);
            require(second.stateOf(second.disk("two")) == "live", "the other one lost its link");
            first.plugIn();
            first.waitForAllLive();
        }
        reader->signal(SIGTERM);
        reader->succeed();
        load->succeed(120s);
        const auto longest =
            QRegularExpression("longest (\\d+) ms").match(reader->output()).captured(1).toInt();
        qInfo("%s, the other gadget's longest pause: %d ms", QTest::currentDataTag(), longest);
        // One that waited for the other's cable would have waited for longer than a second.
        require(longest < 900, QString("its I/O paused for %1 ms").arg(longest));
        first.compare();
        second.compare();
    });
}

// Taken away in the middle of its requests: those of the other disk, in the same session, get no
// error of it.
void TestTwoGadgets::oneDiskStoppedOtherGoesOn() {
    play([](Rig& rig) {
        Disk& gone = rig.offer("gone", 4);
        Disk& kept = rig.offer("kept", 4);
        rig.start();
        // Two that do not pause leave one emulated processor no time for the removal, nor for who
        // asks for it: then it is the machine that is tested.
        auto doomed =
            rig.startFio(gone, {.blocks = "4k-16k", .mib = 4, .loops = 1000, .pauseUs = 100'000});
        auto load = rig.startFio(kept, {.blocks = "4k-16k",
                                        .mib = 2,
                                        .loops = times(onPrivateBus() ? 8 : 2, 12),
                                        .pauseUs = 200'000});
        gone.awaitProgress(20);
        kept.awaitProgress(20);
        const pid_t worker = rig.initiator().worker();
        const Outcome outcome = rig.stop(gone, true);
        require(outcome.status == 0, "stop was refused: " + outcome.output);
        require(doomed->finish(5s) != 0, "the load saw no error although its disk is gone");
        require(load->running(), "the other load was over too soon, or failed:\n" + load->output());
        // A removal that takes too long costs the worker, on a slow machine: a pause for the other
        // disk, and no more.
        rig.waitForState(kept, "live");
        kept.awaitProgress(20);
        if (rig.initiator().worker() != worker)
            qInfo("%s: the worker was replaced", QTest::currentDataTag());
        load->succeed(120s);
        kept.compare();
    });
}

int main(int argc, char** argv) {
    TestTwoGadgets test;
    return runScenarios(argc, argv, test);
}

#include "tst_two_gadgets.moc"
