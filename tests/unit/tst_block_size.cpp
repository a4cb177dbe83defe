// Which block size a file is offered with when nobody says.

#include "core/store/gpt.h"
#include "tests/unit/store_harness.h"

#include <QProcess>

using belay::ConstByteSpan;
using belay::store::BlockSizeReason;
using belay::store::gptBlockSize;
using belay::store::StoreOptions;

namespace {

constexpr std::size_t kSize = 4 << 20;

Bytes startOf(const std::string& path) {
    return contentOf(path, belay::store::kGptSearchBytes);
}

}  // namespace

class TestBlockSize : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> folder_;
    std::string path_;

    // By fdisk, which makes a table for a block size of anybody's choice.
    void partition(unsigned blockSize) {
        QProcess fdisk;
        fdisk.setProcessChannelMode(QProcess::MergedChannels);
        fdisk.start("fdisk", {"--wipe", "never", "-b", QString::number(blockSize),
                              QString::fromStdString(path_)});
        fdisk.write("g\nn\n\n\n\nw\n");
        fdisk.closeWriteChannel();
        if (!fdisk.waitForFinished() || fdisk.exitCode() != 0)
            qFatal("%s", fdisk.readAll().constData());
    }
    void makeFileOf(std::size_t bytes) {
        const belay::Fd file(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        QCOMPARE(::ftruncate(file.get(), static_cast<off_t>(bytes)), 0);
    }
    // What a store is opened with.
    std::pair<unsigned, BlockSizeReason> opened(std::uint32_t asked, std::uint32_t last) {
        Harness h(StoreOptions{.path = path_, .blockSize = asked, .lastBlockSize = last});
        if (!h.open())
            qFatal("%s", h.error.message().c_str());
        return {h.store->geometry().blockSize, h.store->geometry().blockSizeReason};
    }

 private slots:
    void init() {
        folder_ = std::make_unique<QTemporaryDir>();
        path_ = folder_->filePath("disk.img").toStdString();
        makeFileOf(kSize);
    }

    void findsTheTable_data() {
        QTest::addColumn<QList<unsigned>>("tables");
        QTest::addColumn<unsigned>("found");
        QTest::newRow("none") << QList<unsigned>{} << 0U;
        QTest::newRow("512") << QList<unsigned>{512} << 512U;
        QTest::newRow("4096") << QList<unsigned>{4096} << 4096U;
        // 4096's header lies among the entries for 512, which keep their checksum to themselves.
        QTest::newRow("both") << QList<unsigned>{4096, 512} << 512U;
        QTest::newRow("2048") << QList<unsigned>{2048} << 0U;
    }
    void findsTheTable() {
        QFETCH(QList<unsigned>, tables);
        QFETCH(unsigned, found);
        for (const unsigned blockSize : tables)
            partition(blockSize);
        QCOMPARE(gptBlockSize(startOf(path_)).value_or(0), found);
    }

    // A single bit of the header makes it none; so does every cut.
    void wantsAWholeHeader() {
        for (const unsigned blockSize : {512U, 4096U}) {
            makeFileOf(kSize);
            partition(blockSize);
            const Bytes whole = startOf(path_);
            QCOMPARE(gptBlockSize(whole).value_or(0), blockSize);
            for (std::size_t bit = 0; bit < std::size_t{8} * 92; ++bit) {
                Bytes spoilt = whole;
                spoilt[blockSize + bit / 8] ^= std::byte{1} << bit % 8;
                QVERIFY2(!gptBlockSize(spoilt), qPrintable(QString("bit %1").arg(bit)));
            }
            for (std::size_t length = 0; length < std::size_t{2} * blockSize; ++length)
                QVERIFY(!gptBlockSize(ConstByteSpan(whole).first(length)));
        }
    }

    // Its sizes are not taken at their word.
    void readsNothingOutsideItsBlock() {
        partition(512);
        for (const std::uint32_t size : {0U, 91U, 513U, 0xffffffffU}) {
            Bytes start = startOf(path_);
            std::memcpy(start.data() + 512 + 12, &size, sizeof size);
            QVERIFY(!gptBlockSize(ConstByteSpan(start).first(1024)));
        }
    }

    void chooses_data() {
        QTest::addColumn<unsigned>("table");
        QTest::addColumn<unsigned>("asked");
        QTest::addColumn<unsigned>("last");
        QTest::addColumn<unsigned>("given");
        QTest::addColumn<BlockSizeReason>("reason");
        using Reason = BlockSizeReason;
        QTest::newRow("as usual") << 0U << 0U << 0U << 512U << Reason::Usual;
        QTest::newRow("a table for 512") << 512U << 0U << 0U << 512U << Reason::Usual;
        QTest::newRow("a table for 4096") << 4096U << 0U << 0U << 4096U << Reason::PartitionTable;
        QTest::newRow("as last time") << 4096U << 0U << 512U << 512U << Reason::Remembered;
        QTest::newRow("as last time, the table is gone")
            << 0U << 0U << 4096U << 4096U << Reason::Remembered;
        QTest::newRow("as last time, impossible now")
            << 4096U << 0U << 1000U << 4096U << Reason::PartitionTable;
        QTest::newRow("as asked") << 4096U << 512U << 4096U << 512U << Reason::Asked;
        QTest::newRow("as asked, another") << 512U << 2048U << 512U << 2048U << Reason::Asked;
    }
    void chooses() {
        QFETCH(unsigned, table);
        QFETCH(unsigned, asked);
        QFETCH(unsigned, last);
        QFETCH(unsigned, given);
        QFETCH(BlockSizeReason, reason);
        if (table != 0)
            partition(table);
        QCOMPARE(opened(asked, last), std::pair(given, reason));
    }

    // Half a dump of such a disk is offered as every other file is.
    void aSizeThatDoesNotFit() {
        partition(4096);
        QCOMPARE(::truncate(path_.c_str(), kSize - 512), 0);
        QCOMPARE(opened(0, 0), std::pair(512U, BlockSizeReason::Usual));
        QCOMPARE(opened(0, 4096), std::pair(512U, BlockSizeReason::Usual));
    }
};

QTEST_GUILESS_MAIN(TestBlockSize)
#include "tst_block_size.moc"
