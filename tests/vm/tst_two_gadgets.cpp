#include "tests/vm/scenario/scenario.h"

#include <signal.h>

#include <QRegularExpression>
#include <QTest>

using namespace scenario;

// Two gadgets at once: the trouble of one is its own.
class TestTwoGadgets : public QObject {
    Q_OBJECT

 private slots:
    void onePulledOtherGoesOn_data() { inBothDirections(); }
    void onePulledOtherGoesOn();
};

void TestTwoGadgets::onePulledOtherGoesOn() {
    playWithTwo([](Rig& first, Rig& second) {
        for (Rig* rig : {&first, &second}) {
            for (const char* label : {"one", "two", "three"})
                rig->offer(label, 4);
            rig->start();
        }
        auto load = first.startFio(first.disk("one"),
                                   {.blocks = "16k", .depth = 8, .mib = 4, .loops = times(3, 20)});
        first.disk("one").awaitProgress(10);
        auto reader = second.startProgram({SCENARIO_REQUESTS, "watch", second.disk("two").node()});
        second.disk("two").awaitProgress(50);
        for (int i = 0; i < times(2, 20); ++i) {
            first.disk("one").awaitProgress(10);
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
        load->succeed(60s);
        const auto longest =
            QRegularExpression("longest (\\d+) ms").match(reader->output()).captured(1).toInt();
        qInfo("%s, the other gadget's longest pause: %d ms", QTest::currentDataTag(), longest);
        require(longest < 500, QString("its I/O paused for %1 ms").arg(longest));
        first.compare();
        second.compare();
    });
}

QTEST_GUILESS_MAIN(TestTwoGadgets)
#include "tst_two_gadgets.moc"
