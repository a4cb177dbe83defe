// The store's data path on real files, in memory (tmpfs) and on this machine's disk.

#include "tests/unit/store_harness.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

using belay::store::StoreOptions;

namespace {
constexpr std::size_t kSize = 4 << 20;

std::int64_t allocatedBytes(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? found.st_blocks * 512 : -1;
}
}  // namespace

class TestStore : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> folder_;
    std::string path_;
    std::unique_ptr<Harness> h_;

    // Opens a store of random bytes in the row's folder.
    void begin() {
        QFETCH(QString, where);
        folder_ = std::make_unique<QTemporaryDir>(where + "/belay-store-XXXXXX");
        QVERIFY(folder_->isValid());
        path_ = folder_->filePath("disk.img").toStdString();
        makeFile(path_, kSize);
        h_ = std::make_unique<Harness>(
            StoreOptions{.path = path_, .stateDir = folder_->path().toStdString()});
        QVERIFY2(h_->open(), h_->error.message().c_str());
    }

    static void rows() {
        QTest::addColumn<QString>("where");
        QTest::newRow("memory") << "/dev/shm";
        QTest::newRow("disk") << "/var/tmp";
    }

 private slots:
    void cleanup() {
        h_.reset();
        folder_.reset();
    }

    void readsWhatIsThere_data() { rows(); }
    void readsWhatIsThere() {
        begin();
        Bytes bytes(kSize);
        QCOMPARE(h_->read(0, bytes), 0);
        QCOMPARE(bytes, contentOf(path_, kSize));
        Bytes last(512);
        QCOMPARE(h_->read(kSize - 512, last), 0);
        QCOMPARE(last, contentOf(path_, 512, kSize - 512));
    }

    void runsManyAtOnce_data() { rows(); }
    void runsManyAtOnce() {
        begin();
        constexpr std::size_t kCount = 200;
        constexpr std::size_t kPiece = 4096;
        std::vector<Bytes> pieces;
        for (unsigned i = 0; i < kCount; ++i)
            pieces.push_back(randomBytes(kPiece, 100 + i));
        for (std::size_t i = 0; i < kCount; ++i)
            h_->startWrite(2 * i * kPiece, pieces[i], i % 16 == 0);
        QCOMPARE(h_->store->inFlight(), unsigned{kCount});
        QVERIFY(h_->settle());
        std::vector<Bytes> found(kCount, Bytes(kPiece));
        for (std::size_t i = 0; i < kCount; ++i)
            h_->startRead(2 * i * kPiece, found[i]);
        QVERIFY(h_->settle());
        QCOMPARE(h_->answers.size(), 2 * kCount);
        for (const auto& [cookie, answer] : h_->answers)
            QCOMPARE(answer.error, 0);
        QCOMPARE(found, pieces);
        const Bytes before = randomBytes(kSize, 1);
        const Bytes after = contentOf(path_, kSize);
        for (std::size_t i = 0; i < kCount; ++i) {
            const auto gap = static_cast<std::ptrdiff_t>((2 * i + 1) * kPiece);
            QVERIFY(std::equal(before.begin() + gap, before.begin() + gap + kPiece,
                               after.begin() + gap));
        }
    }

    void answersEveryFlush_data() { rows(); }
    void answersEveryFlush() {
        begin();
        const belay::Verifier before = h_->store->verifier();
        const Bytes data = randomBytes(65536, 7);
        for (unsigned i = 0; i < 20; ++i) {
            h_->startWrite(i * 65536, data, i % 2 == 0);
            h_->startFlush();
            h_->startFlush();
        }
        QVERIFY(h_->settle());
        QCOMPARE(h_->answers.size(), std::size_t{60});
        for (const auto& [cookie, answer] : h_->answers)
            QCOMPARE(answer.error, 0);
        QCOMPARE(h_->flush(), 0);
        QCOMPARE(h_->store->verifier(), before);
    }

    void givesSpaceBack_data() { rows(); }
    void givesSpaceBack() {
        begin();
        QVERIFY(h_->store->geometry().canDiscard);
        QCOMPARE(h_->flush(), 0);
        const std::int64_t before = allocatedBytes(path_);
        QCOMPARE(h_->discard(1 << 20, 1 << 20), 0);
        QVERIFY(allocatedBytes(path_) <= before - (1 << 20));
        Bytes bytes(kSize);
        QCOMPARE(h_->read(0, bytes), 0);
        Bytes expected = randomBytes(kSize, 1);
        std::fill_n(expected.begin() + (1 << 20), 1 << 20, std::byte{});
        QCOMPARE(bytes, expected);
        QCOMPARE(contentOf(path_, kSize), expected);
    }

    void writesZeroes_data() {
        QTest::addColumn<QString>("where");
        QTest::addColumn<bool>("noUnmap");
        QTest::addColumn<quint64>("offset");
        QTest::addColumn<quint64>("length");
        for (const QString where : {"/dev/shm", "/var/tmp"})
            for (const bool noUnmap : {false, true}) {
                const QByteArray name = where.toLatin1() + (noUnmap ? " keep" : " free");
                QTest::newRow(name + " block") << where << noUnmap << 512ull << 512ull;
                QTest::newRow(name + " odd") << where << noUnmap << 1536ull << 1'000'448ull;
                QTest::newRow(name + " all") << where << noUnmap << 0ull << quint64{kSize};
            }
    }
    void writesZeroes() {
        begin();
        QFETCH(bool, noUnmap);
        QFETCH(quint64, offset);
        QFETCH(quint64, length);
        QCOMPARE(h_->flush(), 0);
        const std::int64_t before = allocatedBytes(path_);
        QCOMPARE(h_->writeZeroes(offset, length, noUnmap), 0);
        Bytes expected = randomBytes(kSize, 1);
        std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(offset), length, std::byte{});
        QCOMPARE(contentOf(path_, kSize), expected);
        QCOMPARE(h_->flush(), 0);
        if (noUnmap)
            QVERIFY(allocatedBytes(path_) >= before);
        else if (length == kSize)
            QVERIFY(allocatedBytes(path_) < before);
    }

    void refusesBadRanges_data() {
        QTest::addColumn<quint64>("offset");
        QTest::addColumn<quint64>("length");
        QTest::newRow("behind the end") << quint64{kSize} << 512ull;
        QTest::newRow("over the end") << quint64{kSize - 512} << 1024ull;
        QTest::newRow("longer than all") << 0ull << quint64{kSize} + 512;
        QTest::newRow("empty") << 0ull << 0ull;
        QTest::newRow("offset not on a block") << 100ull << 512ull;
        QTest::newRow("length not of blocks") << 0ull << 100ull;
        QTest::newRow("sum overflows") << ~0ull - 511 << 1024ull;
    }
    void refusesBadRanges() {
        QFETCH(quint64, offset);
        QFETCH(quint64, length);
        folder_ = std::make_unique<QTemporaryDir>();
        path_ = folder_->filePath("disk.img").toStdString();
        makeFile(path_, kSize);
        h_ = std::make_unique<Harness>(StoreOptions{.path = path_});
        QVERIFY(h_->open());
        Bytes data(length);
        QCOMPARE(h_->read(offset, data), EINVAL);
        QCOMPARE(h_->write(offset, data), EINVAL);
        QCOMPARE(h_->write(offset, data, true), EINVAL);
        QCOMPARE(h_->discard(offset, length), EINVAL);
        QCOMPARE(h_->writeZeroes(offset, length, false), EINVAL);
        QCOMPARE(contentOf(path_, kSize), randomBytes(kSize, 1));
        QCOMPARE(QFileInfo(QString::fromStdString(path_)).size(), qint64{kSize});
    }

    void changesNothingReadOnly_data() { rows(); }
    void changesNothingReadOnly() {
        begin();
        h_->store.reset();
        h_->options.readOnly = true;
        QVERIFY(h_->open());
        QVERIFY(h_->store->geometry().readOnly);
        QVERIFY(!h_->store->geometry().canDiscard);
        QVERIFY(!h_->store->geometry().canWriteZeroes);
        Bytes data(4096);
        QCOMPARE(h_->read(0, data), 0);
        QCOMPARE(h_->write(0, data), EROFS);
        QCOMPARE(h_->write(0, data, true), EROFS);
        QCOMPARE(h_->discard(0, 4096), EROFS);
        QCOMPARE(h_->writeZeroes(0, 4096, false), EROFS);
        QCOMPARE(h_->flush(), 0);
        QCOMPARE(contentOf(path_, kSize), randomBytes(kSize, 1));
    }

    void noticesTruncation_data() { rows(); }
    void noticesTruncation() {
        begin();
        QCOMPARE(::truncate(path_.c_str(), 1 << 20), 0);
        Bytes data(8192);
        QCOMPARE(h_->read(0, data), 0);
        // half of it is still there: an error all the same, and no zeroes in the place of data
        QCOMPARE(h_->read((1 << 20) - 4096, data), EIO);
        QCOMPARE(h_->write(2 << 20, data), EIO);
        QCOMPARE(h_->read(0, data), EIO);
        QCOMPARE(h_->flush(), EIO);
        QCOMPARE(QFileInfo(QString::fromStdString(path_)).size(), qint64{1 << 20});
    }

    // RLIMIT_FSIZE makes the kernel refuse a write (EFBIG): a FUA write that really fails.
    void neverForgetsAFailedFua_data() { rows(); }
    void neverForgetsAFailedFua() {
        begin();
        const belay::Verifier before = h_->store->verifier();
        struct rlimit old {};
        QCOMPARE(::getrlimit(RLIMIT_FSIZE, &old), 0);
        struct rlimit low = old;
        low.rlim_cur = 2 << 20;
        ::signal(SIGXFSZ, SIG_IGN);
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &low), 0);

        const Bytes data = randomBytes(65536, 9);
        const int plain = h_->write(3 << 20, data);
        const belay::Verifier afterPlain = h_->store->verifier();
        // writes and a flush that run beside the failing one
        std::vector<std::uint64_t> beside;
        for (unsigned i = 0; i < 8; ++i)
            beside.push_back(h_->startWrite(i * 65536, data));
        const std::uint64_t fua = h_->startWrite(3 << 20, data, true);
        const std::uint64_t flush = h_->startFlush();
        for (unsigned i = 8; i < 16; ++i)
            beside.push_back(h_->startWrite(i * 65536, data));
        const bool settled = h_->settle();
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &old), 0);

        QVERIFY(settled);
        // told to the writer only: nothing that was acknowledged is in doubt
        QCOMPARE(plain, EFBIG);
        QCOMPARE(afterPlain, before);
        QCOMPARE(h_->answers.at(fua).error, EFBIG);
        const belay::Verifier after = h_->store->verifier();
        QVERIFY(after != before);
        QCOMPARE(h_->answers.at(fua).verifier, after);
        // the kernel may have given the error of other bytes to the FUA write
        QCOMPARE(h_->answers.at(flush).error, EFBIG);
        for (const std::uint64_t cookie : beside)
            QCOMPARE(h_->answers.at(cookie).error, 0);
        Bytes found(16 * 65536);
        QCOMPARE(h_->read(0, found), 0);
        for (std::size_t i = 0; i < 16; ++i)
            QVERIFY(std::equal(data.begin(), data.end(),
                               found.begin() + static_cast<std::ptrdiff_t>(i * 65536)));
        QCOMPARE(h_->flush(), 0);
        QCOMPARE(h_->store->verifier(), after);
        QVERIFY(h_->reopen());
        QCOMPARE(h_->store->verifier(), after);
    }

    void handsOverToANewListener_data() { rows(); }
    void handsOverToANewListener() {
        begin();
        struct Other final : belay::store::StoreListener {
            std::vector<std::uint64_t> cookies;
            void storeDone(std::uint64_t cookie, int error) override {
                QCOMPARE(error, 0);
                cookies.push_back(cookie);
            }
        } other;
        Bytes data(512);
        h_->startRead(0, data);
        QVERIFY(h_->settle());
        h_->store->setListener(other);
        h_->store->read(0, data, 77);
        QVERIFY(h_->settle());
        QCOMPARE(other.cookies, std::vector<std::uint64_t>{77});
        QCOMPARE(h_->answers.size(), std::size_t{1});
    }

    void mustNotBeDestroyedInUse() {
        folder_ = std::make_unique<QTemporaryDir>();
        path_ = folder_->filePath("disk.img").toStdString();
        makeFile(path_, kSize);
        const pid_t child = ::fork();
        if (child == 0) {
            ::signal(SIGABRT, SIG_DFL);
            Harness harness(StoreOptions{.path = path_});
            Bytes data(512);
            if (harness.open())
                harness.startRead(0, data);
            harness.store.reset();
            ::_exit(0);
        }
        int status = 0;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QVERIFY(WIFSIGNALED(status));
        QCOMPARE(WTERMSIG(status), SIGABRT);
    }
};

QTEST_GUILESS_MAIN(TestStore)
#include "tst_store.moc"
