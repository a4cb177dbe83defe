#include "tests/vm/scenario/scenario.h"

#include <QTest>

using namespace scenario;

// Images of disks with 4096-byte sectors, as UFS phones have them: the other end sees such a disk,
// whatever becomes of its partition table, and another block size is another disk.
class TestSectorSize : public QObject {
    Q_OBJECT

 private slots:
    void goesByThePartitionTable_data() { inBothDirections(); }
    void goesByThePartitionTable();
    void staysWhatItWas_data() { inBothDirections(); }
    void staysWhatItWas();
    void anotherOneIsAnotherDisk_data() { inBothDirections(); }
    void anotherOneIsAnotherDisk();
    void aDiskKeepsItsOwn_data() { inBothDirections(); }
    void aDiskKeepsItsOwn();
};

namespace {

// As Rig starts the end with the bytes, with more options for the disk.
QStringList optionsFor(const Rig& rig, const QString& store, const QStringList& more = {}) {
    if (rig.direction() == Direction::Attach)
        return QStringList{"--name",      "belay0",  "--serial", "G0",      "--udc",
                           "dummy_udc.0", "--share", store,      "--label", "disk"} +
               more;
    return QStringList{"--gadget", "G0", "--lend", store, "--label", "disk"} + more;
}

void startWith(Rig& rig, const QString& store, const QStringList& more = {}) {
    rig.target().start(optionsFor(rig, store, more));
}

// A store with a partition table for 4096-byte sectors, and one partition.
Disk& offerPartitioned(Rig& rig) {
    Disk& disk = rig.offer("disk", 4);
    mustRun(
        {"bash", "-c",
         "printf 'g\\nn\\n\\n\\n\\nw\\n' | fdisk --wipe never --wipe-partitions never -b 4096 " +
             disk.store()});
    return disk;
}

void needBlockSize(const Disk& disk, const QByteArray& bytes) {
    const QByteArray said = mustRun({"blockdev", "--getss", disk.node()}).trimmed();
    require(said == bytes, disk.node() + " has blocks of " + said + " bytes");
}

void needToSay(Rig& rig, const QString& words) {
    const QByteArray status = rig.target().command({"status"}).output;
    require(status.contains(words.toUtf8()),
            "status does not say \"" + words + "\" but:\n" + status);
}

// In its last megabyte, where no table is.
QStringList write(const Disk& disk) {
    return {"dd",      "if=/dev/urandom", "of=" + disk.node(), "bs=64k",
            "count=8", "seek=48",         "oflag=direct",      "conv=fsync"};
}

void needGoesOn(Rig& rig, Disk& disk) {
    mustRun(write(disk));
    rig.waitForState(disk, "live");
    needBlockSize(disk, "4096");
    rig.compare();
}

}  // namespace

void TestSectorSize::goesByThePartitionTable() {
    play([](Rig& rig) {
        Disk& disk = offerPartitioned(rig);
        rig.start();
        needBlockSize(disk, "4096");
        require(rig.target().output().contains(
                    "offered with blocks of 4096 bytes, as its partition table has"),
                "it is not said:\n" + rig.target().output());
        needToSay(rig, "offered  disk  blocks of 4096 bytes, as its partition table has");
        const QByteArray table = mustRun({"fdisk", "-l", disk.node()});
        require(table.contains("Disklabel type: gpt") && table.contains("Linux filesystem"),
                "its partitions are not found:\n" + table);

        auto writer = rig.startProgram({"dd", "if=/dev/urandom", "of=" + disk.node(), "bs=4k",
                                        "count=100", "seek=768", "oflag=direct", "conv=fsync"});
        disk.awaitProgress(20);
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        rig.plugIn();
        rig.waitForState(disk, "live");
        writer->succeed();
        needGoesOn(rig, disk);
    });
}

// The table is gone, and the disk in use stays the same one over every death of its target.
void TestSectorSize::staysWhatItWas() {
    play([](Rig& rig) {
        Disk& disk = offerPartitioned(rig);
        rig.start();
        mustRun({"dd", "if=/dev/zero", "of=" + disk.node(), "bs=64k", "count=1", "oflag=direct",
                 "conv=fsync"});
        rig.note("its worker is killed");
        rig.target().killWorker();
        needGoesOn(rig, disk);
        rig.note("its supervisor is killed");
        rig.target().killSupervisor();
        rig.target().startAgain();
        needGoesOn(rig, disk);
        rig.note("it is ended in order");
        rig.target().end();
        rig.target().startAgain();
        needGoesOn(rig, disk);
        needToSay(rig, "blocks of 4096 bytes, as last time");
    });
}

void TestSectorSize::anotherOneIsAnotherDisk() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        if (rig.direction() == Direction::Lend)
            rig.startGadget();
        else
            rig.startHost();
        startWith(rig, disk.store(), {"--block-size", "4096"});
        rig.waitForAllLive();
        needBlockSize(disk, "4096");
        rig.target().end();
        const QByteArray before = disk.sha256OfStore();
        auto writer = rig.startProgram(write(disk));
        rig.note("offer it with another block size");
        startWith(rig, disk.store(), {"--block-size", "512"});
        rig.waitForState(disk, "needs-attention");
        const auto device = rig.deviceOf(disk);
        require(device && device->at("problems") == nlohmann::json::array({"different-disk"}),
                "no different disk, but " + (device ? QString::fromStdString(device->dump()) : ""));
        rig.wait(300ms);
        require(writer->running(), "the writer did not wait:\n" + writer->output());
        require(disk.sha256OfStore() == before, "something was sent to it");

        rig.note("offer it as it was");
        rig.target().end();
        startWith(rig, disk.store(), {"--block-size", "4096"});
        rig.waitForState(disk, "live");
        writer->succeed();
        needGoesOn(rig, disk);
    });
}

// A block device as store: never smaller blocks than its own, larger ones if one likes.
void TestSectorSize::aDiskKeepsItsOwn() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        const QString loop =
            mustRun({"losetup", "-f", "--show", "-b", "2048", disk.store()}).trimmed();
        const Outcome refused =
            run(QStringList{rig.direction() == Direction::Attach ? BELAY_GADGET : BELAY_HOSTD,
                            "--run-dir", "/run/belay-scenario/refused"} +
                optionsFor(rig, loop, {"--block-size", "512"}));
        require(refused.status == 1 &&
                    refused.output.contains("block size 512 is below the device's own 2048: " +
                                            loop.toUtf8() + ". Use 2048 or more"),
                QString("it leaves with %1 and says:\n").arg(refused.status) + refused.output);
        if (rig.direction() == Direction::Lend)
            rig.startGadget();
        else
            rig.startHost();
        startWith(rig, loop, {"--block-size", "4096"});
        rig.waitForAllLive();
        needGoesOn(rig, disk);
        rig.initiator().command({"stop", disk.name()});
        rig.target().end();
        mustRun({"losetup", "-d", loop});
    });
}

QTEST_GUILESS_MAIN(TestSectorSize)
#include "tst_sector_size.moc"
