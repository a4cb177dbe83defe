// Opening a store: what is refused and how, who has it, and what it is known by.
//
// Started with --hold, the program is the other process that has a store open.

#include "core/store/writeback_state.h"
#include "tests/unit/store_harness.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <set>

using belay::Fd;
using belay::store::StoreOptions;
using belay::store::WritebackState;

namespace {

constexpr std::size_t kSize = 1 << 20;

// --hold FILE STATE ro|rw: opens, says the verifier or why not, writes once, and waits.
int hold(char** arguments) {
    Harness harness(StoreOptions{.path = arguments[0],
                                 .readOnly = std::string(arguments[2]) == "ro",
                                 .stateDir = arguments[1]});
    if (!harness.open()) {
        std::printf("refused %s\n", harness.error.message().c_str());
        std::fflush(stdout);
        return 1;
    }
    if (!harness.options.readOnly && harness.write(0, randomBytes(4096, 5)) != 0)
        return 2;
    std::printf("open %llx\n", static_cast<unsigned long long>(harness.store->verifier().value));
    std::fflush(stdout);
    return std::getchar() == EOF ? 0 : 3;
}

}  // namespace

class TestStoreOpen : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> folder_;
    std::string path_, state_;

    std::string in(const char* name) const { return folder_->filePath(name).toStdString(); }
    StoreOptions options() const { return {.path = path_, .stateDir = state_}; }

    // Another process with the store open; its first word came in `line`.
    struct Holder {
        QProcess process;
        QByteArray line;
        ~Holder() {
            process.closeWriteChannel();
            process.waitForFinished();
        }
    };
    void startHolder(Holder& holder, const char* mode) {
        holder.process.start(
            QCoreApplication::applicationFilePath(),
            {"--hold", QString::fromStdString(path_), QString::fromStdString(state_), mode});
        while (!holder.process.canReadLine() && holder.process.waitForReadyRead(30'000)) {
        }
        holder.line = holder.process.readLine().trimmed();
    }

    // The kernel may still be letting go of the file after the process is gone.
    static bool opensSoon(Harness& h) {
        const auto end = belay::Clock::now() + std::chrono::seconds(10);
        while (!h.open()) {
            if (h.error.code != EBUSY || belay::Clock::now() > end)
                return false;
            QTest::qSleep(1);
        }
        return true;
    }

 private slots:
    void init() {
        folder_ = std::make_unique<QTemporaryDir>();
        QVERIFY(folder_->isValid());
        // also for the user that permission tests become
        QCOMPARE(::chmod(in("").c_str(), 0755), 0);
        path_ = in("disk.img");
        state_ = in("state");
        QCOMPARE(::mkdir(state_.c_str(), 0777), 0);
        makeFile(path_, kSize);
    }

    void knowsItsSize_data() {
        QTest::addColumn<unsigned>("asked");
        QTest::addColumn<unsigned>("given");
        QTest::newRow("default") << 0u << 512u;
        QTest::newRow("4096") << 4096u << 4096u;
        QTest::newRow("most") << 65536u << 65536u;
    }
    void knowsItsSize() {
        QFETCH(unsigned, asked);
        QFETCH(unsigned, given);
        Harness h(options());
        h.options.blockSize = asked;
        QVERIFY2(h.open(), h.error.message().c_str());
        QCOMPARE(h.store->geometry().sizeBytes, std::uint64_t{kSize});
        QCOMPARE(h.store->geometry().blockSize, given);
        QVERIFY(!h.store->geometry().readOnly);
        QVERIFY(h.store->geometry().canWriteZeroes);
        QVERIFY(h.store->geometry().generation != 0);
        QVERIFY(!h.store->geometry().uuid.isNil());
        Bytes block(given);
        QCOMPARE(h.read(given, block), 0);
        if (given > 512)
            QCOMPARE(h.read(512, block), EINVAL);
    }

    void saysWhyNot_data() {
        QTest::addColumn<QString>("make");
        QTest::addColumn<unsigned>("blockSize");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("text");
        QTest::newRow("missing") << "rm %1" << 0u << ENOENT << "There is nothing at this path";
        QTest::newRow("below a file")
            << "rm %1; touch %2; ln -s %2/x %1" << 0u << ENOTDIR << "not a folder";
        QTest::newRow("directory") << "rm %1; mkdir %1" << 0u << EISDIR << "Is a directory";
        QTest::newRow("pipe") << "rm %1; mkfifo %1" << 0u << 0
                              << "neither a regular file nor a block device";
        QTest::newRow("character device") << "rm %1; ln -s /dev/null %1" << 0u << 0
                                          << "neither a regular file nor a block device";
        QTest::newRow("empty") << ": >%1" << 0u << 0 << "empty (0 bytes)";
        QTest::newRow("odd size") << "truncate -s 1000 %1" << 0u << 0
                                  << "size 1000 is not a multiple of the block size 512";
        QTest::newRow("odd for 4096")
            << "truncate -s 5120 %1" << 4096u << 0 << "Change the size, e.g. to 8192";
        QTest::newRow("block 1000") << "true" << 1000u << 0 << "block size 1000 cannot be used";
        QTest::newRow("block 256") << "true" << 256u << 0 << "power of two from 512 to 65536";
        QTest::newRow("block 131072") << "true" << 131072u << 0 << "block size 131072 cannot";
    }
    void saysWhyNot() {
        QFETCH(QString, make);
        QFETCH(unsigned, blockSize);
        QFETCH(int, code);
        QFETCH(QString, text);
        make.replace("%1", QString::fromStdString(path_));
        make.replace("%2", folder_->filePath("other"));
        QCOMPARE(std::system(make.toLocal8Bit()), 0);
        Harness h(options());
        h.options.blockSize = blockSize;
        QVERIFY(!h.open());
        QCOMPARE(h.error.code, code);
        QVERIFY2(h.error.message().find(text.toStdString()) != std::string::npos,
                 h.error.message().c_str());
        QVERIFY(h.error.message().find(path_) != std::string::npos);
        QVERIFY(!h.error.hint.empty());
    }

    // As somebody who is not root: root may open anything.
    void saysThatPermissionIsMissing() {
        QCOMPARE(::chmod(path_.c_str(), 0), 0);
        Harness h(options());
        const bool root = ::geteuid() == 0;
        if (root)
            QCOMPARE(::seteuid(65534), 0);
        const bool opened = h.open();
        if (root)
            QCOMPARE(::seteuid(0), 0);
        QVERIFY(!opened);
        QCOMPARE(h.error.code, EACCES);
        QVERIFY2(h.error.message().find("Change its permissions") != std::string::npos,
                 h.error.message().c_str());
    }

    void saysThatTheStateDirectoryIsMissing() {
        Harness h(options());
        h.options.stateDir = in("nowhere");
        QVERIFY(!h.open());
        QCOMPARE(h.error.code, ENOENT);
    }

    void isForOneProcess() {
        Holder holder;
        startHolder(holder, "rw");
        QVERIFY2(holder.line.startsWith("open"), holder.line);
        Harness h(options());
        QVERIFY(!h.open());
        QCOMPARE(h.error.code, EBUSY);
        const std::string text = h.error.message();
        QVERIFY2(text.find("in use by another daemon") != std::string::npos, text.c_str());
        const auto pid = std::to_string(holder.process.processId());
        QVERIFY2(text.find("Process " + pid + " (tst_store_open)") != std::string::npos,
                 text.c_str());
        h.options.readOnly = true;
        QVERIFY(!h.open());
        QCOMPARE(h.error.code, EBUSY);
        holder.process.closeWriteChannel();
        QVERIFY(holder.process.waitForFinished());
        QVERIFY2(h.open(), h.error.message().c_str());
        Harness second(options());
        QVERIFY(!second.open());
        QCOMPARE(second.error.code, EBUSY);
    }

    void isFreeAfterKill() {
        Holder holder;
        startHolder(holder, "rw");
        QVERIFY2(holder.line.startsWith("open"), holder.line);
        holder.process.kill();
        QVERIFY(holder.process.waitForFinished());
        Harness h(options());
        QVERIFY2(opensSoon(h), h.error.message().c_str());
        // acknowledged by the dead one: still there, and its verifier too
        QCOMPARE(contentOf(path_, 4096), randomBytes(4096, 5));
        QCOMPARE(QByteArray::number(qulonglong{h.store->verifier().value}, 16), holder.line.mid(5));
    }

    void isSharedReadOnly() {
        Holder holder;
        startHolder(holder, "ro");
        QVERIFY2(holder.line.startsWith("open"), holder.line);
        Harness h(options());
        QVERIFY(!h.open());
        QCOMPARE(h.error.code, EBUSY);
        h.options.readOnly = true;
        QVERIFY2(h.open(), h.error.message().c_str());
    }

    void adoptsWhatTheDescriptorAllows() {
        Harness h(options());
        QVERIFY(h.adopt(Fd(::open(path_.c_str(), O_RDONLY))));
        QVERIFY(h.store->geometry().readOnly);
        h.store.reset();

        QVERIFY(!h.adopt(Fd(::open(path_.c_str(), O_WRONLY))));
        QVERIFY(h.error.message().find("cannot be read from") != std::string::npos);
        QVERIFY(!h.adopt(Fd(::open(path_.c_str(), O_PATH))));
        QVERIFY(h.error.message().find("cannot be read from") != std::string::npos);
        QVERIFY(!h.adopt(Fd()));
        QCOMPARE(h.error.code, EBADF);
        QVERIFY(!h.adopt(Fd(::open(folder_->path().toLocal8Bit(), O_RDONLY))));
        QCOMPARE(h.error.code, EISDIR);

        // O_APPEND would send every write to the end of the file
        QVERIFY(h.adopt(Fd(::open(path_.c_str(), O_RDWR | O_APPEND | O_NONBLOCK))));
        QVERIFY(!h.store->geometry().readOnly);
        const Bytes data = randomBytes(4096, 3);
        QCOMPARE(h.write(8192, data), 0);
        QCOMPARE(contentOf(path_, 4096, 8192), data);
        QCOMPARE(QFileInfo(QString::fromStdString(path_)).size(), qint64{kSize});
        h.store.reset();

        h.options.readOnly = true;
        QVERIFY(h.adopt(Fd(::open(path_.c_str(), O_RDWR))));
        QCOMPARE(h.write(0, data), EROFS);
    }

    void refusesASharedDescription() {
        const Fd kept(::open(path_.c_str(), O_RDWR));
        Harness first(options());
        QVERIFY(first.adopt(Fd(::dup(kept.get()))));
        Harness second(options());
        QVERIFY(!second.adopt(Fd(::dup(kept.get()))));
        QCOMPARE(second.error.code, EBUSY);
        QVERIFY2(second.error.message().find("shared with its holder") != std::string::npos,
                 second.error.message().c_str());
        // also when the one that locked it is gone: its I/O may not be
        first.store.reset();
        QVERIFY(!second.adopt(Fd(::dup(kept.get()))));
        QCOMPARE(second.error.code, EBUSY);
    }

    void keepsItsVerifier() {
        Harness h(options());
        QVERIFY(h.open());
        const belay::Verifier first = h.store->verifier();
        QCOMPARE(h.write(0, randomBytes(4096, 2)), 0);
        QVERIFY(h.reopen());
        QCOMPARE(h.store->verifier(), first);
        h.store.reset();
        Holder holder;
        startHolder(holder, "rw");
        QCOMPARE(holder.line, "open " + QByteArray::number(qulonglong{first.value}, 16));
        holder.process.closeWriteChannel();
        QVERIFY(holder.process.waitForFinished());

        // another store has another one
        makeFile(in("other.img"), kSize);
        Harness other(options());
        other.options.path = in("other.img");
        QVERIFY(other.open());
        QVERIFY(other.store->verifier() != first);
        // and with nothing to keep it in, it is new each time
        h.options.stateDir.clear();
        std::set<belay::Verifier> seen;
        for (int i = 0; i < 4; ++i) {
            QVERIFY(h.reopen());
            seen.insert(h.store->verifier());
        }
        QCOMPARE(seen.size(), std::size_t{4});
    }

    void countsLosses() {
        const belay::Uuid store = belay::Uuid::random();
        std::uint64_t instance = 1;
        const auto lossesAtOpen = [&](bool proof = false) {
            auto state = WritebackState::open(state_, store, instance);
            if (state && state->isInDoubt())
                state->settle(proof);
            return state ? state->losses() : 0;
        };
        const std::uint64_t start = lossesAtOpen();
        QVERIFY(start != 0);
        QCOMPARE(lossesAtOpen(), start);
        {
            auto state = WritebackState::open(state_, store, instance);
            QVERIFY(state.has_value());
            state->lost();
            QCOMPARE(state->losses(), start + 1);
            state->setSyncing(true);
            state->setSyncing(false);
        }
        QCOMPARE(lossesAtOpen(), start + 1);
        {
            auto state = WritebackState::open(state_, store, instance);
            QVERIFY(state.has_value());
            state->setSyncing(true);
        }
        // ended in the middle of a sync, once
        QCOMPARE(lossesAtOpen(), start + 2);
        QCOMPARE(lossesAtOpen(), start + 2);
        // or its successor has proved that nothing was lost
        {
            auto state = WritebackState::open(state_, store, instance);
            QVERIFY(state.has_value());
            state->setSyncing(true);
        }
        QCOMPARE(lossesAtOpen(true), start + 2);
        // but for one that ended in the middle of the proof
        for (int i = 0; i < 2; ++i) {
            auto state = WritebackState::open(state_, store, instance);
            QVERIFY(state.has_value());
            QCOMPARE(state->isInDoubt(), i != 0);
            state->setSyncing(true);
            if (i != 0)
                state->beginProof();
        }
        QCOMPARE(lossesAtOpen(true), start + 3);
        {
            auto state = WritebackState::open(state_, store, instance);
            QVERIFY(state && !state->isInDoubt());
        }
        // a file that is gone or spoilt is a loss
        const std::string file = state_ + "/" + store.toString() + ".writeback";
        QCOMPARE(::truncate(file.c_str(), 10), 0);
        const std::uint64_t spoilt = lossesAtOpen();
        QVERIFY(spoilt != start + 3);
        QCOMPARE(::unlink(file.c_str()), 0);
        const std::uint64_t gone = lossesAtOpen();
        QVERIFY(gone != spoilt && gone != start + 3);
        // another page cache is a loss, once, and nothing proves that it is not
        {
            auto state = WritebackState::open(state_, store, instance);
            QVERIFY(state.has_value());
            state->setSyncing(true);
        }
        instance = 2;
        QCOMPARE(lossesAtOpen(true), gone + 1);
        QCOMPARE(lossesAtOpen(true), gone + 1);
    }

    void hasAnIdentity() {
        Harness h(options());
        QVERIFY(h.open());
        const belay::store::Geometry first = h.store->geometry();
        QCOMPARE(first.uuid.toString()[14], '8');
        h.store.reset();
        QCOMPARE(::rename(path_.c_str(), in("renamed.img").c_str()), 0);
        h.options.path = in("renamed.img");
        QVERIFY(h.open());
        QCOMPARE(h.store->geometry().uuid, first.uuid);
        QCOMPARE(h.store->geometry().generation, first.generation);
        // a copy is another one, also at the old place
        h.store.reset();
        QVERIFY(QFile::copy(folder_->filePath("renamed.img"), folder_->filePath("disk.img")));
        h.options.path = path_;
        QVERIFY(h.open());
        QVERIFY(h.store->geometry().uuid != first.uuid);
    }
};

int main(int argc, char** argv) {
    if (argc == 5 && std::string(argv[1]) == "--hold")
        return hold(argv + 2);
    QCoreApplication application(argc, argv);
    TestStoreOpen test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_store_open.moc"
