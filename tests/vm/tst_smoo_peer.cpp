#include "tests/vm/hostile/bench.h"
#include "tests/vm/scenario/store_volume.h"

#include <signal.h>

#include <QRandomGenerator>
#include <QRegularExpression>
#include <QTest>

using namespace hostile;

// Peers of the older protocol, v0, which have never heard of Belay.
class TestSmooPeer : public QObject {
    Q_OBJECT

 private slots:
    void hostLends();
    void hostLendsLargeBlocks();
    void hostIsRestarted();
    void hostFaultsDataPlane();
    void hostIsSilentForAWhile();
    void hostConfiguresAnew();
    void hostDiesBesideAPayload_data();
    void hostDiesBesideAPayload();
    void gadgetBorrows();
    void gadgetBorrowsLargeBlocks();
    void gadgetRepeatsAnId();
    void gadgetHasANewSession();
    void gadgetIsSilent();
    void gadgetWritesDurably();
    void gadgetAsksForMuch();
    void gadgetAsksForTooMuch();
    void gadgetMimicsFastboot();
    void bootLoaderIsLeftAlone();
    void belayMimicsFastboot();
};

namespace {

// The label that belay-gadget gives to the scripted host's export.
const QString kLabel = "smoo-00001234";
// A smoo gadget takes its link for lost after so long: who begins anew later comes too late.
constexpr int kSmooPatience = 3000;

// The lend-ready gadget, a scripted smoo host with a file, and the device made of it.
class Lent {
 public:
    explicit Lent(Bench& bench, const QStringList& trick = {}, int mib = 16)
        : bench_(bench), disk_(bench.disk("smoo", mib)), gadget_(bench.gadget({"--lend-ready"})) {
        gadget_->worker();
        startHost(trick);
        disk_.appearedAs(waitForLive(*gadget_, kLabel));
    }

    void startHost(const QStringList& trick = {}) {
        host_ = bench_.start(QStringList{SMOO_HOST, disk_.store()} + trick, "smoo_host");
    }
    // SIGKILL.
    void endHost() { host_.reset(); }
    bool hostRuns() const { return host_->running(); }
    Program& host() { return *host_; }
    Disk& disk() { return disk_; }
    Daemon& gadget() { return *gadget_; }

    std::unique_ptr<Program> fio(int mib, int loops = 1) {
        return bench_.start(
            {"fio", "--name=verify", "--filename=" + disk_.node(), "--direct=1",
             "--ioengine=libaio", "--rw=randwrite", "--bsrange=512-256k", "--iodepth=16",
             QString("--size=%1M").arg(mib), QString("--loops=%1").arg(loops), "--verify=crc32c",
             "--do_verify=1", "--verify_fatal=1", "--randrepeat=0"},
            "fio");
    }

    int sessions() const { return static_cast<int>(host_->output().count("session ")); }

    void end() {
        disk_.compare();
        require(workerDeaths(*gadget_) == 0, "the gadget's worker died");
        stopAll(*gadget_);
        gadget_->end();
        endHost();
        require(waitUntil([] { return leftovers().isEmpty(); }, 5s),
                "left behind: " + leftovers().join(", "));
    }

 private:
    Bench& bench_;
    Disk disk_;
    std::unique_ptr<Daemon> gadget_;
    std::unique_ptr<Program> host_;
};

// How long after each reset the gadget was configured, in milliseconds.
std::vector<int> configuredAfter(const Program& gadget) {
    static const QRegularExpression kTold(", (\\d+) ms after the reset");
    std::vector<int> times;
    for (auto it = kTold.globalMatch(QString::fromUtf8(gadget.output())); it.hasNext();)
        times.push_back(it.next().captured(1).toInt());
    return times;
}

// belay-hostd that lends a disk to a scripted smoo gadget.
void playGadget(const QStringList& trick, const std::function<void(Program& gadget)>& check,
                const QStringList& options = {}, int mib = 4, const QByteArray& hostSays = {}) {
    inTurn([&](Bench& bench) {
        Disk disk = bench.disk("lent", mib);
        auto host = bench.host(QStringList{"--lend", disk.store(), "--label", "lent"} + options);
        host->worker();
        auto gadget = bench.start(QStringList{SMOO_GADGET} + trick, "smoo_gadget");
        const auto verified = [&] { return gadget->output().contains("verified"); };
        const bool inTime = waitUntil(verified, kPatience, 20ms);
        require(inTime, "no session was verified:\n" + QString::fromUtf8(gadget->output()));
        check(*gadget);
        require(!gadget->output().contains("WRONG"), QString::fromUtf8(gadget->output()));
        require(host->output().contains(hostSays), QString::fromUtf8(host->output()));
        require(workerDeaths(*host) == 0, "the host's worker died");
        gadget->signal(SIGTERM);
        gadget->succeed();
        host->end();
    });
}

}  // namespace

void TestSmooPeer::hostLends() {
    inTurn([](Bench& bench) {
        Lent lent(bench);
        // What moves within a smoo host's 200 ms on a busy machine, too: as much as smoo's own.
        const QByteArray sectors =
            mustRun({"blockdev", "--getmaxsect", lent.disk().node()}).trimmed();
        require(sectors == "512", "requests are of up to " + sectors + " sectors");
        lent.disk().compare();
        lent.fio(16)->succeed(60s);
        mustRun({"dd", "if=/dev/urandom", "of=" + lent.disk().node(), "bs=1M", "count=8", "seek=4",
                 "oflag=direct", "conv=fsync"});
        require(lent.sessions() == 1, "there was more than one session");
        lent.end();
    });
}

// v0 counts in blocks of the export's size.
void TestSmooPeer::hostLendsLargeBlocks() {
    inTurn([](Bench& bench) {
        Lent lent(bench, {"large-blocks"});
        const QByteArray size = mustRun({"blockdev", "--getss", lent.disk().node()}).trimmed();
        require(size == "4096", "it has blocks of " + size + " bytes");
        lent.disk().compare();
        mustRun({"dd", "if=/dev/urandom", "of=" + lent.disk().node(), "bs=4k", "count=64",
                 "seek=1000", "oflag=direct", "conv=fsync"});
        lent.end();
    });
}

// Killed in mid-I/O and back at once: nobody resets anything, and no byte of the old session may
// reach the new one.
void TestSmooPeer::hostIsRestarted() {
    inTurn([](Bench& bench) {
        Lent lent(bench);
        for (int i = 0; i < times(5, 50); ++i) {
            auto fio = lent.fio(8, 2);
            lent.disk().awaitProgress(10);
            wait(Milliseconds(QRandomGenerator::global()->bounded(150)));
            lent.endHost();
            wait(Milliseconds(QRandomGenerator::global()->bounded(i == 0 ? 2500 : 600)));
            lent.startHost();
            fio->succeed(90s);
        }
        lent.end();
    });
}

void TestSmooPeer::hostFaultsDataPlane() {
    inTurn([](Bench& bench) {
        Lent lent(bench, {"wrong-op", "60"});
        lent.fio(8, 2)->succeed(60s);
        require(lent.host().output().contains("trick"), "the host was never wrong");
        require(lent.host().output().contains("session changed"),
                "the session id is the same after a fault:\n" +
                    QString::fromUtf8(lent.host().output()));
        require(lent.sessions() >= 3, "there was no new session");
        lent.end();
    });
}

// For longer than the 3 s after which a smoo gadget gives up, shorter than the 5 misses after which
// a smoo host does: the host goes on as if nothing had been.
void TestSmooPeer::hostIsSilentForAWhile() {
    inTurn([](Bench& bench) {
        Lent lent(bench, {"gap", "4000", "60"});
        lent.fio(8, 2)->succeed(60s);
        require(lent.host().output().contains("trick"), "the host was never silent");
        lent.end();
    });
}

void TestSmooPeer::hostConfiguresAnew() {
    inTurn([](Bench& bench) {
        Lent lent(bench, {"reconfigure", "60"});
        lent.fio(8, 2)->succeed(60s);
        require(lent.host().output().contains("trick"), "the host never configured anew");
        require(lent.gadget().output().contains("the host configures anew"),
                "CONFIG_EXPORTS was no barrier");
        // The answer of the session before, to a request that this session has sent again.
        require(lent.gadget().output().contains("response to a request that was not sent"),
                "a late answer was taken for one of this session");
        lent.end();
    });
}

void TestSmooPeer::hostDiesBesideAPayload_data() {
    QTest::addColumn<QString>("trick");
    QTest::addColumn<int>("pause");
    for (const char* trick : {"die-before-payload", "die-in-payload"}) {
        // Before a smoo gadget notices, and after.
        QTest::addRow("%s, back at once", trick) << QString(trick) << 200;
        QTest::addRow("%s, back later", trick) << QString(trick) << kSmooPatience + 1000;
    }
}

// A read is answered, and its bytes do not come, or half of them do. What the next host sends must
// not be taken for the rest.
void TestSmooPeer::hostDiesBesideAPayload() {
    QFETCH(QString, trick);
    QFETCH(int, pause);
    inTurn([&](Bench& bench) {
        Lent lent(bench, {trick, "20"});
        auto fio = lent.fio(4, 2);
        require(waitUntil([&] { return !lent.hostRuns(); }, kPatience), "the host never died");
        require(lent.host().output().contains("trick"), "the host died of something else");
        wait(Milliseconds(pause));
        lent.startHost();
        fio->succeed(90s);
        lent.end();
    });
}

void TestSmooPeer::gadgetBorrows() {
    playGadget({}, [](Program& gadget) {
        require(gadget.output().contains("4194304 bytes in blocks of 512"),
                "another disk was offered:\n" + QString::fromUtf8(gadget.output()));
        const int after = configuredAfter(gadget).front();
        qInfo("configured %d ms after the reset", after);
        require(after < 2000, "the host waited for longer than needed");
        // The heart beats: no new session comes of quiet.
        wait(3500ms);
        require(gadget.output().count("configured") == 1,
                "the host began anew:\n" + QString::fromUtf8(gadget.output()));
    });
}

void TestSmooPeer::gadgetBorrowsLargeBlocks() {
    playGadget({},
               [](Program& gadget) {
                   require(gadget.output().contains("4194304 bytes in blocks of 4096"),
                           "another disk was offered:\n" + QString::fromUtf8(gadget.output()));
               },
               {"--block-size", "4096"});
}

void TestSmooPeer::gadgetRepeatsAnId() {
    playGadget({"duplicate"}, [](Program& gadget) {
        require(gadget.output().contains("sent the same id twice"), "no id was repeated");
        require(gadget.output().count("configured") == 2, "the host did not begin anew, once");
        // There was nothing to be started.
        require(configuredAfter(gadget).back() < 1000, "the host waited for nothing");
    });
}

void TestSmooPeer::gadgetHasANewSession() {
    playGadget({"new-session"}, [](Program& gadget) {
        const auto again = [&] { return gadget.output().count("verified") == 2; };
        require(waitUntil(again, 40s, 20ms), "the host did not notice the new session id:\n" +
                                                 QString::fromUtf8(gadget.output()));
        require(gadget.output().contains("another session id"), "the id never changed");
    });
}

void TestSmooPeer::gadgetIsSilent() {
    playGadget({"silent"}, [](Program& gadget) {
        const auto again = [&] { return gadget.output().count("verified") == 2; };
        require(waitUntil(again, 40s, 20ms),
                "the host did not begin anew:\n" + QString::fromUtf8(gadget.output()));
        const auto found =
            QRegularExpression("reset (\\d+) ms after").match(QString::fromUtf8(gadget.output()));
        const int after = found.captured(1).toInt();
        qInfo("the host began anew %d ms after the last sign of life", after);
        require(found.hasMatch() && after < kSmooPatience,
                QString("the host began anew only after %1 ms").arg(after));
    });
}

// A smoo gadget's kernel was told of no cache and never flushes: what was answered must be there
// after the host has lost power, unless the host's user has chosen speed.
void TestSmooPeer::gadgetWritesDurably() {
    inTurn([](Bench& bench) {
        const QByteArray filled(8 << 20, '\xa5');
        StoreVolume volume("/run/belay-test/stores");
        Disk disk = bench.disk("lent", 16);
        // What is left of it when the host loses power.
        const auto fill = [&](const QStringList& options, const QString& name) {
            volume.sync();
            auto host = bench.host(QStringList{"--lend", disk.store()} + options);
            host->worker();
            auto gadget = bench.start({SMOO_GADGET, "unflushed"}, name);
            const auto answered = [&] { return gadget->output().contains("filled in"); };
            require(waitUntil(answered, kPatience, 20ms), QString::fromUtf8(gadget->output()));
            qInfo("%s: %s", qPrintable(name),
                  gadget->output().trimmed().split('\n').last().constData());
            host->killSupervisor();
            volume.losePower();
            gadget->signal(SIGTERM);
            gadget->succeed();
            QFile store(disk.store());
            require(store.open(QIODevice::ReadOnly), "the store is gone");
            return store.read(filled.size());
        };
        require(fill({"--smoo-write-back"}, "write-back") != filled,
                "nothing was lost: this test proves nothing");
        require(fill({}, "durable") == filled, "answered writes are gone with the host's power");
    });
}

void TestSmooPeer::gadgetAsksForMuch() {
    playGadget(
        {"long"},
        [](Program& gadget) {
            const QString said = QString::fromUtf8(gadget.output());
            require(said.contains("long requests verified"), said);
            require(said.count("configured") == 1, "there was more than one session");
        },
        {}, 16);
}

void TestSmooPeer::gadgetAsksForTooMuch() {
    playGadget(
        {"too-long"},
        [](Program& gadget) {
            require(gadget.output().contains("asked for too much"), "it never asked for too much");
            require(gadget.output().count("configured") == 2, "the host did not begin anew, once");
        },
        {}, 4, "32 MiB is the maximum");
}

void TestSmooPeer::gadgetMimicsFastboot() {
    playGadget({"fastboot"}, [](Program&) {}, {"--mimic-fastboot"});
}

void TestSmooPeer::bootLoaderIsLeftAlone() {
    inTurn([](Bench& bench) {
        Disk disk = bench.disk("lent");
        auto host = bench.host({"--lend", disk.store()});
        host->worker();
        auto loader = bench.start({SMOO_GADGET, "fastboot"}, "loader");
        const auto onTheBus = [] {
            return run({"sh", "-c", "grep -qx SMOO /sys/bus/usb/devices/*/serial"}).status == 0;
        };
        require(waitUntil(onTheBus, kPatience, 20ms), "the boot loader never came");
        // What belay-hostd has a use for comes after it: it has seen both.
        auto gadget = bench.gadget({"--lend-ready", "--udc", "dummy_udc.1"});
        waitForLive(*gadget, "lent");
        require(host->output().count(" found, ") == 1 && !loader->output().contains("configured"),
                "a boot loader was asked:\n" + QString::fromUtf8(host->output()));
        stopAll(*gadget);
        host->end();
        gadget->end();
        loader->signal(SIGTERM);
        loader->succeed();
    });
}

void TestSmooPeer::belayMimicsFastboot() {
    inTurn([](Bench& bench) {
        Disk disk = bench.disk("lent");
        auto gadget = bench.gadget({"--lend-ready", "--mimic-fastboot"});
        gadget->worker();
        auto host = bench.host({"--lend", disk.store(), "--label", "lent", "--mimic-fastboot"});
        disk.appearedAs(waitForLive(*gadget, "lent"));
        disk.compare();
        stopAll(*gadget);
        host->end();
        gadget->end();
    });
}

QTEST_GUILESS_MAIN(TestSmooPeer)
#include "tst_smoo_peer.moc"
