#include "tests/vm/scenario/scenario.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <QDir>
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
    void moreThanTheLogHolds_data() { inBothDirections(); }
    void moreThanTheLogHolds();
    void withoutLogDataMayBeMissing_data() { inBothDirections(); }
    void withoutLogDataMayBeMissing();
    void lostLogMeansDataMayBeMissing_data() { inBothDirections(); }
    void lostLogMeansDataMayBeMissing();
};

namespace {

// _IOR('X', 125, __u32) and EXT4_GOING_FLAGS_NOLOGFLUSH of Linux' fs/ext4/ext4.h: from then on the
// file system writes nothing any more, not even its journal.
constexpr unsigned long kExt4Shutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t kNoLogFlush = 2;

// The target's machine: its stores are on a file system of their own, which can lose power.
class Machine {
 public:
    explicit Machine(Rig& rig) : rig_(rig), image_("/run/write-log.img") {
        require(QDir().mkpath(folder()), "no folder for the stores");
        mustRun({"truncate", "-s", "96M", image_});
        mustRun({"mkfs.ext4", "-q", image_});
        mount();
    }
    ~Machine() { run({"umount", "-l", folder()}); }

    // The stores' contents as they are now survive.
    void sync() { mustRun({"sync", "-f", folder()}); }
    void goDown() {
        rig_.note("the target's machine goes down");
        rig_.target().killSupervisor();
        const int mounted = ::open(qPrintable(folder()), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        std::uint32_t how = kNoLogFlush;
        const bool down = mounted >= 0 && ::ioctl(mounted, kExt4Shutdown, &how) == 0;
        ::close(mounted);
        require(down, "the file system does not shut down");
        // Another mount finds what is on the disk; and of /run nothing is left.
        const bool unmounted = waitUntil(
            [this] {
                return run({"umount", folder()}).status == 0;
            },
            10s, 50ms);
        require(unmounted, "somebody has the stores open still");
        mount();
        mustRun({"rm", "-rf", rig_.target().runDir() + "/worker"});
    }
    void comeBack() {
        rig_.note("the target's machine is back");
        rig_.target().startAgain();
    }

 private:
    QString folder() const { return rig_.storeFolder(); }
    void mount() { mustRun({"mount", "-o", "loop", image_, folder()}); }

    Rig& rig_;
    const QString image_;
};

// Writes to the beginning of the device, past the page cache, and does not flush.
void writeRandom(Rig& rig, const Disk& disk, int mib) {
    rig.note(QString("write %1 MiB").arg(mib));
    mustRun({"sh", "-c",
             QString("dd if=/dev/urandom bs=1M count=%1 status=none | "
                     "dd of=%2 bs=64k iflag=fullblock oflag=direct conv=notrunc status=none")
                 .arg(mib)
                 .arg(disk.node())});
}

qint64 unsavedBytes(Rig& rig, const Disk& disk) {
    const auto device = rig.deviceOf(disk);
    return device && device->contains("counters")
               ? device->at("counters").at("unsavedBytes").get<qint64>()
               : -1;
}

void needSavedAgain(Rig& rig) {
    require(rig.initiator().output().contains("is saved again"), "nothing was written again");
}

void flush(const Disk& disk) {
    mustRun({"sync", disk.node()});
}

// The next one is there when this returns. On its way to a mount namespace of its own it has for a
// moment all mounts of this guest, and the gadget's must not be busy when that starts again.
void replaceWorker(Rig& rig) {
    rig.note("kill the initiator's worker");
    const pid_t old = rig.initiator().worker();
    rig.initiator().killWorker();
    require(waitUntil([&] { return rig.initiator().worker() != old; }), "no worker follows");
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
        Machine machine(rig);
        Disk& disk = rig.offer("disk", 16);
        machine.sync();
        rig.start();
        for (const bool workerDiesToo : {false, true}) {
            writeRandom(rig, disk, 3);
            const QByteArray written = disk.sha256OfDevice();
            require(unsavedBytes(rig, disk) == 3 << 20,
                    QString("%1 bytes are unsaved").arg(unsavedBytes(rig, disk)));
            machine.goDown();
            require(disk.sha256OfStore() != written, "nothing was lost: this shows nothing");
            rig.waitForState(disk, "waiting");
            if (workerDiesToo)
                replaceWorker(rig);
            machine.comeBack();
            rig.waitForState(disk, "live");
            needSavedAgain(rig);
            require(disk.sha256OfDevice() == written, "the device shows other bytes");
            require(disk.sha256OfStore() == written, "the store has other bytes");
            require(unsavedBytes(rig, disk) == 0, "what was written again is not saved");
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
        Machine machine(rig);
        Disk& disk = rig.offer("disk", 16);
        machine.sync();
        rig.start();
        const auto fio = rig.startFio(disk, {.blocks = "4k-256k", .mib = 12, .loops = 4});
        for (int round = 0; round < times(2, 8) && fio->running(); ++round) {
            disk.awaitProgress(60);
            machine.goDown();
            if (round % 2 == 1)
                replaceWorker(rig);
            machine.comeBack();
            rig.waitForState(disk, "live");
        }
        fio->succeed(200s);
        needSavedAgain(rig);
        rig.compare();
        rig.end();
    });
}

void TestWriteLog::moreThanTheLogHolds() {
    play([](Rig& rig) {
        Machine machine(rig);
        rig.setInitiatorOptions({"--write-log", "4"});
        Disk& disk = rig.offer("disk", 12);
        machine.sync();
        rig.start();
        writeRandom(rig, disk, 11);
        const qint64 unsaved = unsavedBytes(rig, disk);
        require(unsaved >= 0 && unsaved <= 4 << 20,
                QString("%1 bytes are unsaved in a log of 4 MiB").arg(unsaved));
        const QByteArray written = disk.sha256OfDevice();
        machine.goDown();
        replaceWorker(rig);
        machine.comeBack();
        rig.waitForState(disk, "live");
        require(disk.sha256OfDevice() == written, "the device shows other bytes");
        rig.end();
    });
}

void TestWriteLog::withoutLogDataMayBeMissing() {
    play([](Rig& rig) {
        Machine machine(rig);
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
        Machine machine(rig);
        Disk& disk = rig.offer("disk", 8);
        machine.sync();
        rig.start();
        writeRandom(rig, disk, 2);
        machine.goDown();
        rig.initiator().killSupervisor();
        rig.initiator().startAgain();
        rig.initiator().worker();
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
