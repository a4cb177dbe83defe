#include "tests/vm/scenario/scenario.h"

#include <QRandomGenerator>
#include <QTest>

using namespace scenario;

// The cable is pulled: I/O waits, no error reaches it, it goes on and verifies.
class TestCuts : public QObject {
    Q_OBJECT

 private slots:
    void pulledUnderDd_data() { inBothDirections(); }
    void pulledUnderDd();
    void pulledUnderFio_data() { inBothDirections(); }
    void pulledUnderFio();
    void pulledInFirstMillisecond_data() { inBothDirections(); }
    void pulledInFirstMillisecond();
    void pulledDuringSetUp_data() { inBothDirections(); }
    void pulledDuringSetUp();
};

namespace {

// How long the cable is out.
std::vector<Milliseconds> pauses() {
    if (full())
        return {1s, 10s, 40s};
    return onPrivateBus() ? std::vector<Milliseconds>{1s} : std::vector<Milliseconds>{1s, 5s};
}

// Pulls the cable while `load` is at work, and plugs it in again.
void interrupt(Rig& rig, Disk& disk, Program& load, Milliseconds pause,
               Cable::Method method = Cable::Method::Port) {
    disk.awaitProgress(20);
    rig.pullCable(method);
    rig.waitForState(disk, "waiting", 5s);
    require(load.running(), "the load was over before the cable was pulled");
    // What was answered before may still be on its way to the kernel.
    rig.wait(300ms);
    const qint64 before = disk.completed();
    rig.wait(pause);
    require(disk.completed() == before,
            QString("%1 requests were finished without a cable").arg(disk.completed() - before));
    require(load.running(), "the load did not wait:\n" + load.output());
    rig.plugIn();
    rig.waitForState(disk, "live");
}

}  // namespace

void TestCuts::pulledUnderDd() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 12);
        rig.start();
        const QString copy = "/run/belay-scenario/copy";
        for (const Milliseconds pause : pauses()) {
            auto reading = rig.startProgram(
                {"dd", "if=" + disk.node(), "of=" + copy, "bs=64k", "iflag=direct"});
            interrupt(rig, disk, *reading, pause);
            reading->succeed(60s);
            mustRun({"cmp", copy, disk.store()});

            mustRun({"dd", "if=/dev/urandom", "of=" + copy, "bs=1M", "count=12"});
            auto writing = rig.startProgram(
                {"dd", "if=" + copy, "of=" + disk.node(), "bs=64k", "oflag=direct"});
            interrupt(rig, disk, *writing, pause);
            writing->succeed(60s);
            mustRun({"cmp", copy, disk.store()});
        }
        QFile::remove(copy);
    });
}

void TestCuts::pulledUnderFio() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.start();
        for (const Milliseconds pause : pauses()) {
            auto fio = rig.startFio(disk, {.blocks = "4k-256k", .mib = 16, .loops = 2});
            interrupt(rig, disk, *fio, pause);
            interrupt(rig, disk, *fio, 200ms);
            fio->succeed(120s);
            rig.compare();
        }
        auto fio = rig.startFio(disk, {.blocks = "4k-256k", .mib = 16, .loops = 2});
        interrupt(rig, disk, *fio, 1s, Cable::Method::Udc);
        fio->succeed(120s);
        rig.compare();
    });
}

void TestCuts::pulledInFirstMillisecond() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        const QString port = rig.cable().portFile();
        for (int i = 0; i < times(3, 50); ++i) {
            const int us = QRandomGenerator::global()->bounded(1000);
            for (const char* kind : {"write", "read"}) {
                rig.startProgram({SCENARIO_REQUESTS, "cut", disk.node(), kind, QString::number(i),
                                  QString::number(us), "100", port})
                    ->succeed(30s);
                rig.waitForState(disk, "live");
            }
        }
        rig.compare();
    });
}

void TestCuts::pulledDuringSetUp() {
    play([](Rig& rig) {
        rig.offer("disk", 4);
        for (int i = 0; i < times(3, 30); ++i) {
            rig.startGadget();
            rig.startHost();
            rig.wait(Milliseconds(QRandomGenerator::global()->bounded(600)));
            rig.pullCable();
            rig.wait(Milliseconds(QRandomGenerator::global()->bounded(300)));
            rig.plugIn();
            rig.waitForAllLive();
            rig.compare();
            rig.end();
        }
    });
}

int main(int argc, char** argv) {
    TestCuts test;
    return runScenarios(argc, argv, test);
}

#include "tst_cuts.moc"
