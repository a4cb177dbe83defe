#include "tests/vm/scenario/partitions.h"
#include "tests/vm/scenario/scenario.h"

#include <QFile>
#include <QTest>

using namespace scenario;

// Partition tables as they come: long, damaged, of other disks. None of them leads to a partition
// that the disk cannot have.
class TestOddTables : public QObject {
    Q_OBJECT

 private slots:
    void oddTables_data() { inBothDirections(); }
    void oddTables();
    void damagedTables_data() { inBothDirections(); }
    void damagedTables();
    void largeBlocks_data() { inBothDirections(); }
    void largeBlocks();
};

namespace {

constexpr int kOddMib = 16;

// A live disk, and tables made elsewhere that are put on it.
class Writer {
 public:
    explicit Writer(Rig& rig)
        : rig_(rig), disk_(rig.offer("disk", kOddMib)), image_(rig.folder() + "/image") {
        rig.start();
    }
    ~Writer() { QFile::remove(image_); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    const Disk& disk() const { return disk_; }
    const QString& image() const { return image_; }

    // An empty image.
    void make(int mib) {
        QFile::remove(image_);
        mustRun({"truncate", "-s", QString("%1M").arg(mib), image_});
    }
    // As much of the image as the disk has room for, onto the disk.
    void copy() {
        mustRun({"dd", "if=" + image_, "of=" + disk_.node(), "bs=1M",
                 QString("count=%1").arg(kOddMib), "conv=fsync", "status=none"});
        mustRescan(rig_, disk_);
    }
    // A table as sfdisk makes it on an image of this size, then damaged by a command.
    void write(int mib, const QString& script, const QString& damage = "true") {
        make(mib);
        writeTable(image_, script);
        mustRun({"sh", "-c", damage});
        copy();
    }

 private:
    Rig& rig_;
    Disk& disk_;
    const QString image_;
};

}  // namespace

void TestOddTables::oddTables() {
    play([](Rig& rig) {
        Writer writer(rig);
        const Disk& disk = writer.disk();
        rig.note("longer than the disk: what is beyond its end is left out");
        writer.write(64, mbr({mib(1, 4), mib(10, 20), mib(50, 4)}));
        waitForShown(rig, disk, inSectors({"1:1+4"}));
        rig.note("the same with a table that says for how long a disk it is: none of it counts");
        writer.write(64, gpt({mib(1, 4), mib(10, 20)}));
        waitForShown(rig, disk, "");
        rig.note("as many as there can be");
        QStringList many;
        QStringList manyShown;
        for (int number = 1; number <= 128; ++number) {
            many += QString("start=%1, size=64").arg(number * 64 + kMibInSectors);
            manyShown += QString("%1:%2+64").arg(number).arg(number * 64 + kMibInSectors);
        }
        writer.write(kOddMib, gpt(many));
        waitForShown(rig, disk, manyShown.join(' '));
        rig.note("Apple's");
        writer.make(kOddMib);
        mustRun({"parted", "-s", writer.image(), "mklabel", "mac", "mkpart", "x", "hfs", "2MiB",
                 "6MiB"});
        writer.copy();
        require(
            shown(disk).contains(QString("2:%1+%2").arg(2 * kMibInSectors).arg(4 * kMibInSectors)),
            "it shows " + shown(disk));
        rig.note("of a disk with other blocks");
        writer.make(kOddMib);
        mustRun({"sh", "-c", "printf 'g\\nn\\n\\n\\n\\nw\\n' | fdisk -b 4096 " + writer.image()});
        writer.copy();
        waitForShown(rig, disk, "");
    });
}

void TestOddTables::damagedTables() {
    play([](Rig& rig) {
        Writer writer(rig);
        const Disk& disk = writer.disk();
        const QString scratch = "printf X | dd of=%1 bs=1 seek=%2 conv=notrunc status=none";
        const QString& image = writer.image();
        const QString first = scratch.arg(image).arg(512 + 18);
        const QString last = scratch.arg(image).arg(kOddMib * 1048576 - 512 + 18);
        rig.note("a checksum that is wrong: the copy at the end counts");
        writer.write(kOddMib, gpt({mib(1, 4)}), first);
        waitForShown(rig, disk, inSectors({"1:1+4"}));
        rig.note("both are damaged");
        writer.write(kOddMib, gpt({mib(1, 4)}), first + " && " + last);
        waitForShown(rig, disk, "");
        rig.note("overlapping: the first stays");
        // The second entry of the MBR is given the place of the first, two sectors further.
        writer.write(kOddMib, mbr({mib(1, 4), mib(8, 4)}),
                     "printf '\\002\\010\\000\\000' | dd of=" + image +
                         " bs=1 seek=470 conv=notrunc status=none");
        waitForShown(rig, disk, inSectors({"1:1+4"}));
        rig.note("a chain of logical partitions that bites its tail");
        // The link in the second one's record says: the first one's.
        writer.write(kOddMib, mbr({mib(1, 2), mib(4, 10) + ", type=5", mib(5, 2), mib(8, 2)}),
                     "printf '\\001\\000\\000\\000\\000\\010\\000\\000' | dd of=" + image +
                         " bs=1 seek=$((7 * 1048576 + 470)) conv=notrunc status=none");
        require(shown(disk).startsWith("1:2048+4096 2:"), "it shows " + shown(disk));
        require(stuckProcesses().isEmpty(), "stuck: " + stuckProcesses().join(", "));
    });
}

// A table in blocks of 4096 bytes, on a disk that has them.
void TestOddTables::largeBlocks() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 24);
        mustRun({"sh", "-c",
                 "printf 'g\\nn\\n\\n256\\n+1024\\nn\\n\\n2048\\n+1023\\nw\\n' | "
                 "fdisk -b 4096 --wipe never --wipe-partitions never " +
                     disk.store()});
        rig.start();
        require(readFile("/sys/block/" + disk.name() + "/queue/logical_block_size") == "4096",
                "it has other blocks");
        waitForShown(rig, disk, "1:2048+8200 2:16384+8192");
        mustRun({"mkfs.ext4", "-q", "-F", part(disk, 1)});
        Mounted one(rig, part(disk, 1), "one");
        one.unmount();
    });
}

int main(int argc, char** argv) {
    TestOddTables test;
    return runScenarios(argc, argv, test);
}

#include "tst_odd_tables.moc"
