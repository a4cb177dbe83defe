#include "tests/vm/kill_matrix/stages.h"
#include "tests/vm/scenario/hold.h"
#include "tests/vm/scenario/scenario.h"

#include <signal.h>

#include <QTest>

using namespace scenario;
using kill_matrix::Stage;
using kill_matrix::Who;

Q_DECLARE_METATYPE(kill_matrix::Stage)

// What comes while a device is being made, at each place of that.
class TestMaking : public QObject {
    Q_OBJECT

 private slots:
    void otherContentMeanwhile_data() { everyPlace(); }
    void otherContentMeanwhile();
    void endedMeanwhile_data() { everyPlace(); }
    void endedMeanwhile();

 private:
    static void everyPlace();
};

void TestMaking::everyPlace() {
    QTest::addColumn<bool>("lend");
    QTest::addColumn<Stage>("stage");
    // The short form takes some of them, and on each kernel others.
    int number = oldKernel() ? 0 : 1;
    for (const bool lend : {false, true})
        for (const Stage& stage : kill_matrix::kStart)
            if (full() || number++ % 3 == 0)
                QTest::addRow("%s.%s.%s", lend ? "lend" : "attach", nameOf(stage.who), stage.place)
                    << lend << stage;
}

// The end with the bytes restarts with another content of the same name. What comes of the old
// offer goes away again; the device is made of the new one.
void TestMaking::otherContentMeanwhile() {
    QFETCH(Stage, stage);
    play([&](Rig& rig) {
        Hold hold(stage.place, "/run/belay-scenario/hold");
        Daemon& initiator = rig.initiator();
        initiator.setEnvironment(hold.environment());
        const auto said = [&](const QByteArray& text) { return initiator.output().count(text); };
        Disk& disk = rig.offer("disk", 4);
        rig.startGadget();
        hold.arm();
        rig.startHost();
        hold.await();
        rig.note(QString("held at %1").arg(stage.place));

        rig.target().end();
        disk.change();
        rig.note("offer another content");
        rig.target().startAgain();
        // Who is not held goes as far as it can meanwhile.
        if (stage.who != Who::Worker)
            require(waitUntil([&] { return said("session ended") > 0; }),
                    "the initiator does not see that the session has ended");
        if (stage.who == Who::Control)
            require(waitUntil([&] { return said(" opened, ") > 1; }),
                    "no session is opened with the other content");
        hold.release();
        rig.waitForState(disk, "live");
        rig.compare();
        require(said(" ready: disk") == 1 && said(" waiting: ") == 0 && said(" ready again") == 0,
                "a device was called ready that was made of what is gone:\n" +
                    QString::fromUtf8(initiator.output()));
    });
}

// The program is told to end, once. It leaves no device behind, and calls none ready.
void TestMaking::endedMeanwhile() {
    QFETCH(Stage, stage);
    play([&](Rig& rig) {
        Hold hold(stage.place, "/run/belay-scenario/hold");
        Daemon& initiator = rig.initiator();
        initiator.setEnvironment(hold.environment());
        rig.offer("disk", 4);
        rig.startGadget();
        hold.arm();
        rig.startHost();
        hold.await();
        rig.note(QString("held at %1, and told to end").arg(stage.place));
        ::kill(initiator.supervisor(), SIGTERM);
        if (stage.who != Who::Supervisor)
            rig.wait(300ms);  // whoever is not held acts on it
        hold.release();
        require(waitUntil([&] { return !initiator.running(); }), "it does not end");
        rig.end();
        require(!initiator.output().contains(" ready: "),
                "a device was called ready:\n" + QString::fromUtf8(initiator.output()));
    });
}

QTEST_GUILESS_MAIN(TestMaking)
#include "tst_making.moc"
