#include "tests/vm/scenario/partitions.h"
#include "tests/vm/scenario/scenario.h"

#include <QFile>
#include <QTest>
#include <QtEndian>
#include <vector>

using namespace scenario;

// Where an offset or a length has more than 31 or 32 bits: on a 32-bit machine a type that is too
// short cuts it, and what belongs to the end of a disk lands at its beginning.
class TestLargeDisk : public QObject {
    Q_OBJECT

 private slots:
    void keepsItsPlaces_data() { inBothDirections(); }
    void keepsItsPlaces();
};

namespace {

constexpr qint64 kMebibyte = 1 << 20;
constexpr qint64 kGibibyte = 1 << 30;
constexpr qint64 kDiskBytes = 9 * kGibibyte;

struct Place {
    qint64 offset;
    qint64 bytes = kMebibyte;
};

// On both sides of 2, 4 and 8 GiB, where an offset has one bit more.
const std::vector<Place> kPlaces = {
    {0},
    {kGibibyte},
    {2 * kGibibyte - kMebibyte / 2},
    {2 * kGibibyte + kMebibyte},
    {3 * kGibibyte},
    {4 * kGibibyte - kMebibyte / 2},
    {4 * kGibibyte + kMebibyte},
    {6 * kGibibyte + kMebibyte},
    {8 * kGibibyte},
    {kDiskBytes - kMebibyte},
};

QStringList request(const QString& file, const char* what, const Place& place) {
    return {SCENARIO_REQUESTS,
            "at",
            file,
            what,
            QString::number(place.offset),
            QString::number(place.bytes),
            QString::number(place.offset / 4096)};
}

// An MBR with one partition.
QByteArray partitionTable(const Place& place) {
    constexpr quint32 kSector = 512;
    QByteArray table(kSector, '\0');
    table[450] = '\x83';
    qToLittleEndian(static_cast<quint32>(place.offset / kSector), table.data() + 454);
    qToLittleEndian(static_cast<quint32>(place.bytes / kSector), table.data() + 458);
    table[510] = '\x55';
    table[511] = '\xaa';
    return table;
}

void mustBeThere(const QString& file, const std::vector<Place>& places, const char* what = "read") {
    for (const Place& place : places)
        mustRun(request(file, what, place));
}

}  // namespace

void TestLargeDisk::keepsItsPlaces() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 1);
        require(QFile::resize(disk.store(), kDiskBytes), "cannot make the store larger");
        rig.start();

        rig.note("write here and there");
        for (const Place& place : kPlaces)
            mustRun(request(disk.node(), "write", place));
        mustBeThere(disk.node(), kPlaces);
        mustBeThere(disk.store(), kPlaces);

        // The write log has offsets, too.
        const Place held{5 * kGibibyte + kMebibyte};
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        const auto write = rig.startProgram(request(disk.node(), "write", held));
        rig.plugIn();
        write->succeed(60s);
        rig.waitForAllLive();

        rig.note("discard most of it, and write zeroes to the rest, in two requests");
        constexpr qint64 kKept = 2 * kGibibyte - kMebibyte / 2 + kMebibyte;
        mustRun(request(disk.node(), "discard", {kKept, kDiskBytes - kMebibyte - kKept}), 60s);
        std::vector<Place> kept{kPlaces.front(), kPlaces[1], kPlaces[2], kPlaces.back()};
        std::vector<Place> blank(kPlaces.begin() + 3, kPlaces.end() - 1);
        blank.push_back(held);
        mustBeThere(disk.node(), blank, "blank");
        mustBeThere(disk.store(), blank, "blank");
        mustBeThere(disk.node(), kept);
        mustBeThere(disk.store(), kept);
        mustRun(request(disk.node(), "zero", {kMebibyte, kDiskBytes - kMebibyte}), 120s);
        mustBeThere(disk.store(), {kPlaces.back()}, "blank");
        mustBeThere(disk.store(), {kPlaces.front()});

        rig.note("a partition behind 4 GiB");
        const QString file = rig.storeFolder() + "/table";
        QFile table(file);
        require(table.open(QIODevice::WriteOnly), "cannot make " + file);
        table.write(partitionTable({5 * kGibibyte, 2 * kGibibyte}));
        table.close();
        mustRun({"dd", "if=" + file, "of=" + disk.node(), "conv=notrunc"});
        waitForShown(rig, disk, inSectors({"1:5120+2048"}));
    });
}

int main(int argc, char** argv) {
    TestLargeDisk test;
    return runScenarios(argc, argv, test);
}

#include "tst_large_disk.moc"
