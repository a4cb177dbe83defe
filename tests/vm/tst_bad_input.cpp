#include "tests/vm/hostile/bench.h"

#include <QTest>

using namespace hostile;

// Bad input: a clear message, a non-zero status, nothing lost.
class TestBadInput : public QObject {
    Q_OBJECT

 private slots:
    void commandLine();
    void noDriver();
    void noController();
    void noPermission();
    void storeIsNone();
    void storeInUse();
    void tooManyStores();
    void storeOnReadOnlyFileSystem();
    void shareThatIsNot();
    void storeTruncatedInUse();
    void diskFullBelowStore();
    void stateFileIsBad();
    void secondDaemon();
};

namespace {

const QString kHost = BELAY_HOSTD;
const QString kGadget = BELAY_GADGET;
const QString kFolder = "/run/belay-test/bad";

// Runs it to its end: status and words must be right. A status of 0 here: any but 0.
void needComplaint(const QStringList& command, const QStringList& says, int status = 0) {
    const Outcome outcome = run(command, 30s);
    const QString text = QString::fromUtf8(outcome.output);
    const QString what = '"' + command.join(' ') + '"';
    require(status == 0 ? outcome.status > 0 && outcome.status < 128 : outcome.status == status,
            QString("%1 ended with %2:\n%3").arg(what).arg(outcome.status).arg(text));
    for (const QString& word : says)
        require(text.contains(word),
                QString("%1 does not say \"%2\" but:\n%3").arg(what, word, text));
    require(leftovers().isEmpty(), what + " leaves behind " + leftovers().join(", "));
}

// What ends with status 2 at once, because nothing can be understood of it.
void needUsageError(const QStringList& command, const QString& says) {
    needComplaint(command, {says}, 2);
}

// Both programs with this store, in either role of the target.
void needStoreComplaint(const QString& store, const QStringList& says,
                        const QStringList& options = {}) {
    const QString runDir = kFolder + "/run";
    needComplaint(QStringList{kHost, "--run-dir", runDir + "-h", "--lend", store} + options,
                  QStringList{store} + says);
    needComplaint(QStringList{kGadget, "--run-dir", runDir + "-g", "--share", store} + options,
                  QStringList{store} + says);
}

QString makeFile(const QString& name, qint64 size) {
    QDir().mkpath(kFolder);
    QFile file(kFolder + '/' + name);
    require(file.open(QIODevice::WriteOnly) && file.resize(size), "cannot make " + name);
    return file.fileName();
}

// A gadget with one share, and the host's device of it.
struct Attached {
    Attached(Bench& bench, const QString& store)
        : gadget(bench.gadget({"--share", store, "--label", "disk"})),
          host(bench.host({"--attach", "all"})),
          node(waitForLive(*host, "disk")) {}

    void end() {
        require(workerDeaths(*host) == 0 && workerDeaths(*gadget) == 0, "a worker died");
        host->end();
        gadget->end();
        require(waitUntil([] { return leftovers().isEmpty(); }, 5s),
                "left behind: " + leftovers().join(", "));
    }

    std::unique_ptr<Daemon> gadget;
    std::unique_ptr<Daemon> host;
    QString node;
};

// A second program, while the first goes on.
void needTwinRefused(const QStringList& command, const QString& says) {
    const Outcome outcome = run(command, 30s);
    require(outcome.status > 0 && outcome.status < 128,
            QString("a second one ended with %1").arg(outcome.status));
    require(
        outcome.output.contains(says.toUtf8()),
        QString("it does not say \"%1\" but:\n%2").arg(says, QString::fromUtf8(outcome.output)));
}

Outcome readBlocks(const QString& node, int skip, int count) {
    return run({"dd", "if=" + node, "of=" + kFolder + "/read", "bs=64k", "iflag=direct",
                QString("skip=%1").arg(skip), QString("count=%1").arg(count)});
}

Outcome writeBlocks(const QString& node, int seek, int count) {
    return run({"dd", "if=/dev/urandom", "of=" + node, "bs=64k", "oflag=direct", "iflag=fullblock",
                QString("seek=%1").arg(seek), QString("count=%1").arg(count)});
}

}  // namespace

void TestBadInput::commandLine() {
    inTurn([](Bench&) {
        for (const QString& program : {kHost, kGadget}) {
            needUsageError({program}, "nothing to do");
            needUsageError({program, "--frobnicate"},
                           "unknown or misplaced option \"--frobnicate\"");
            needUsageError({program, "--lend-raedy"}, "--lend-raedy");
            needUsageError({program, "--label", "x"}, "--label");
            needUsageError({program, "--read-only"}, "--read-only");
            needUsageError({program, "--run-dir"}, "--run-dir needs a value");
            needUsageError({program, "status", "--jsno"}, "--jsno");
            needUsageError({program, "stop"}, "Name a device");
            needUsageError({program, "stop", "sda"}, "\"sda\" is no device");
            needUsageError({program, "stop", "ublkb99999999999"}, "is no device");
            needUsageError({program, "recover", "ublkb0", "--force"}, "--force");
            needComplaint({program, "--run-dir", kFolder + "/none", "status"}, {"Is it running"});
        }
        needUsageError({kHost, "--lend"}, "--lend needs a value");
        needUsageError({kGadget, "--share"}, "--share needs a value");
        needUsageError({kGadget, "--lend-ready", "--vendor", "usb"}, "\"usb\" is no USB id");
        needUsageError({kGadget, "--lend-ready", "--product", "0x12345"}, "is no USB id");
        needComplaint({kHost, "--lend", "/dev/null", "--user", "nobody-of-this-name"},
                      {"nobody-of-this-name"});
        needComplaint({kGadget, "--lend-ready", "--name", "a/b"}, {"a/b"});
        needComplaint({kGadget, "--lend-ready", "--udc", "no_such_udc.0"}, {"no_such_udc.0"});
        const QString longName = kFolder + '/' + QString(200, 'x');
        needComplaint({kGadget, "--lend-ready", "--run-dir", longName}, {"shorter --run-dir"});
    });
}

void TestBadInput::noDriver() {
    inTurn([](Bench&) {
        mustRun({"rmmod", "ublk_drv"});
        needComplaint({kHost, "--attach", "all"}, {"/dev/ublk-control", "modprobe ublk_drv"});
        needComplaint({kGadget, "--lend-ready"}, {"/dev/ublk-control", "modprobe ublk_drv"});
        mustRun({"modprobe", "ublk_drv"});
    });
}

void TestBadInput::noController() {
    inTurn([](Bench& bench) {
        const Disk disk = bench.disk("disk", 1);
        mustRun({"rmmod", "dummy_hcd"});
        const auto load = [] { mustRun({"modprobe", "dummy_hcd", "num=4"}); };
        try {
            needComplaint({kGadget, "--share", disk.store()}, {"UDC"});
        } catch (const Failure&) {
            load();
            throw;
        }
        load();
    });
}

void TestBadInput::noPermission() {
    inTurn([](Bench& bench) {
        const Disk disk = bench.disk("disk", 1);
        const QStringList nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                    "--"};
        const QString own = kFolder + "/nobody";
        mustRun({"install", "-d", "-o", "65534", own});
        needComplaint(nobody + QStringList{kHost, "--attach", "all"},
                      {"Permission denied", "root"});
        needComplaint(nobody + QStringList{kGadget, "--lend-ready"}, {"Permission denied", "root"});
        needComplaint(nobody + QStringList{kHost, "--run-dir", own, "--attach", "all"},
                      {"/dev/ublk-control", "root"});
        needComplaint(nobody + QStringList{kGadget, "--run-dir", own, "--lend-ready"},
                      {"/dev/ublk-control", "root"});
        needComplaint(nobody + QStringList{kGadget, "--run-dir", own, "--share", disk.store()},
                      {"root"});
        mustRun({"chmod", "600", disk.store()});
        needComplaint(nobody + QStringList{kHost, "--run-dir", own, "--lend", disk.store()},
                      {disk.store(), "Permission denied"});
    });
}

void TestBadInput::storeIsNone() {
    inTurn([](Bench&) {
        QDir().mkpath(kFolder);
        needStoreComplaint(kFolder + "/missing", {"No such file", "truncate"});
        needStoreComplaint(kFolder, {"Is a directory"});
        needStoreComplaint(makeFile("empty", 0), {"empty (0 bytes)", "truncate"});
        needStoreComplaint(makeFile("odd", 1'000'001), {"not a multiple of the block size 512"});
        needStoreComplaint(makeFile("odd", 5120), {"5120 bytes, is no multiple of that"},
                           {"--block-size", "4096"});
        needStoreComplaint("/dev/null", {"neither a regular file nor a block device"});
        mustRun({"mkfifo", kFolder + "/pipe"});
        needStoreComplaint(kFolder + "/pipe", {"neither a regular file nor a block device"});
        needStoreComplaint(kFolder + "/odd/below", {"Not a directory"});
    });
}

void TestBadInput::storeInUse() {
    inTurn([](Bench& bench) {
        const Disk disk = bench.disk("disk", 4);
        const QByteArray sum = disk.sha256OfStore();
        auto first = bench.host({"--lend", disk.store()}, "first");
        first->worker();
        needStoreComplaint(disk.store(), {"in use by another daemon", "has it"});
        require(first->running() && workerDeaths(*first) == 0, "the first one was disturbed");
        first->end();

        // A disk that is mounted.
        mustRun({"mkfs.ext4", "-q", disk.store()});
        const QString loop = mustRun({"losetup", "-f", "--show", disk.store()});
        const QString mountPoint = kFolder + "/mounted";
        QDir().mkpath(mountPoint);
        mustRun({"mount", loop, mountPoint});
        needStoreComplaint(loop, {"Device or resource busy", "Unmount it"});
        mustRun({"umount", mountPoint});
        mustRun({"losetup", "-d", loop});
    });
}

// As many as a session can have, each with its part of the memory, and one more.
void TestBadInput::tooManyStores() {
    inTurn([](Bench& bench) {
        constexpr int kMost = 256;
        QDir().mkpath(kFolder);
        QStringList shares;
        QStringList lends;
        for (int i = 1; i <= kMost; ++i) {
            const QString store = makeFile(QString("share%1").arg(i), i * 4096);
            shares += {"--share", store};
            lends += {"--lend", store};
        }
        const QString last = QString("share%1").arg(kMost);
        const QString more = makeFile("more", 4096);
        const QStringList says = {"offer 257 files and disks", "256 is the most"};
        needComplaint(QStringList{kGadget, "--run-dir", kFolder + "/run-g"} + shares +
                          QStringList{"--share", more},
                      says);
        needComplaint(QStringList{kHost, "--run-dir", kFolder + "/run-h"} + lends +
                          QStringList{"--lend", more},
                      says);
        auto gadget = bench.gadget(shares);
        auto host = bench.host({"--attach", "share1", "--attach", last});
        for (const QString& label : {QString("share1"), last}) {
            const QString node = waitForLive(*host, label);
            mustRun({"dd", "if=/dev/urandom", "of=" + node, "bs=4k", "count=1", "oflag=direct"});
        }
        stopAll(*host);
        host->end();
        // A process for each store that it has to save.
        gadget->end(60s);
    });
}

void TestBadInput::storeOnReadOnlyFileSystem() {
    inTurn([](Bench& bench) {
        const QString mountPoint = kFolder + "/read-only";
        QDir().mkpath(mountPoint);
        mustRun({"mount", "-t", "tmpfs", "-o", "size=16M", "tmpfs", mountPoint});
        const QString store = mountPoint + "/store";
        mustRun({"dd", "if=/dev/urandom", "of=" + store, "bs=1M", "count=4"});
        mustRun({"mount", "-o", "remount,ro", mountPoint});
        needStoreComplaint(store, {"Read-only file system", "--read-only"});

        // As the message says.
        auto gadget = bench.gadget({"--share", store, "--label", "disk", "--read-only"});
        auto host = bench.host({"--attach", "all"});
        const QString node = waitForLive(*host, "disk");
        mustRun({"cmp", node, store});
        const Outcome written = writeBlocks(node, 0, 1);
        require(written.status != 0, "a read-only disk can be written to");
        host->end();
        gadget->end();
        mustRun({"umount", mountPoint});
    });
}

void TestBadInput::shareThatIsNot() {
    inTurn([](Bench& bench) {
        auto gadget = bench.gadget({"--share", makeFile("disk", 1 << 20), "--label", "disk"});
        auto host = bench.host({"--attach", "disc", "--attach", "disk"});
        waitForLive(*host, "disk");
        require(host->output().contains("the gadget does not share disc; it shares disk"),
                "nobody is told:\n" + QString::fromUtf8(host->output()));
        host->end();
        gadget->end();
    });
}

void TestBadInput::storeTruncatedInUse() {
    inTurn([](Bench& bench) {
        QDir().mkpath(kFolder);
        const Disk disk = bench.disk("disk", 4);
        Attached attached(bench, disk.store());
        mustRun({"truncate", "-s", "2M", disk.store()});
        const Outcome read = readBlocks(attached.node, 48, 1);
        require(read.status != 0 && read.output.contains("Input/output error"),
                "what is cut off reads as: " + read.output);
        require(QFileInfo(kFolder + "/read").size() == 0, "bytes were read that are not there");
        // What a write would put behind the new end would make the rest read as zeroes.
        const Outcome written = writeBlocks(attached.node, 60, 1);
        require(written.status != 0 && written.output.contains("Input/output error"),
                "what is cut off can be written to: " + written.output);
        require(QFileInfo(disk.store()).size() == 2 << 20, "the store has grown again");
        const QByteArray log = attached.gadget->output();
        require(log.contains(disk.store().toUtf8()),
                "the gadget does not say which store:\n" + log);
        attached.end();
    });
}

void TestBadInput::diskFullBelowStore() {
    inTurn([](Bench& bench) {
        const QString small = kFolder + "/small";
        QDir().mkpath(small);
        mustRun({"mount", "-t", "tmpfs", "-o", "size=12M", "tmpfs", small});
        mustRun({"dd", "if=/dev/urandom", "of=" + small + "/store", "bs=1M", "count=1"});
        mustRun({"truncate", "-s", "16M", small + "/store"});
        mustRun({"dd", "if=/dev/zero", "of=" + small + "/filler", "bs=1M", "count=6"});
        {
            Attached attached(bench, small + "/store");
            const Outcome full = writeBlocks(attached.node, 16, 160);
            require(full.status != 0 && full.output.contains("No space left on device"),
                    "the writer is not told: " + full.output);
            const Outcome read = readBlocks(attached.node, 0, 16);
            require(read.status == 0, "reads fail: " + read.output);
            mustRun({"cmp", "-n", "1048576", kFolder + "/read", small + "/store"});
            QFile::remove(small + "/filler");
            const Outcome again = writeBlocks(attached.node, 32, 64);
            require(again.status == 0, "writes fail with space again: " + again.output);
            mustRun({"sh", "-c",
                     QString("dd if=%1 bs=1M iflag=direct status=none | cmp - %2")
                         .arg(attached.node, small + "/store")});
            attached.end();
        }
        mustRun({"umount", small});
    });
}

void TestBadInput::stateFileIsBad() {
    inTurn([](Bench& bench) {
        const Disk disk = bench.disk("disk", 4);
        const std::vector<QByteArray> contents = {
            "",
            "{\"version\": 1, \"devices\": [{\"device\": 0, \"exp",
            "{\"version\": 2, \"devices\": []}",
            "{\"version\": 1, \"devices\": [{\"device\": \"zero\"}]}",
            "[]",
            QByteArray(1000, '\0'),
        };
        int number = 0;
        for (const QByteArray& content : contents) {
            const QString runDir = "/run/belay-test/host";
            const QString path = runDir + "/devices.json";
            QDir(runDir).removeRecursively();
            QDir().mkpath(runDir);
            QFile file(path);
            require(file.open(QIODevice::WriteOnly) && file.write(content) == content.size(),
                    "cannot write a state file");
            file.close();
            const QString what = QString("state file %1").arg(++number);

            auto gadget = bench.gadget({"--share", disk.store(), "--label", "disk"});
            auto host = bench.host({"--attach", "all"});
            Disk seen = disk;
            seen.appearedAs(waitForLive(*host, "disk"));
            seen.compare();
            require(host->output().contains("devices.json.bad"),
                    what + " is not said to be bad:\n" + QString::fromUtf8(host->output()));
            QFile kept(path + ".bad");
            require(kept.open(QIODevice::ReadOnly) && kept.readAll() == content,
                    what + " was not kept");
            host->end();
            gadget->end();
            QFile::remove(bench.log("host"));
        }
    });
}

void TestBadInput::secondDaemon() {
    inTurn([](Bench& bench) {
        const Disk disk = bench.disk("disk", 4);
        Attached attached(bench, disk.store());
        needTwinRefused({kHost, "--run-dir", attached.host->runDir(), "--attach", "all"},
                        "Another one is running with this --run-dir");
        needTwinRefused({kGadget, "--run-dir", attached.gadget->runDir(), "--lend-ready"},
                        "Another one is running with this --run-dir");
        // The same gadget in configfs from another run directory.
        needTwinRefused(
            {kGadget, "--run-dir", kFolder + "/other", "--name", "gadget", "--lend-ready"},
            "gadget");
        require(attached.gadget->running() && attached.host->running(), "a twin ended the first");
        mustRun({"cmp", attached.node, disk.store()});
        attached.end();
    });
}

QTEST_GUILESS_MAIN(TestBadInput)
#include "tst_bad_input.moc"
