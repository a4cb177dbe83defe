// What is known of a file over the times when nobody offers it.

#include "core/store/clean_record.h"
#include "core/store/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QTest>
#include <chrono>
#include <thread>

using namespace belay;
using namespace belay::store;
using namespace std::chrono_literals;

class TestCleanRecord : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> folder_;
    std::string path_, records_;
    Fd file_;

    Result<CleanRecord> begin(bool writable = true) {
        return beginRecord(records_, file_.get(), path_, writable);
    }
    CleanRecord of(std::uint64_t use) const {
        const auto file = unrecorded(file_.get(), path_);
        return {.uuid = file ? file->uuid : Uuid{}, .use = use};
    }
    // How often it was found changed, as the use that begins here is told.
    std::uint64_t replaced(bool writable = true) {
        const auto record = begin(writable);
        if (!record)
            qFatal("%s", record.error().message().c_str());
        return record->replaced;
    }
    Result<void> end(std::uint64_t use, Duration patience = 0s) {
        return endRecord(records_, file_.get(), path_, of(use), patience);
    }
    // A use in which the file is written to.
    void useOnce() {
        const auto record = begin();
        change();
        if (!record || record->use == 0 || !end(record->use))
            qFatal("a use that does not end");
    }
    // Files are stamped with the time of the last tick of a clock: two changes may not differ.
    void change() {
        std::this_thread::sleep_for(20ms);
        const Fd file(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
        if (::pwrite(file.get(), "changed", 7, 512) != 7)
            qFatal("cannot change the file");
    }
    Fd lock() {
        Fd file(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
        struct flock range {};
        range.l_type = F_WRLCK;
        if (::fcntl(file.get(), F_OFD_SETLK, &range) != 0)
            qFatal("cannot lock the file");
        return file;
    }
    std::string recordFile() const {
        const auto names = QDir(QString::fromStdString(records_)).entryList(QDir::Files);
        return names.size() == 1 ? records_ + "/" + names.front().toStdString() : std::string();
    }

 private slots:
    void init() {
        folder_ = std::make_unique<QTemporaryDir>();
        path_ = folder_->filePath("disk").toStdString();
        records_ = folder_->filePath("records").toStdString();
        QCOMPARE(::mkdir(records_.c_str(), 0700), 0);
        const Fd made(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        QCOMPARE(::ftruncate(made.get(), 1 << 20), 0);
        file_ = Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    }

    void ourOwnWritesAreNoChange() {
        QCOMPARE(replaced(), std::uint64_t{0});
        useOnce();
        useOnce();
        QCOMPARE(replaced(), std::uint64_t{0});
    }

    void noticesAChange() {
        useOnce();
        change();
        QCOMPARE(replaced(), std::uint64_t{1});
        useOnce();
        QCOMPARE(replaced(), std::uint64_t{1});
        useOnce();
        QCOMPARE(::truncate(path_.c_str(), 1 << 19), 0);
        QCOMPARE(replaced(), std::uint64_t{2});
    }

    void anotherNameOrModeIsNoChange() {
        useOnce();
        const std::string renamed = path_ + ".renamed";
        QCOMPARE(::rename(path_.c_str(), renamed.c_str()), 0);
        QCOMPARE(::chmod(renamed.c_str(), 0640), 0);
        path_ = renamed;
        QCOMPARE(replaced(), std::uint64_t{0});
    }

    void noticesForReadersToo() {
        QCOMPARE(replaced(false), std::uint64_t{0});
        change();
        QCOMPARE(replaced(false), std::uint64_t{1});
        QCOMPARE(replaced(false), std::uint64_t{1});
        // for the next who writes as well
        QCOMPARE(replaced(), std::uint64_t{1});
    }

    void knowsNothingAfterAnUncleanEnd() {
        useOnce();
        QCOMPARE(replaced(), std::uint64_t{0});
        change();
        QCOMPARE(replaced(), std::uint64_t{0});
        QCOMPARE(replaced(false), std::uint64_t{0});
    }

    void endsOnlyItsOwnUse() {
        const auto first = begin();
        const auto second = begin();
        QVERIFY(first && second && first->use != second->use);
        QVERIFY(end(first->use).has_value());
        change();
        QCOMPARE(replaced(), std::uint64_t{0});
    }

    void waitsForTheLastWrite() {
        const auto record = begin();
        QVERIFY(record.has_value());
        Fd writer = lock();
        const auto tooEarly = end(record->use, 50ms);
        QVERIFY(!tooEarly);
        QCOMPARE(tooEarly.error().code, EBUSY);
        std::thread later([&] {
            change();
            writer = Fd();
        });
        const auto ended = end(record->use, 10s);
        later.join();
        QVERIFY(ended.has_value());
        QCOMPARE(replaced(), std::uint64_t{0});
    }

    // A worker has outlived its supervisor: the next one takes up its use, and may end it.
    void aUseGoesOn() {
        const auto record = begin();
        QVERIFY(record.has_value());
        {
            const Fd worker = lock();
            const auto again = begin();
            QVERIFY(again.has_value());
            QCOMPARE(again->use, record->use);
            // nobody else's attempt changes that
            QVERIFY(begin(false).has_value());
        }
        QVERIFY(end(record->use).has_value());
        change();
        QCOMPARE(replaced(), std::uint64_t{1});
    }

    void aCopyIsAnotherFile() {
        useOnce();
        const QString copy = folder_->filePath("copy");
        QVERIFY(QFile::copy(QString::fromStdString(path_), copy));
        path_ = copy.toStdString();
        file_ = Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        QCOMPARE(replaced(), std::uint64_t{0});
        QCOMPARE(QDir(QString::fromStdString(records_)).entryList(QDir::Files).size(), 2);
    }

    void distrustsASpoiltRecord_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("cut off") << QByteArray("belay-record 1 0 cle");
        QTest::newRow("longer") << QByteArray("belay-record 1 0 in-use 7 7\n");
        QTest::newRow("another version") << QByteArray("belay-record 4 0 512 0 in-use 7\n");
        QTest::newRow("no number") << QByteArray("belay-record 1 x in-use 7\n");
        QTest::newRow("no losses") << QByteArray("belay-record 3 0 512 in-use 7\n");
        QTest::newRow("no block size") << QByteArray("belay-record 2 0 in-use 7\n");
        QTest::newRow("a block size too many") << QByteArray("belay-record 1 0 512 in-use 7\n");
    }
    void distrustsASpoiltRecord() {
        QFETCH(QByteArray, text);
        useOnce();
        QFile record(QString::fromStdString(recordFile()));
        QVERIFY(record.open(QFile::WriteOnly | QFile::Truncate));
        QCOMPARE(record.write(text), text.size());
        record.close();
        const auto count = replaced();
        QVERIFY(count != 0);
        // said once, not at each use
        QCOMPARE(replaced(), count);
    }

    // As every file was offered when records had no block size.
    void understandsOlderVersions() {
        useOnce();
        const auto write = [&](const QByteArray& text) {
            QFile record(QString::fromStdString(recordFile()));
            return record.open(QFile::WriteOnly | QFile::Truncate) &&
                   record.write(text) == text.size();
        };
        struct stat stat {};
        QCOMPARE(::stat(path_.c_str(), &stat), 0);
        QVERIFY(write(
            QByteArray::fromStdString(fmt::format("belay-record 1 5 clean {} {} {}\n", stat.st_size,
                                                  stat.st_mtim.tv_sec, stat.st_mtim.tv_nsec))));
        auto record = begin();
        QVERIFY(record.has_value());
        QCOMPARE(record->replaced, std::uint64_t{5});
        QCOMPARE(record->blockSize, 512U);
        QVERIFY(write("belay-record 1 6 in-use 7\n"));
        record = begin();
        QVERIFY(record.has_value());
        QCOMPARE(record->replaced, std::uint64_t{6});
        QCOMPARE(record->blockSize, 512U);
        QVERIFY(write("belay-record 2 7 4096 in-use 7\n"));
        record = begin();
        QVERIFY(record.has_value());
        QCOMPARE(record->replaced, std::uint64_t{7});
        QCOMPARE(record->blockSize, 4096U);
        QCOMPARE(record->losses, std::uint64_t{0});
    }

    // Over a clean end and over none; not for a content that is another one.
    void remembersTheBlockSize() {
        const auto blockSize = [this](bool writable = true) {
            const auto record = begin(writable);
            return record ? record->blockSize : 1;
        };
        const auto note = [this](std::uint64_t use, std::uint32_t bytes) {
            return noteBlockSize(records_, of(use), bytes).has_value();
        };
        QCOMPARE(blockSize(), 0U);
        const auto first = begin();
        QVERIFY(note(first->use, 4096));
        QCOMPARE(blockSize(), 4096U);
        const auto second = begin();
        // whoever was before has no say
        QVERIFY(note(first->use, 512));
        change();
        QVERIFY(end(second->use).has_value());
        QCOMPARE(blockSize(false), 4096U);
        QVERIFY(note(0, 2048));
        QCOMPARE(blockSize(), 2048U);
        QVERIFY(end(begin()->use).has_value());
        change();
        QCOMPARE(blockSize(), 0U);
        QCOMPARE(replaced(), std::uint64_t{1});
    }

    // A file's page cache outlives who wrote to it; what was not made durable at an end may be
    // gone.
    void remembersLosses() {
        useOnce();
        QCOMPARE(begin()->losses, std::uint64_t{0});
        QCOMPARE(begin()->losses, std::uint64_t{0});
        const auto record = begin();
        // A descriptor that cannot be synced.
        const Fd cannot(::open(path_.c_str(), O_PATH | O_CLOEXEC));
        QVERIFY(!endRecord(records_, cannot.get(), path_, *record, 0s));
        QCOMPARE(begin()->losses, std::uint64_t{1});
        useOnce();
        QCOMPARE(begin()->losses, std::uint64_t{1});
    }

    void saysWhatIsWrong() {
        records_ = folder_->filePath("nowhere").toStdString();
        const auto record = begin();
        QVERIFY(!record);
        QCOMPARE(record.error().code, ENOENT);
        QVERIFY(!end(7));
        const Fd folder(::open(folder_->path().toLocal8Bit(), O_RDONLY | O_CLOEXEC));
        QVERIFY(!beginRecord(folder_->path().toStdString(), folder.get(), "folder", true));
    }

    void lossesChangeTheVerifier() {
        struct NoListener final : StoreListener {
            void storeDone(std::uint64_t, int) override {}
        } nobody;
        const auto ring = Ring::create(8);
        QVERIFY(ring.has_value());
        const auto verifier = [&](std::uint64_t losses) {
            StoreOptions options{.path = path_, .stateDir = records_};
            options.losses = losses;
            const auto store = Store::open(**ring, options, nobody);
            while (store && !(*store)->settled())
                if (!(*ring)->turn())
                    break;
            return store ? (*store)->verifier() : Verifier(0);
        };
        QCOMPARE(verifier(0).value, verifier(0).value);
        QVERIFY(verifier(1) != verifier(0));
    }

    // What an initiator is told.
    void isPartOfTheGeneration() {
        struct NoListener final : StoreListener {
            void storeDone(std::uint64_t, int) override {}
        } nobody;
        const auto ring = Ring::create(8);
        QVERIFY(ring.has_value());
        const auto generation = [&](std::uint64_t count) {
            StoreOptions options{.path = path_};
            options.replaced = count;
            const auto store = Store::open(**ring, options, nobody);
            while (store && !(*store)->settled())
                if (!(*ring)->turn())
                    break;
            return store ? (*store)->geometry().generation : 0;
        };
        QVERIFY(generation(0) != 0);
        QCOMPARE(generation(0), generation(0));
        QVERIFY(generation(1) != generation(0));
    }
};

QTEST_GUILESS_MAIN(TestCleanRecord)
#include "tst_clean_record.moc"
