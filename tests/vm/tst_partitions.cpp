#include "tests/vm/scenario/partitions.h"
#include "tests/vm/scenario/scenario.h"

#include <signal.h>

#include <QDir>
#include <QFile>
#include <QTest>

using namespace scenario;

// Disks with partitions: they are there when the disk is live, stay through whatever happens, and
// follow the table when it is written.
class TestPartitions : public QObject {
    Q_OBJECT

 private slots:
    void stayThroughEverything_data() { inBothDirections(); }
    void stayThroughEverything();
    void followTheirTable_data() { inBothDirections(); }
    void followTheirTable();
    void inUse_data() { inBothDirections(); }
    void inUse();
    void readThatHangs_data() { inBothDirections(); }
    void readThatHangs();
    void writtenMeanwhile_data() { inBothDirections(); }
    void writtenMeanwhile();
    void goWithTheirDisk_data() { inBothDirections(); }
    void goWithTheirDisk();
};

namespace {

// Opened for writing and closed again, with nothing written.
void touch(const Disk& disk) {
    mustRun({"dd", "if=/dev/null", "of=" + disk.node(), "count=0", "conv=notrunc", "status=none"});
}

// LVM without a udev to ask.
QByteArray lvm(const Disk& disk, const QStringList& words) {
    return mustRun(
        QStringList{"lvm"} + words +
        QStringList{"--config",
                    QString("devices { dir=\"/dev\" scan=[\"/dev\"] filter=[\"a|^%1p|\", "
                            "\"r|.*|\"] use_devicesfile=0 obtain_device_list_from_udev=0 "
                            "external_device_info_source=\"none\" } "
                            "activation { udev_sync=0 udev_rules=0 monitoring=0 } "
                            "global { use_lvmpolld=0 event_activation=0 } "
                            "backup { backup=0 archive=0 }")
                        .arg(disk.node())});
}

}  // namespace

void TestPartitions::stayThroughEverything() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 72);
        writeTable(disk.store(), gpt({mib(1, 20), mib(21, 20), mib(41, 30)}));
        rig.start();
        const QString all = inSectors({"1:1+20", "2:21+20", "3:41+30"});
        waitForShown(rig, disk, all);

        for (const int number : {1, 2})
            mustRun({"mkfs.ext4", "-q", "-F", part(disk, number)});
        lvm(disk, {"pvcreate", "-q", part(disk, 3)});
        lvm(disk, {"vgcreate", "-q", "belay", part(disk, 3)});
        lvm(disk, {"lvcreate", "-q", "-Zn", "-Wn", "-L", "16M", "-n", "volume", "belay"});
        const QString volume = "/dev/mapper/belay-volume";
        mustRun({"mkfs.ext4", "-q", "-F", volume});
        Mounted one(rig, part(disk, 1), "one");
        Mounted two(rig, part(disk, 2), "two");
        Mounted three(rig, volume, "three");

        const auto use = [&](const QString& when) {
            rig.waitForState(disk, "live");
            require(shown(disk) == all, when + ": it shows " + shown(disk));
            for (const Mounted* mounted : {&one, &two, &three}) {
                const QString file = mounted->folder() + "/" + when;
                mustRun(
                    {"sh", "-c",
                     QString("dd if=/dev/urandom of=%1 bs=64k count=8 conv=fsync status=none && "
                             "cp %1 %1.copy && sync -f %1.copy && cmp %1 %1.copy")
                         .arg(file)});
            }
        };
        use("first");
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        rig.plugIn();
        use("pulled");
        rig.initiator().killWorker();
        use("killed-initiator");
        rig.target().killWorker();
        use("killed-target");
        rig.initiator().killSupervisor();
        rig.initiator().startAgain();
        use("killed-supervisor");

        three.unmount();
        lvm(disk, {"vgchange", "-q", "-an", "belay"});
        one.unmount();
        two.unmount();
        for (const int number : {1, 2})
            mustRun({"fsck.ext4", "-f", "-n", part(disk, number)});
        rig.compare();
    });
}

void TestPartitions::followTheirTable() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 32);
        rig.start();
        mustRescan(rig, disk);
        require(shown(disk).isEmpty(), "there are partitions without a table: " + shown(disk));

        writeTable(disk.node(), gpt({mib(1, 4), mib(5, 4), mib(9, 4)}));
        waitForShown(rig, disk, inSectors({"1:1+4", "2:5+4", "3:9+4"}));
        // One goes, one grows, one moves, one is new.
        writeTable(
            disk.node(),
            "label: gpt\\n" +
                QStringList{"1: " + mib(1, 6), "3: " + mib(20, 4), "4: " + mib(8, 4)}.join("\\n") +
                "\\n");
        waitForShown(rig, disk, inSectors({"1:1+6", "3:20+4", "4:8+4"}));
        mustRun({"parted", "-s", disk.node(), "rm", "3", "mkpart", "x", "24MiB", "28MiB"});
        waitForShown(rig, disk, inSectors({"1:1+6", "2:24+4", "4:8+4"}));
        // Another table, with logical partitions; the kernel shows two sectors of what holds them.
        writeTable(disk.node(), mbr({mib(1, 4), mib(5, 20) + ", type=5", mib(6, 4), mib(11, 4)}));
        waitForShown(rig, disk,
                     QString("1:%1+%2 2:%3+2 5:%4+%2 6:%5+%2")
                         .arg(kMibInSectors)
                         .arg(4 * kMibInSectors)
                         .arg(5 * kMibInSectors)
                         .arg(6 * kMibInSectors)
                         .arg(11 * kMibInSectors));
        mustRun({"mkfs.ext4", "-q", "-F", disk.node()});
        waitForShown(rig, disk, "");
        rig.compare();
    });
}

void TestPartitions::inUse() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 48);
        writeTable(disk.store(), gpt({mib(1, 16), mib(17, 16), mib(33, 4)}));
        rig.start();
        waitForShown(rig, disk, inSectors({"1:1+16", "2:17+16", "3:33+4"}));
        mustRun({"mkfs.ext4", "-q", "-F", part(disk, 1)});
        mustRun({"mkfs.ext4", "-q", "-F", part(disk, 2)});
        Mounted one(rig, part(disk, 1), "one");
        Mounted two(rig, part(disk, 2), "two");

        // The first is as it was, the second is gone, the third moves.
        writeTable(disk.node(), "label: gpt\\n1: " + mib(1, 16) + "\\n3: " + mib(40, 4) + "\\n",
                   true);
        waitForShown(rig, disk, inSectors({"1:1+16", "2:17+16", "3:40+4"}));
        const Outcome refused = rescan(rig, disk);
        require(refused.status != 0 && refused.output.contains((disk.name() + "p2").toUtf8()) &&
                    refused.output.contains("in use"),
                "a mounted partition is gone from the table, and rescan says: " + refused.output);
        mustRun({"sh", "-c", "echo still > " + one.folder() + "/there && sync"});
        two.unmount();
        mustRescan(rig, disk);
        waitForShown(rig, disk, inSectors({"1:1+16", "3:40+4"}));

        // One that is only open goes by itself when it is closed.
        auto reader = rig.startProgram({"sh", "-c", "exec sleep 60 < " + part(disk, 3)});
        require(waitUntil([&] {
                    return QFile::symLinkTarget(QString("/proc/%1/fd/0").arg(reader->pid())) ==
                           part(disk, 3);
                }),
                "the partition is not open");
        writeTable(disk.node(), "label: gpt\\n1: " + mib(1, 16) + "\\n", true);
        require(rescan(rig, disk).status != 0, "an open partition is gone");
        reader->signal(SIGKILL);
        waitForShown(rig, disk, inSectors({"1:1+16"}));
        one.unmount();
    });
}

void TestPartitions::readThatHangs() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        writeTable(disk.store(), gpt({mib(1, 4), mib(5, 4)}));
        rig.start();
        const QString all = inSectors({"1:1+4", "2:5+4"});
        waitForShown(rig, disk, all);
        mustRun({"sh", "-c", "echo 3 > /proc/sys/vm/drop_caches"});

        const pid_t target = rig.target().worker();
        rig.note("the target hangs");
        ::kill(target, SIGSTOP);
        const qint64 before = disk.completed();
        touch(disk);
        pid_t reader = 0;
        const auto reads = [&] {
            for (const QString& process : QDir("/proc").entryList({"[0-9]*"}, QDir::Dirs))
                if (readFile("/proc/" + process + "/comm") == "belay-parts" &&
                    !isDead(process.toInt()) &&
                    readFile("/proc/" + process + "/status").contains("Seccomp:\t2"))
                    reader = process.toInt();
            return reader != 0;
        };
        require(waitUntil(reads), "nobody reads the table");
        const QByteArray status = readFile(QString("/proc/%1/status").arg(reader));
        require(status.contains("CapEff:\t0000000000000000") && status.contains("NoNewPrivs:\t1") &&
                    !status.contains("Uid:\t0"),
                "the reader has privileges: " + status);
        require(disk.completed() == before, "it does not hang");

        rig.note("nobody else waits");
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        require(rescan(rig, disk).status != 0, "the table of a disk that waits was read");
        require(!isDead(reader), "the reader did not wait");
        ::kill(target, SIGCONT);
        rig.plugIn();
        rig.waitForState(disk, "live");
        require(waitUntil([&] { return isDead(reader); }), "the reader does not go on");
        require(shown(disk) == all, "it shows " + shown(disk));

        rig.note("once more, and stopped in the midst of it");
        mustRun({"sh", "-c", "echo 3 > /proc/sys/vm/drop_caches"});
        ::kill(rig.target().worker(), SIGSTOP);
        reader = 0;
        touch(disk);
        require(waitUntil(reads), "nobody reads the table");
        const Outcome outcome = rig.stop(disk, true);
        require(outcome.status == 0, "stop: " + outcome.output);
        require(waitUntil([&] { return !disk.exists(); }, 5s), "it stays");
        require(!QFile::exists(part(disk, 1)), part(disk, 1) + " stays");
        require(waitUntil([&] { return isDead(reader); }, 5s), "the reader lives on");
        ::kill(rig.target().worker(), SIGCONT);
        require(stuckProcesses().isEmpty(), "stuck: " + stuckProcesses().join(", "));
    });
}

// While nobody looks: a supervisor that comes later follows, too.
void TestPartitions::writtenMeanwhile() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 32);
        writeTable(disk.store(), gpt({mib(1, 4), mib(5, 4), mib(9, 4)}));
        rig.start();
        waitForShown(rig, disk, inSectors({"1:1+4", "2:5+4", "3:9+4"}));
        rig.initiator().worker();
        rig.initiator().killOnlySupervisor();
        // Without a server it waits for the next one.
        auto writer =
            rig.startProgram({"sh", "-c",
                              "printf 'label: gpt\\n1: " + mib(1, 4) + "\\n2: " + mib(20, 4) +
                                  "\\n' | sfdisk --quiet --wipe never " + disk.node()});
        if (!rig.initiator().workerDiesWithSupervisor())
            writer->succeed();
        rig.initiator().startAgain();
        if (rig.initiator().workerDiesWithSupervisor())
            writer->succeed();
        rig.waitForState(disk, "live");
        waitForShown(rig, disk, inSectors({"1:1+4", "2:20+4"}));
    });
}

void TestPartitions::goWithTheirDisk() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 32);
        writeTable(disk.store(), gpt({mib(1, 16), mib(17, 8)}));
        rig.start();
        waitForShown(rig, disk, inSectors({"1:1+16", "2:17+8"}));
        mustRun({"mkfs.ext4", "-q", "-F", part(disk, 1)});
        Mounted one(rig, part(disk, 1), "one");
        const Outcome refused = rig.stop(disk);
        require(refused.status != 0 && refused.output.contains(one.folder().toUtf8()),
                "a disk with a mounted partition: " + refused.output);
        one.unmount();
        const Outcome stopped = rig.stop(disk);
        require(stopped.status == 0, "stop: " + stopped.output);
        require(waitUntil([&] { return !disk.exists(); }, 10s), "it stays");
        for (const QString& node : QDir("/dev").entryList({disk.name() + "*"}, QDir::System))
            throw Failure("/dev/" + node + " stays");
    });
}

int main(int argc, char** argv) {
    TestPartitions test;
    return runScenarios(argc, argv, test);
}

#include "tst_partitions.moc"
