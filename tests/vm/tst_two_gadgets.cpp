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
    void staysWithItsGadget_data() { inBothDirections(); }
    void staysWithItsGadget();
    void takesTheOtherWhenFree_data() { attached(); }
    void takesTheOtherWhenFree();

 private:
    static void attached();
};

namespace {

// belay-hostd for whatever gadget comes.
void startHostForAny(Rig& rig) {
    rig.note("start the host without --gadget");
    QStringList options;
    if (rig.direction() == Direction::Attach)
        options = {"--attach", "all"};
    else
        for (const Disk* disk : rig.disks())
            options += {"--lend", disk->store(), "--label", disk->label()};
    rig.host().start(options);
}

// Its host says as often that the gadget with this serial number is left alone, and why.
void awaitLeftAlone(Rig& rig, const QByteArray& serial, const QByteArray& why, int times) {
    const auto said = [&] {
        int found = 0;
        for (const QByteArray& line : rig.host().output().split('\n'))
            found += line.contains(" " + serial + " (port ") && line.contains("is left alone: ") &&
                             line.contains(why) && line.contains("--gadget " + serial)
                         ? 1
                         : 0;
        return found >= times;
    };
    require(waitUntil(said), "no line says that " + serial + " is left alone because " + why);
}

}  // namespace

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

// By hand, without a serial number: another gadget does not take the place of the one that is away.
// belayd tells them apart anyway (tst_hotplug.cpp).
void TestTwoGadgets::staysWithItsGadget() {
    if (onPrivateBus())
        return;
    playWithTwo([](Rig& first, Rig& second) {
        Disk& disk = first.offer("disk", 4);
        second.offer("other", 4);
        first.startGadget();
        startHostForAny(first);
        first.waitForState(disk, "live");
        const QByteArray why = first.direction() == Direction::Attach
                                   ? disk.name().toUtf8() + " came from "
                                   : QByteArray("what is lent here is in use by ");
        auto load = first.startFio(
            disk, {.blocks = "4k-16k", .mib = 2, .loops = times(4, 12), .pauseUs = 100'000});
        disk.awaitProgress(20);
        first.pullCable();
        first.waitForState(disk, "waiting");
        second.startGadget();
        awaitLeftAlone(first, "G1", why, 1);
        first.note("kill the host's supervisor");
        first.host().killSupervisor();
        first.host().startAgain();
        awaitLeftAlone(first, "G1", why, 2);
        first.waitForState(disk, "waiting");
        first.plugIn();
        first.waitForState(disk, "live");
        load->succeed(120s);
        disk.compare();
    });
}

void TestTwoGadgets::attached() {
    QTest::addColumn<bool>("lend");
    QTest::newRow("attach") << false;
}

// When nothing of the gadget that is away is here any more, the next one is served.
void TestTwoGadgets::takesTheOtherWhenFree() {
    if (onPrivateBus())
        return;
    playWithTwo([](Rig& first, Rig& second) {
        Disk& disk = first.offer("disk", 4);
        Disk& other = second.offer("other", 4);
        first.startGadget();
        startHostForAny(first);
        first.waitForState(disk, "live");
        second.startGadget();
        awaitLeftAlone(first, "G1", disk.name().toUtf8() + " came from ", 1);
        first.pullCable();
        first.waitForState(disk, "waiting");
        const Outcome outcome = first.stop(disk);
        require(outcome.status == 0, "stop was refused: " + outcome.output);
        require(waitUntil([&] { return first.host().device("other").has_value(); }),
                "the other gadget is still left alone");
        first.waitForState(other, "live");
        other.compare();
        first.plugIn();
        awaitLeftAlone(first, "G0", other.name().toUtf8() + " came from ", 1);
    });
}

int main(int argc, char** argv) {
    TestTwoGadgets test;
    return runScenarios(argc, argv, test);
}

#include "tst_two_gadgets.moc"
