#include "core/partitions/changes.h"
#include "core/partitions/list.h"
#include "core/partitions/probe.h"
#include "core/partitions/table.h"

#include <fcntl.h>

#include <QTemporaryFile>
#include <QTest>
#include <vector>

using namespace belay;
using namespace belay::partitions;

namespace {

constexpr std::uint64_t kMib = 1 << 20;
constexpr Geometry kDisk{.sizeBytes = 100 * kMib, .blockBytes = 512};

// In MiB.
Partition at(std::uint32_t number, std::uint64_t start, std::uint64_t length) {
    return {number, start * kMib, length * kMib};
}

std::vector<Entry> entries(const std::vector<Partition>& partitions) {
    std::vector<Entry> all;
    for (const Partition& partition : partitions)
        all.push_back({partition, false});
    return all;
}

std::vector<std::uint32_t> numbers(const Table& table) {
    std::vector<std::uint32_t> all;
    for (const Partition& partition : table.partitions)
        all.push_back(partition.number);
    return all;
}

using Numbers = std::vector<std::uint32_t>;
using Changes = std::vector<Change>;
constexpr auto kRemove = Change::Kind::Remove;
constexpr auto kGrow = Change::Kind::Grow;
constexpr auto kAdd = Change::Kind::Add;

// An MBR's entry, or that of a logical partition's record, in sectors.
void putEntry(std::vector<std::byte>& disk, std::size_t sector, int slot, std::uint8_t type,
              std::uint32_t start, std::uint32_t length) {
    const std::size_t entry = sector * 512 + 446 + static_cast<std::size_t>(slot) * 16;
    disk[entry + 4] = std::byte{type};
    storeLe<std::uint32_t>(disk, entry + 8, start);
    storeLe<std::uint32_t>(disk, entry + 12, length);
    disk[sector * 512 + 510] = std::byte{0x55};
    disk[sector * 512 + 511] = std::byte{0xaa};
}

Result<std::vector<Entry>> probed(const std::vector<std::byte>& disk) {
    QTemporaryFile file;
    if (!file.open() ||
        file.write(reinterpret_cast<const char*>(disk.data()), qint64(disk.size())) !=
            qint64(disk.size()) ||
        !file.flush())
        qFatal("cannot write a file");
    auto probe = Probe::prepare(Fd(::open(qPrintable(file.fileName()), O_RDONLY | O_CLOEXEC)));
    if (!probe)
        return tl::make_unexpected(probe.error());
    return probe->entries();
}

}  // namespace

class TestPartitionTables : public QObject {
    Q_OBJECT

 private slots:
    void takesWhatFits();
    void leavesOutWhatDoesNot_data();
    void leavesOutWhatDoesNot();
    void keepsTheFirstOfTwo();
    void showsTheBeginningOfAnExtendedPartition();
    void showsWhatComesRightBehindAnExtendedPartition();
    void knowsWholeBlocks();
    void changesOnlyWhatDiffers_data();
    void changesOnlyWhatDiffers();
    void listsSurviveTheirJourney();
    void badListsAreErrors_data();
    void badListsAreErrors();
    void readsAnMbr();
    void readsNothingWhereNothingIs();
};

void TestPartitionTables::takesWhatFits() {
    // To the very end, from the very beginning, in any order.
    const auto table = Table::from(entries({at(7, 60, 40), at(1, 0, 10), at(255, 10, 50)}), kDisk);
    QCOMPARE(table.partitions,
             (std::vector<Partition>{at(1, 0, 10), at(7, 60, 40), at(255, 10, 50)}));
    QVERIFY(table.leftOut.empty());
}

void TestPartitionTables::leavesOutWhatDoesNot_data() {
    QTest::addColumn<quint32>("number");
    QTest::addColumn<quint64>("start");
    QTest::addColumn<quint64>("length");
    QTest::addColumn<QString>("why");
    constexpr quint64 kLast = ~quint64{0};
    const quint64 size = kDisk.sizeBytes;
    QTest::newRow("no number") << 0u << quint64(0) << quint64(512) << "a number";
    QTest::newRow("256") << 256u << quint64(0) << quint64(512) << "a number";
    QTest::newRow("empty") << 1u << quint64(512) << quint64(0) << "is empty";
    QTest::newRow("too long") << 1u << quint64(512) << size << "past the end";
    QTest::newRow("a block too long") << 1u << size - 512 << quint64(1024) << "past the end";
    QTest::newRow("beyond") << 1u << size << quint64(512) << "past the end";
    QTest::newRow("far beyond") << 1u << kLast - 511 << quint64(512) << "past the end";
    QTest::newRow("around") << 1u << quint64(1024) << kLast - 511 << "past the end";
    QTest::newRow("half a block") << 1u << quint64(256) << quint64(512) << "whole blocks";
    QTest::newRow("and a half") << 1u << quint64(512) << quint64(768) << "whole blocks";
}

void TestPartitionTables::leavesOutWhatDoesNot() {
    QFETCH(quint32, number);
    QFETCH(quint64, start);
    QFETCH(quint64, length);
    QFETCH(QString, why);
    const auto table = Table::from({{{number, start, length}, false}}, kDisk);
    QVERIFY(table.partitions.empty());
    QCOMPARE(table.leftOut.size(), std::size_t(1));
    QVERIFY2(QString::fromStdString(table.leftOut[0]).contains(why), table.leftOut[0].c_str());
}

void TestPartitionTables::keepsTheFirstOfTwo() {
    const auto table = Table::from(
        entries({at(3, 30, 10), at(1, 1, 10), at(2, 10, 5), at(3, 50, 10), at(4, 11, 19)}), kDisk);
    QCOMPARE(numbers(table), (Numbers{1, 3, 4}));
    QCOMPARE(table.leftOut, (std::vector<std::string>{"partition 2 overlaps partition 1",
                                                      "partition 3 is there twice"}));
}

void TestPartitionTables::showsTheBeginningOfAnExtendedPartition() {
    const std::vector<Entry> found{{at(1, 1, 10), false},
                                   {at(2, 20, 80), true},
                                   {at(5, 21, 10), false},
                                   {at(6, 40, 60), false}};
    QCOMPARE(
        Table::from(found, kDisk).partitions,
        (std::vector<Partition>{at(1, 1, 10), {2, 20 * kMib, 1024}, at(5, 21, 10), at(6, 40, 60)}));
    const auto large = Table::from(found, {kDisk.sizeBytes, 4096});
    QCOMPARE(large.partitions[1], (Partition{2, 20 * kMib, 4096}));
}

void TestPartitionTables::showsWhatComesRightBehindAnExtendedPartition() {
    const Partition extended = at(2, 20, 80);
    const Partition logical{5, extended.start + kDisk.blockBytes, 4 * kDisk.blockBytes};
    const auto table = Table::from({{extended, true}, {logical, false}}, kDisk);
    QCOMPARE(table.partitions,
             (std::vector<Partition>{{2, extended.start, kDisk.blockBytes}, logical}));
    QVERIFY(table.leftOut.empty());
}

void TestPartitionTables::knowsWholeBlocks() {
    const std::vector<Entry> found{{{1, 512, 8192}, false}, {{2, 16384, 4096}, false}};
    QCOMPARE(numbers(Table::from(found, kDisk)), (Numbers{1, 2}));
    QCOMPARE(numbers(Table::from(found, {kDisk.sizeBytes, 4096})), Numbers{2});
}

void TestPartitionTables::changesOnlyWhatDiffers_data() {
    QTest::addColumn<std::vector<Partition>>("wanted");
    QTest::addColumn<std::vector<Partition>>("present");
    QTest::addColumn<Changes>("changes");
    using Set = std::vector<Partition>;
    const Set two{at(1, 1, 10), at(2, 20, 10)};
    QTest::newRow("none") << Set() << Set() << Changes();
    QTest::newRow("equal") << two << two << Changes();
    QTest::newRow("new") << two << Set() << Changes{{kAdd, two[0]}, {kAdd, two[1]}};
    QTest::newRow("gone") << Set() << two << Changes{{kRemove, two[0]}, {kRemove, two[1]}};
    QTest::newRow("grown into one that is gone")
        << Set{at(1, 1, 25)} << two << Changes{{kRemove, two[1]}, {kGrow, at(1, 1, 25)}};
    QTest::newRow("smaller") << Set{at(1, 1, 5), two[1]} << two
                             << Changes{{kRemove, two[0]}, {kAdd, at(1, 1, 5)}};
    QTest::newRow("moved") << Set{at(1, 2, 10), two[1]} << two
                           << Changes{{kRemove, two[0]}, {kAdd, at(1, 2, 10)}};
    QTest::newRow("places exchanged")
        << Set{at(1, 20, 10), at(2, 1, 10)} << two
        << Changes{
               {kRemove, two[0]}, {kRemove, two[1]}, {kAdd, at(1, 20, 10)}, {kAdd, at(2, 1, 10)}};
}

void TestPartitionTables::changesOnlyWhatDiffers() {
    QFETCH(std::vector<Partition>, wanted);
    QFETCH(std::vector<Partition>, present);
    QFETCH(Changes, changes);
    QCOMPARE(changesTo(wanted, present), changes);
}

void TestPartitionTables::listsSurviveTheirJourney() {
    const std::vector<Entry> list{{at(1, 1, 10), false}, {{~0u, ~0ull, ~0ull}, true}};
    QVERIFY(decodeList(encodeList(list)) == list);
    QVERIFY(decodeList(encodeList({})) == std::vector<Entry>());
    const auto cut = decodeList(encodeList(std::vector<Entry>(kMostEntries + 1)));
    QVERIFY(cut.has_value());
    QCOMPARE(cut->size(), kMostEntries);
    QCOMPARE(encodeList(*cut).size(), kLongestList);
    const auto failed = decodeList(encodeFailure(EIO));
    QVERIFY(!failed.has_value());
    QCOMPARE(failed.error().code, EIO);
}

void TestPartitionTables::badListsAreErrors_data() {
    QTest::addColumn<std::vector<std::byte>>("bytes");
    const auto good = encodeList(entries({at(1, 1, 1)}));
    const auto with = [&](std::size_t where, std::uint8_t value) {
        auto bytes = good;
        bytes.at(where) = std::byte{value};
        return bytes;
    };
    auto longer = good;
    longer.resize(good.size() + 1);
    QTest::newRow("nothing") << std::vector<std::byte>();
    QTest::newRow("cut off") << std::vector(good.begin(), good.end() - 1);
    QTest::newRow("too long") << longer;
    QTest::newRow("no magic") << with(0, 0);
    QTest::newRow("no errno") << with(6, 1);
    QTest::newRow("another count") << with(8, 2);
    QTest::newRow("a count out of reach") << with(11, 0xff);
    QTest::newRow("something reserved") << with(12, 1);
    QTest::newRow("another kind") << with(20, 2);
}

void TestPartitionTables::badListsAreErrors() {
    QFETCH(std::vector<std::byte>, bytes);
    const auto list = decodeList(bytes);
    QVERIFY(!list.has_value());
    QVERIFY(!list.error().message().empty());
}

void TestPartitionTables::readsAnMbr() {
    std::vector<std::byte> disk(16 * kMib);
    putEntry(disk, 0, 0, 0x83, 2048, 4096);
    putEntry(disk, 0, 1, 0x05, 8192, 16384);
    putEntry(disk, 8192, 0, 0x83, 2048, 2048);
    putEntry(disk, 8192, 1, 0x05, 6144, 4096);
    putEntry(disk, 8192 + 6144, 0, 0x82, 2048, 2048);
    const auto found = probed(disk);
    QVERIFY(found.has_value());
    constexpr std::uint64_t kSector = 512;
    QCOMPARE(*found,
             (std::vector<Entry>{{{1, 2048 * kSector, 4096 * kSector}, false},
                                 {{2, 8192 * kSector, 16384 * kSector}, true},
                                 {{5, (8192 + 2048) * kSector, 2048 * kSector}, false},
                                 {{6, (8192 + 6144 + 2048) * kSector, 2048 * kSector}, false}}));
}

void TestPartitionTables::readsNothingWhereNothingIs() {
    QVERIFY(probed(std::vector<std::byte>(kMib)) == std::vector<Entry>());
    QVERIFY(probed(std::vector<std::byte>(kMib, std::byte{0xff})) == std::vector<Entry>());
}

QTEST_GUILESS_MAIN(TestPartitionTables)
#include "tst_partition_tables.moc"
