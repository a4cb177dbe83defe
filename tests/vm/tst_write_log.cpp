#include "tests/vm/scenario/held_store.h"
#include "tests/vm/scenario/scenario.h"
#include "tests/vm/scenario/target_machine.h"

#include <QRegularExpression>
#include <QTest>

using namespace scenario;

// The machine that has the bytes goes down, and loses for real what was written and not synced: it
// gets it again from the write log, also if the process that wrote it is dead.
class TestWriteLog : public QObject {
    Q_OBJECT

 private slots:
    void lostBytesAreWrittenAgain_data() { inBothDirections(); }
    void lostBytesAreWrittenAgain();
    void underLoad_data() { inBothDirections(); }
    void underLoad();
    void failedWriteBack_data() { inBothDirections(); }
    void failedWriteBack();
    void memoryIsGivenBack_data() { inBothDirections(); }
    void memoryIsGivenBack();
    void moreThanTheLogHolds_data() { inBothDirections(); }
    void moreThanTheLogHolds();
    void withoutLogDataMayBeMissing_data() { inBothDirections(); }
    void withoutLogDataMayBeMissing();
    void lostLogMeansDataMayBeMissing_data() { inBothDirections(); }
    void lostLogMeansDataMayBeMissing();
};

namespace {

// Writes to the beginning of the device, past the page cache, and does not flush.
void writeRandom(Rig& rig, const Disk& disk, int mib) {
    rig.note(QString("write %1 MiB").arg(mib));
    mustRun({"sh", "-c",
             QString("dd if=/dev/urandom bs=1M count=%1 status=none | "
                     "dd of=%2 bs=64k iflag=fullblock oflag=direct conv=notrunc status=none")
                 .arg(mib)
                 .arg(disk.node())});
}

// Of its shared memory, which is its write logs', what a process takes up, in KiB.
int sharedKib(pid_t process) {
    const QRegularExpression pattern("RssShmem:\\s*(\\d+) kB");
    return pattern.match(QString::fromUtf8(readFile(QString("/proc/%1/status").arg(process))))
        .captured(1)
        .toInt();
}

void needSavedAgain(Rig& rig) {
    require(rig.initiator().output().contains("is saved again"), "nothing was written again");
}

void flush(const Disk& disk) {
    mustRun({"sync", disk.node()});
}

void acceptLoss(Rig& rig, Disk& disk) {
    const Outcome refused = rig.initiator().command({"recover", disk.name()});
    require(refused.status != 0, "it went on without being told that bytes are missing");
    const Outcome outcome = rig.initiator().command({"recover", disk.name(), "--accept-loss"});
    require(outcome.status == 0, "recover was refused: " + outcome.output);
    rig.waitForState(disk, "live");
}

void needMissing(Rig& rig, Disk& disk) {
    rig.waitForState(disk, "needs-attention");
    const auto problems = rig.deviceOf(disk)->at("problems");
    require(problems.size() == 1 && problems[0] == "data-may-be-missing",
            QString::fromStdString(problems.dump()));
}

}  // namespace

void TestWriteLog::lostBytesAreWrittenAgain() {
    play([](Rig& rig) {
        TargetMachine machine(rig);
        Disk& disk = rig.offer("disk", 5);
        machine.sync();
        rig.start();
        for (const bool workerDiesToo : {false, true}) {
            writeRandom(rig, disk, 3);
            const QByteArray written = disk.sha256OfDevice();
            require(rig.unsavedBytes(disk) == 3 << 20,
                    QString("%1 bytes are unsaved").arg(rig.unsavedBytes(disk)));
            machine.goDown();
            require(disk.sha256OfStore() != written, "nothing was lost: this shows nothing");
            rig.waitForState(disk, "waiting");
            if (workerDiesToo)
                rig.initiator().killWorker();
            machine.comeBack();
            rig.waitForState(disk, "live");
            needSavedAgain(rig);
            require(disk.sha256OfDevice() == written, "the device shows other bytes");
            require(disk.sha256OfStore() == written, "the store has other bytes");
            require(rig.unsavedBytes(disk) == 0, "what was written again is not saved");
            // What was written again was flushed, so that another power loss takes nothing.
            machine.goDown();
            require(disk.sha256OfStore() == written, "it was not flushed");
            machine.comeBack();
            rig.waitForState(disk, "live");
        }
        rig.compare();
        rig.end();
    });
}

void TestWriteLog::underLoad() {
    play([](Rig& rig) {
        TargetMachine machine(rig);
        Disk& disk = rig.offer("disk", 8);
        machine.sync();
        rig.start();
        const auto fio = rig.startFio(disk, {.blocks = "4k-256k", .mib = 8, .loops = times(3, 15)});
        for (int round = 0; round < times(2, 8) && fio->running(); ++round) {
            disk.awaitProgress(60);
            // Not in the moment after the log made room by a flush.
            require(waitUntil([&] { return rig.unsavedBytes(disk) > 0 || !fio->running(); }),
                    "all that is written is saved at once");
            machine.goDown();
            if (round % 2 == 1)
                rig.initiator().killWorker();
            machine.comeBack();
            rig.waitForState(disk, "live");
        }
        fio->succeed(200s);
        needSavedAgain(rig);
        rig.compare();
        rig.end();
    });
}

// The target's kernel cannot write back what it has acknowledged, tells it to one flush, and has
// forgotten the bytes.
void TestWriteLog::failedWriteBack() {
    play([](Rig& rig) {
        HeldStore store("/run/belay-scenario/stores0");
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        writeRandom(rig, disk, 1);
        flush(disk);
        for (int round = 0; round < 2; ++round) {
            writeRandom(rig, disk, 2);
            const QByteArray written = disk.sha256OfDevice();
            rig.note("the write-back fails");
            store.failNextSync();
            require(run({"sync", disk.node()}).status != 0, "who flushes is not told");
            require(waitUntil([&] { return disk.sha256OfStore() == written; }),
                    "what was lost was not written again");
            rig.waitForState(disk, "live");
            needSavedAgain(rig);
            flush(disk);
            require(disk.sha256OfDevice() == written, "the device shows other bytes");
            require(rig.unsavedBytes(disk) == 0, "what was written again is not saved");
        }
        rig.compare();
        rig.end();
    });
}

void TestWriteLog::memoryIsGivenBack() {
    play([](Rig& rig) {
        TargetMachine machine(rig);
        Disk& disk = rig.offer("disk", 4);
        machine.sync();
        rig.start();
        const pid_t worker = rig.initiator().worker();
        for (int round = 0; round < 2; ++round) {
            writeRandom(rig, disk, 3);
            require(sharedKib(worker) > 3 << 10, "the log is somewhere else");
            flush(disk);
            require(waitUntil([&] { return sharedKib(worker) < 1536; }, 12s),
                    QString("%1 KiB are not given back").arg(sharedKib(worker)));
        }
        writeRandom(rig, disk, 3);
        const QByteArray written = disk.sha256OfDevice();
        machine.goDown();
        rig.initiator().killWorker();
        machine.comeBack();
        rig.waitForState(disk, "live");
        needSavedAgain(rig);
        require(disk.sha256OfDevice() == written, "the device shows other bytes");
        rig.compare();
        rig.end();
    });
}

void TestWriteLog::moreThanTheLogHolds() {
    play([](Rig& rig) {
        TargetMachine machine(rig);
        rig.setInitiatorOptions({"--write-log", "4"});
        Disk& disk = rig.offer("disk", 8);
        machine.sync();
        rig.start();
        writeRandom(rig, disk, 7);
        const qint64 unsaved = rig.unsavedBytes(disk);
        require(unsaved >= 0 && unsaved <= 4 << 20,
                QString("%1 bytes are unsaved in a log of 4 MiB").arg(unsaved));
        const QByteArray written = disk.sha256OfDevice();
        machine.goDown();
        rig.initiator().killWorker();
        machine.comeBack();
        rig.waitForState(disk, "live");
        require(disk.sha256OfDevice() == written, "the device shows other bytes");
        rig.end();
    });
}

void TestWriteLog::withoutLogDataMayBeMissing() {
    play([](Rig& rig) {
        TargetMachine machine(rig);
        rig.setInitiatorOptions({"--write-log", "0"});
        Disk& disk = rig.offer("disk", 8);
        machine.sync();
        rig.start();
        writeRandom(rig, disk, 2);
        flush(disk);
        machine.goDown();
        machine.comeBack();
        rig.waitForState(disk, "live");
        writeRandom(rig, disk, 2);
        machine.goDown();
        machine.comeBack();
        needMissing(rig, disk);
        acceptLoss(rig, disk);
        rig.compare();
        rig.end();
    });
}

// The supervisor of a worker that does not outlast it takes the log along.
void TestWriteLog::lostLogMeansDataMayBeMissing() {
    play([](Rig& rig) {
        TargetMachine machine(rig);
        Disk& disk = rig.offer("disk", 8);
        machine.sync();
        rig.start();
        writeRandom(rig, disk, 2);
        machine.goDown();
        rig.initiator().killSupervisor();
        rig.initiator().startAgain();
        machine.comeBack();
        needMissing(rig, disk);
        acceptLoss(rig, disk);
        // From here on there is a log that knows all.
        writeRandom(rig, disk, 2);
        const QByteArray written = disk.sha256OfDevice();
        machine.goDown();
        machine.comeBack();
        rig.waitForState(disk, "live");
        require(disk.sha256OfDevice() == written, "the device shows other bytes");
        rig.end();
    });
}

QTEST_GUILESS_MAIN(TestWriteLog)
#include "tst_write_log.moc"
