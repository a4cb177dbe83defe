// The store on devices that fill up, refuse, fail and hang: needs root, loop and device mapper.
//
// Started with --write, the program is another process that is killed in the middle of a write.

#include "core/store/clean_record.h"
#include "tests/unit/store_harness.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>

using belay::store::StoreOptions;

namespace {

const std::string kFolder = "/run/belay-store";
const std::string kState = kFolder + "/state";

// --write FILE: a FUA write that does not come back, with the lock held.
int writeForEver(const char* path) {
    Harness harness(StoreOptions{.path = path, .stateDir = kState});
    if (!harness.open())
        return 1;
    const Bytes data = randomBytes(4096, 6);
    harness.startWrite(0, data, true);
    static_cast<void>(harness.ring->turn(std::chrono::milliseconds(50)));
    std::puts("writing");
    std::fflush(stdout);
    return harness.settle() ? 0 : 2;
}

// Runs a shell command; what it printed, and a failed test when it failed.
QByteArray shell(const std::string& command) {
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start("sh", {"-ec", QString::fromStdString(command)});
    process.waitForFinished(60'000);
    const QByteArray output = process.readAll().trimmed();
    if (process.exitStatus() != QProcess::NormalExit || process.exitCode() != 0)
        QTest::qFail(("failed: " + command + "\n" + output.toStdString()).c_str(), __FILE__,
                     __LINE__);
    return output;
}

}  // namespace

class TestStoreVm : public QObject {
    Q_OBJECT

    // A loop device of `megabytes` over a file in memory.
    static std::string loop(const std::string& name, int megabytes, const char* extra = "") {
        const std::string file = kFolder + "/" + name;
        shell("truncate -s " + std::to_string(megabytes) + "M " + file);
        return shell("losetup -f --show " + std::string(extra) + " " + file).toStdString();
    }
    static std::string sectors(const std::string& device) {
        return shell("blockdev --getsz " + device).toStdString();
    }
    // The device-mapper device "victim" over `device`, which may be turned into one that fails.
    static std::string victim(const std::string& device) {
        shell("dmsetup create victim --table '0 " + sectors(device) + " linear " + device + " 0'");
        return "/dev/mapper/victim";
    }
    static void turnInto(const std::string& table) {
        shell("dmsetup suspend --noflush --nolockfs victim; dmsetup load victim --table '" + table +
              "'; dmsetup resume victim");
    }

 private slots:
    void initTestCase() {
        // It takes every loop device away at the end of each test.
        QVERIFY2(QFile::exists("/run/belay-job"), "only for the test guest: start it with the rig");
        QCOMPARE(::geteuid(), 0u);
        // nobody answers device mapper's questions to udev here
        qputenv("DM_DISABLE_UDEV", "1");
        shell("mkdir -p " + kState);
    }
    void cleanup() {
        shell("umount -q " + kFolder +
              "/mnt || true; dmsetup resume victim 2>/dev/null || true; "
              "dmsetup remove --retry victim 2>/dev/null || true; losetup -D");
    }

    void readsAtOnceOnlyWhatIsInMemory() {
        const std::string disk = loop("cached", 4);
        const std::string hanging = victim(disk);
        constexpr std::size_t kPiece = 256 << 10;
        Harness h(StoreOptions{.path = hanging, .stateDir = kState});
        QVERIFY2(h.open(), h.error.message().c_str());
        const Bytes data = randomBytes(kPiece, 3);
        QCOMPARE(h.write(kPiece, data, true), 0);
        Bytes found(kPiece);
        QVERIFY(h.store->readCached(kPiece, found));
        QCOMPARE(found, data);
        // A disk that hangs does not hold up who only asks.
        shell("echo 3 >/proc/sys/vm/drop_caches; dmsetup suspend --noflush --nolockfs victim");
        QVERIFY(!h.store->readCached(3 * kPiece, found));
        shell("dmsetup resume victim");
        QCOMPARE(h.read(3 * kPiece, found), 0);
        QVERIFY(h.store->readCached(3 * kPiece, found));
        // What read() has an answer to.
        QVERIFY(!h.store->readCached(16 * kPiece, found));
        QVERIFY(!h.store->readCached(1, found));
        h.store.reset();

        const std::string path = kFolder + "/cut.img";
        makeFile(path, 2 * kPiece);
        Harness cut(StoreOptions{.path = path, .stateDir = kState});
        QVERIFY2(cut.open(), cut.error.message().c_str());
        QCOMPARE(::truncate(path.c_str(), kPiece / 2), 0);
        QVERIFY(!cut.store->readCached(0, found));
        QCOMPARE(cut.read(0, found), EIO);
        QVERIFY(!cut.store->readCached(0, found));
    }

    void tellsAFullDisk() {
        const std::string device = loop("small", 16);
        shell("mkfs.ext4 -q -m 0 " + device + "; mkdir -p " + kFolder + "/mnt; mount " + device +
              " " + kFolder + "/mnt; truncate -s 64M " + kFolder + "/mnt/disk.img");
        Harness h(StoreOptions{.path = kFolder + "/mnt/disk.img", .stateDir = kState});
        QVERIFY2(h.open(), h.error.message().c_str());
        const belay::Verifier before = h.store->verifier();
        constexpr std::size_t kPiece = 256 << 10;
        std::size_t stored = 0;
        int error = 0;
        for (; stored < 256 && error == 0; ++stored)
            error = h.write(stored * kPiece, randomBytes(kPiece, static_cast<unsigned>(stored)));
        --stored;
        QCOMPARE(error, ENOSPC);
        QVERIFY2(stored > 16, std::to_string(stored).c_str());
        // nothing that was acknowledged is in doubt, and reads go on
        QCOMPARE(h.flush(), 0);
        QCOMPARE(h.store->verifier(), before);
        Bytes found(kPiece);
        for (std::size_t i = 0; i < stored; ++i) {
            QCOMPARE(h.read(i * kPiece, found), 0);
            QCOMPARE(found, randomBytes(kPiece, static_cast<unsigned>(i)));
        }
        QCOMPARE(h.write(60 << 20, found, true), ENOSPC);
        // what a discard gives back can be written again
        QCOMPARE(h.discard(0, 4 << 20), 0);
        QCOMPARE(h.flush(), ENOSPC);  // the failed FUA write, once
        QCOMPARE(h.flush(), 0);
        QCOMPARE(h.write(60 << 20, found, true), 0);
        Bytes again(kPiece);
        QCOMPARE(h.read(60 << 20, again), 0);
        QCOMPARE(again, found);
    }

    void tellsAReadOnlyMount() {
        const std::string device = loop("romount", 16);
        const std::string mount = kFolder + "/mnt";
        shell("mkfs.ext4 -q " + device + "; mkdir -p " + mount + "; mount " + device + " " + mount +
              "; head -c 1M /dev/urandom >" + mount + "/disk.img; mount -o remount,ro " + mount);
        Harness h(StoreOptions{.path = mount + "/disk.img", .stateDir = kState});
        QVERIFY(!h.open());
        QCOMPARE(h.error.code, EROFS);
        QVERIFY(h.error.message().find("remount it writable") != std::string::npos);
        h.options.readOnly = true;
        QVERIFY2(h.open(), h.error.message().c_str());
        Bytes bytes(4096);
        QCOMPARE(h.read(0, bytes), 0);
        QCOMPARE(bytes, contentOf(mount + "/disk.img", 4096));
        h.store.reset();
    }

    void tellsAReadOnlyDevice() {
        const std::string device = loop("rodevice", 4);
        shell("blockdev --setro " + device);
        Harness h(StoreOptions{.path = device, .stateDir = kState});
        QVERIFY(!h.open());
        QVERIFY2(h.error.message().find("--setrw") != std::string::npos ||
                     h.error.message().find("read-only") != std::string::npos,
                 h.error.message().c_str());
        h.options.readOnly = true;
        QVERIFY2(h.open(), h.error.message().c_str());
        QVERIFY(h.store->geometry().readOnly);
        h.store.reset();
        shell("blockdev --setrw " + device);
        h.options.readOnly = false;
        QVERIFY2(h.open(), h.error.message().c_str());
    }

    void tellsADeviceInUse() {
        const std::string device = loop("mounted", 16);
        const std::string mount = kFolder + "/mnt";
        shell("mkfs.ext4 -q " + device + "; mkdir -p " + mount + "; mount " + device + " " + mount);
        Harness h(StoreOptions{.path = device, .stateDir = kState});
        QVERIFY(!h.open());
        QCOMPARE(h.error.code, EBUSY);
        QVERIFY(h.error.message().find("Unmount it") != std::string::npos);
        shell("umount " + mount);
        QVERIFY2(h.open(), h.error.message().c_str());
        Harness second(h.options);
        QVERIFY(!second.open());
        QCOMPARE(second.error.code, EBUSY);
        // through another node of the same device too
        struct stat node {};
        QCOMPARE(::stat(device.c_str(), &node), 0);
        second.options.path = "/dev/belay-store-node";
        QCOMPARE(::mknod(second.options.path.c_str(), S_IFBLK | 0600, node.st_rdev), 0);
        QVERIFY(!second.open());
        QCOMPARE(second.error.code, EBUSY);
        // an adopted descriptor shows its own device
        h.store.reset();
        QVERIFY2(h.adopt(belay::Fd(::open(device.c_str(), O_RDWR | O_EXCL | O_DIRECT))),
                 h.error.message().c_str());
        const Bytes data = randomBytes(512, 4);
        QCOMPARE(h.write(512, data, true), 0);
        QCOMPARE(contentOf(device, 512, 512), data);
    }

    void runsOnADevice_data() {
        QTest::addColumn<unsigned>("block");
        QTest::newRow("512") << 512u;
        QTest::newRow("4096") << 4096u;
    }
    void runsOnADevice() {
        QFETCH(unsigned, block);
        const std::string name = "device" + std::to_string(block);
        const std::string device = loop(name, 8, ("-b " + std::to_string(block)).c_str());
        Harness h(StoreOptions{.path = device, .stateDir = kState});
        QVERIFY2(h.open(), h.error.message().c_str());
        QCOMPARE(h.store->geometry().blockSize, block);
        QCOMPARE(h.store->geometry().sizeBytes, std::uint64_t{8} << 20);
        QVERIFY(h.store->geometry().canDiscard);
        const belay::Uuid uuid = h.store->geometry().uuid;
        Bytes expected = randomBytes(8 << 20, 3);
        QCOMPARE(h.write(0, expected), 0);
        QCOMPARE(h.flush(), 0);
        const Bytes piece = randomBytes(block, 4);
        QCOMPARE(h.write(block, piece, true), 0);
        std::copy(piece.begin(), piece.end(), expected.begin() + block);
        const auto clear = [&](std::size_t at, std::size_t length) {
            std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(at), length, std::byte{});
        };
        QCOMPARE(h.discard(1 << 20, 1 << 20), 0);
        clear(1 << 20, 1 << 20);
        QCOMPARE(h.writeZeroes(3 << 20, block, false), 0);
        clear(3 << 20, block);
        QCOMPARE(h.writeZeroes(4 << 20, 1 << 20, true), 0);
        clear(4 << 20, 1 << 20);
        Bytes found(8 << 20);
        QCOMPARE(h.read(0, found), 0);
        QVERIFY(found == expected);
        QCOMPARE(h.flush(), 0);
        h.store.reset();
        QVERIFY(contentOf(kFolder + "/" + name, 8 << 20) == expected);
        if (block == 4096) {
            h.options.blockSize = 512;
            QVERIFY(!h.open());
            QVERIFY2(h.error.message().find("below the device's own 4096") != std::string::npos,
                     h.error.message().c_str());
        }
        // the same file behind another loop device is the same disk
        shell("losetup -d " + device);
        const std::string first = loop("inbetween", 4);
        h.options.blockSize = 0;
        h.options.path = loop(name, 8);
        QVERIFY(h.options.path != first);
        QVERIFY2(h.open(), h.error.message().c_str());
        QCOMPARE(h.store->geometry().uuid, uuid);
        Harness other(StoreOptions{.path = first, .stateDir = kState});
        QVERIFY(other.open());
        QVERIFY(other.store->geometry().uuid != uuid);
    }

    // The job folder is a network file system without fallocate(2).
    void writesZeroesItself() {
        const std::string path = "/run/belay-job/store-test.img";
        makeFile(path, 2 << 20);
        Harness h(StoreOptions{.path = path, .stateDir = kState});
        QVERIFY2(h.open(), h.error.message().c_str());
        QVERIFY(!h.store->geometry().canDiscard);
        QVERIFY(h.store->geometry().canWriteZeroes);
        QCOMPARE(h.discard(0, 4096), EOPNOTSUPP);
        QCOMPARE(contentOf(path, 2 << 20), randomBytes(2 << 20, 1));
        Bytes expected = randomBytes(2 << 20, 1);
        for (const bool noUnmap : {false, true}) {
            const std::size_t at = noUnmap ? 1 << 20 : 512;
            QCOMPARE(h.writeZeroes(at, 900 << 10, noUnmap), 0);
            std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(at), 900 << 10, std::byte{});
        }
        QVERIFY(contentOf(path, 2 << 20) == expected);
        h.store.reset();
        QCOMPARE(::unlink(path.c_str()), 0);
    }

    void neverForgetsAFailedFlush_data() {
        QTest::addColumn<bool>("fileSystem");
        QTest::newRow("device") << false;
        QTest::newRow("file on ext4") << true;
    }
    void neverForgetsAFailedFlush() {
        QFETCH(bool, fileSystem);
        const std::string device = loop(fileSystem ? "under-ext4" : "under", 32);
        const std::string good = "0 " + sectors(device) + " linear " + device + " 0";
        std::string path = victim(device);
        if (fileSystem) {
            shell("mkfs.ext4 -q " + path + "; mkdir -p " + kFolder + "/mnt; mount " + path + " " +
                  kFolder + "/mnt; head -c 4M /dev/urandom >" + kFolder + "/mnt/disk.img; sync");
            path = kFolder + "/mnt/disk.img";
        }
        Harness h(StoreOptions{.path = path, .stateDir = kState});
        QVERIFY2(h.open(), h.error.message().c_str());
        const belay::Verifier before = h.store->verifier();
        QCOMPARE(h.write(0, randomBytes(65536, 2)), 0);
        QCOMPARE(h.flush(), 0);
        QCOMPARE(h.store->verifier(), before);

        QCOMPARE(h.write(0, randomBytes(65536, 3)), 0);
        turnInto("0 " + sectors(device) + " error");
        const std::uint64_t first = h.startFlush();
        QVERIFY(h.settle());
        QCOMPARE(h.answers.at(first).error, EIO);
        const belay::Verifier after = h.store->verifier();
        QVERIFY(after != before);
        QCOMPARE(h.answers.at(first).verifier, after);
        if (!fileSystem) {
            turnInto(good);
            QCOMPARE(h.flush(), 0);
            QCOMPARE(h.store->verifier(), after);
            // sent again, as an initiator does
            QCOMPARE(h.write(0, randomBytes(65536, 3)), 0);
            QCOMPARE(h.flush(), 0);
            QCOMPARE(contentOf(device, 65536), randomBytes(65536, 3));
        }
        QVERIFY2(h.reopen(), h.error.message().c_str());
        QCOMPARE(h.store->verifier(), after);
        h.store.reset();
    }

    // The end of a use that cannot make everything durable; and none at all, of a block device
    // whose last user has then written back what nobody will ask about.
    void countsAnEndThatSavedNothing() {
        const std::string device = loop("ended", 32);
        const std::string good = "0 " + sectors(device) + " linear " + device + " 0";
        const std::string path = victim(device);
        const std::string records = kFolder + "/records";
        shell("rm -rf " + records + "; mkdir " + records);
        const auto begin = [&] {
            const belay::Fd witness(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
            auto record = belay::store::beginRecord(records, witness.get(), path, true);
            return record ? *record : belay::store::CleanRecord{};
        };
        const auto writeAndEnd = [&](bool fails) {
            const belay::Fd witness(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
            const auto record = belay::store::beginRecord(records, witness.get(), path, true);
            if (!record || record->use == 0)
                qFatal("no use begins");
            const Bytes data = randomBytes(65536, 3);
            {
                const belay::Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
                if (::pwrite(file.get(), data.data(), data.size(), 1 << 20) < 0)
                    qFatal("cannot write");
            }
            if (fails)
                turnInto("0 " + sectors(device) + " error");
            const bool ended = belay::store::endRecord(records, witness.get(), path, *record,
                                                       std::chrono::seconds(1))
                                   .has_value();
            if (fails)
                turnInto(good);
            return ended;
        };
        QVERIFY(writeAndEnd(false));
        QCOMPARE(contentOf(device, 65536, 1 << 20), randomBytes(65536, 3));
        QVERIFY(writeAndEnd(false));
        const std::uint64_t before = begin().losses;
        QVERIFY(before == 0);
        // that one was not ended
        QCOMPARE(begin().losses, std::uint64_t{1});
        QVERIFY(!writeAndEnd(true));
        QVERIFY(begin().losses > 1);
    }

    void neverForgetsAFailedFuaBesideAFlush() {
        const std::string device = loop("beside", 32);
        const std::string path = victim(device);
        Harness h(StoreOptions{.path = path, .stateDir = kState});
        QVERIFY2(h.open(), h.error.message().c_str());
        const Bytes data = randomBytes(65536, 3);
        for (unsigned i = 0; i < 16; ++i)
            QCOMPARE(h.write(i * 65536, data), 0);
        const belay::Verifier before = h.store->verifier();
        turnInto("0 " + sectors(device) + " error");
        std::vector<std::uint64_t> flushes;
        for (unsigned i = 16; i < 24; ++i) {
            h.startWrite(i * 65536, data, true);
            flushes.push_back(h.startFlush());
        }
        QVERIFY(h.settle());
        // whoever got the kernel's one report, the first flush knows of it
        QCOMPARE(h.answers.at(flushes.front()).error, EIO);
        QVERIFY(h.store->verifier() != before);
        h.store.reset();
    }

    void staysLockedUntilTheLastWriteIsOver() {
        const std::string device = loop("slow", 32);
        const std::string path = victim(device);
        Harness h(StoreOptions{.path = path, .stateDir = kState});
        QVERIFY2(h.open(), h.error.message().c_str());
        const belay::Verifier before = h.store->verifier();
        h.store.reset();

        shell("dmsetup suspend --noflush --nolockfs victim");
        QProcess writer;
        writer.start(QCoreApplication::applicationFilePath(),
                     {"--write", QString::fromStdString(path)});
        QVERIFY(writer.waitForReadyRead(20'000));
        QCOMPARE(writer.readLine().trimmed(), QByteArray("writing"));
        QVERIFY(!h.open());
        QCOMPARE(h.error.code, EBUSY);
        writer.kill();
        for (int i = 0; i < 20; ++i) {
            QVERIFY(!h.open());
            QCOMPARE(h.error.code, EBUSY);
            QTest::qWait(50);
        }
        shell("dmsetup resume victim");
        QElapsedTimer timer;
        timer.start();
        while (!h.open()) {
            QVERIFY2(h.error.code == EBUSY, h.error.message().c_str());
            QVERIFY(timer.elapsed() < 20'000);
            QTest::qWait(5);
        }
        qInfo("free %lld ms after the device went on", timer.elapsed());
        // the dead one's write is either there or not, and will not come later; and had it failed,
        // nobody would know
        QVERIFY(h.store->verifier() != before);
        QTRY_COMPARE(writer.state(), QProcess::NotRunning);
        h.store.reset();
    }

    void isNotHeldUpByAnother() {
        const std::string device = loop("stuck", 32);
        Harness stuck(StoreOptions{.path = victim(device), .stateDir = kState});
        QVERIFY2(stuck.open(), stuck.error.message().c_str());
        makeFile(kFolder + "/fine.img", 1 << 20);
        Harness fine(StoreOptions{.path = kFolder + "/fine.img", .stateDir = kState});
        // both on one ring, as the stores of one gadget are
        auto second = belay::store::Store::open(*stuck.ring, fine.options, fine);
        QVERIFY(second.has_value());
        fine.store = std::move(*second);
        while (!fine.store->settled())
            QVERIFY(stuck.ring->turn(std::chrono::milliseconds(100)).has_value());

        shell("dmsetup suspend --noflush --nolockfs victim");
        const Bytes data = randomBytes(65536, 3);
        for (unsigned i = 0; i < 64; ++i)
            stuck.startWrite(i * 65536, data, true);
        const std::uint64_t write = fine.startWrite(0, data);
        const std::uint64_t fua = fine.startWrite(65536, data, true);
        const std::uint64_t flush = fine.startFlush();
        QElapsedTimer timer;
        timer.start();
        while (fine.store->inFlight() != 0 && timer.elapsed() < 10'000)
            QVERIFY(stuck.ring->turn(std::chrono::milliseconds(100)).has_value());
        const bool done = fine.store->inFlight() == 0;
        const unsigned left = stuck.store->inFlight();
        shell("dmsetup resume victim");
        QVERIFY(stuck.settle());
        while (fine.store->inFlight() != 0)
            QVERIFY(stuck.ring->turn(std::chrono::milliseconds(100)).has_value());
        QCOMPARE(left, 64u);
        QVERIFY2(done, "waits for the store beside it");
        for (const std::uint64_t cookie : {write, fua, flush})
            QCOMPARE(fine.answers.at(cookie).error, 0);
        fine.store.reset();
        stuck.store.reset();
    }
};

int main(int argc, char** argv) {
    if (argc == 3 && std::string(argv[1]) == "--write")
        return writeForEver(argv[2]);
    QCoreApplication application(argc, argv);
    TestStoreVm test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_store_vm.moc"
