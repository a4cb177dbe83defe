#include "tests/vm/hostile/bench.h"

#include <signal.h>

#include <QTest>

using namespace hostile;

// Peers that mean ill: whatever they do, they can at worst break their own device.
class TestHostile : public QObject {
    Q_OBJECT

 private slots:
    void openings();
    void lists();
    void answers();
    void checkedPayloads();
    void requests();
    void hostAtGadget();
    void hostAsTarget();
};

namespace {

// What a script of the hostile gadget must make belay-hostd say; empty: nothing in particular.
struct Case {
    const char* script;
    const char* says = "";
};

// Longest time between two tries is five seconds; what goes on without a pause takes all of it.
constexpr Milliseconds kWatched = 1200ms;
constexpr int kMostCpuPercent = 40;

// Half a second after the script has done its work, the host rests.
void needRest(Daemon& host, const char* script) {
    wait(300ms);
    const qint64 before = cpuTime(host);
    QElapsedTimer clock;
    clock.start();
    wait(kWatched);
    const qint64 percent = 100 * (cpuTime(host) - before) / clock.elapsed();
    qInfo("%s: %lld %% of a processor, %lld KiB", script, percent, residentKiB(host));
    require(percent <= kMostCpuPercent,
            QString("%1 keeps the host busy: %2 % of a processor").arg(script).arg(percent));
}

// The host as every test here has it: it attaches all there is and lends one disk.
class Victim {
 public:
    Victim(Bench& bench, const QStringList& more = {})
        : bench_(bench),
          lent_(bench.disk("lent")),
          shared_(bench.disk("shared")),
          sum_(lent_.sha256OfStore()),
          host_(bench.host(
              QStringList{"--attach", "all", "--lend", lent_.store(), "--label", "lent"} + more)) {
        host_->worker();
    }

    Daemon& host() { return *host_; }

    // Plays a script; `use` is what happens meanwhile, once the host has said what it should.
    void play(
        const Case& one, const std::function<void()>& prepare = [] {}) {
        const qsizetype from = host_->output().size();
        auto gadget = bench_.start({HOSTILE_GADGET, one.script}, "hostile");
        waitForText(*host_, "Peer played by hand HOSTILE .* found", from);
        prepare();
        if (*one.says != '\0')
            waitForText(*host_, one.says, from);
        needRest(*host_, one.script);
        gadget->signal(SIGTERM);
        require(gadget->finish() == 0, QString("the hostile gadget failed in ") + one.script);
        stopAll(*host_);
        needAlive(one.script);
    }

    void needAlive(const QString& script) {
        require(host_->running(), "belay-hostd ended: " + script);
        const int deaths = workerDeaths(*host_);
        require(deaths == 0, QString("the worker died %1 times: %2").arg(deaths).arg(script));
        require(lent_.sha256OfStore() == sum_, "the lent store has changed: " + script);
    }

    // An honest gadget on the same port has its disks in both directions.
    void serveHonest() {
        auto gadget = bench_.gadget(
            {"--share", shared_.store(), "--label", "shared", "--lend-ready"}, "honest");
        Disk there = shared_;
        there.appearedAs(waitForLive(*host_, "shared"));
        there.compare();
        Disk here = lent_;
        here.appearedAs(waitForLive(*gadget, "lent"));
        here.compare();
        stopAll(*host_);
        stopAll(*gadget);
        gadget->end();
        needAlive("honest");
    }

    void end() {
        host_->end();
        require(waitUntil([] { return leftovers().isEmpty(); }, 5s),
                "left behind: " + leftovers().join(", "));
    }

 private:
    Bench& bench_;
    Disk lent_;
    Disk shared_;
    QByteArray sum_;
    std::unique_ptr<Daemon> host_;
};

void playAll(const std::vector<Case>& cases, const QStringList& more = {}) {
    guarded([&](Bench& bench) {
        Victim victim(bench, more);
        for (const Case& one : cases) {
            victim.play(one);
            if (full())
                victim.serveHonest();
        }
        victim.serveHonest();
        victim.end();
    });
}

// The same with somebody who reads from the device.
void playUnderReader(const std::vector<Case>& cases, const QStringList& more = {}) {
    guarded([&](Bench& bench) {
        Victim victim(bench, more);
        for (const Case& one : cases) {
            std::unique_ptr<Program> reader;
            victim.play(one, [&] {
                QString node;
                const auto made = [&] {
                    node = deviceState(victim.host(), "hostile", "node");
                    return QFile::exists(node);
                };
                require(waitUntil(made, kPatience, 20ms),
                        QString("no device is made of what %1 offers").arg(one.script));
                reader = bench.start(
                    {"dd", "if=" + node, "of=/dev/null", "bs=4k", "count=8", "iflag=direct"},
                    "reader");
            });
            reader->finish(5s);
            if (full())
                victim.serveHonest();
        }
        victim.serveHonest();
        victim.end();
    });
}

}  // namespace

void TestHostile::openings() {
    playAll({
        {"hello-magic", "HELLO refused: no Belay message"},
        {"hello-short", "HELLO refused: wrong length"},
        {"hello-one-byte", "HELLO refused: no Belay message"},
        {"hello-crc", "HELLO refused: wrong CRC"},
        {"hello-version", "HELLO refused: unknown version"},
        {"hello-no-transfer", "longest transfer is no multiple"},
        {"hello-odd-transfer", "longest transfer is no multiple"},
        {"hello-no-requests", "no request may be outstanding"},
        {"hello-many-exports", "number of exports is not 1 to 256"},
        {"hello-absurd", "attach: session .* opened"},
        {"hello-stall", "cannot open a session"},
        {"hello-silent", "cannot open a session"},
        {"open-stall", "cannot open a session"},
        {"opened-stall", "cannot open a session"},
        {"opened-garbage", "OPENED refused"},
        {"opened-other-epoch", "opened another session"},
        {"opened-never", full() ? "does not finish earlier requests" : ""},
        {"opened-refused", "no store to serve"},
    });
}

void TestHostile::lists() {
    playAll({
        {"list-stall", "cannot open a session"},
        {"list-duplicate", "export list refused: the same export id twice"},
        {"list-too-many", "export list refused: too many exports \"?257"},
        {"list-count", "export list refused: wrong number of entries"},
        {"list-short", "export list refused: page shorter than its header"},
        {"list-crc", "export list refused: wrong CRC"},
        {"list-other-epoch", "export list refused: another epoch"},
        {"list-label", "export list refused: label is not"},
        {"list-zero-size", "export list refused: size 0"},
        {"list-odd-size", "export list refused: size is no multiple"},
        {"list-block-size", "export list refused: block size is no power of two"},
        {"list-id-0", "export list refused: export id 0"},
        {"list-huge", "export list refused: size"},
    });
}

void TestHostile::answers() {
    playUnderReader({
        {"answer-unknown", "response to a request that was not sent"},
        {"answer-other-epoch", "response of another session"},
        {"answer-other-offset", "response does not echo its request"},
        {"answer-longer", "response does not echo its request"},
        {"answer-past-end", "response does not echo its request"},
        {"answer-other-op", "response does not echo its request"},
        {"answer-other-disk", "response does not echo its request"},
        {"answer-crc", "native response refused: wrong CRC"},
        {"answer-twice", "session ended"},
        {"answer-odd", "message transfer of odd length"},
        {"answer-garbage", "native response refused"},
        {"answer-never"},
        {"answer-never-nor-status", "the gadget does not answer"},
        {"payload-short", "bytes came across"},
        {"payload-long"},
        {"payload-never"},
        {"stall-messages", "session ended"},
        {"stall-all", "session ended"},
        {"flood-garbage", "native response refused"},
        {"flood-answers", "response to a request that was not sent"},
        {"unplug", "is gone"},
    });
}

void TestHostile::checkedPayloads() {
    playUnderReader({{"payload-wrong-crc", "wrong checksum"}, {"payload-long", "wrong checksum"}},
                    {"--payload-crc"});
}

void TestHostile::requests() {
    playAll({
        {"request-past-end"},
        {"request-wraps"},
        {"request-odd"},
        {"request-unknown-disk"},
        {"request-empty"},
        {"write-past-end"},
        {"write-unknown-disk"},
        {"write-empty", "write without bytes"},
        {"request-too-long", "request longer than agreed"},
        {"request-other-epoch", "request of another session"},
        {"request-twice", "request that is running already"},
        {"request-garbage", "native request refused: wrong CRC"},
        {"request-is-answer", "native request refused: wrong direction"},
        {"write-short", "bytes came across"},
        {"flood-requests", "more requests than agreed"},
        {"flood-request-garbage", "native request refused"},
    });
}

namespace {

// belay-gadget under abuse, and a host that comes after.
class GadgetVictim {
 public:
    explicit GadgetVictim(Bench& bench)
        : bench_(bench),
          shared_(bench.disk("shared", 4)),
          lent_(bench.disk("lent", 4)),
          sum_(shared_.sha256OfStore()),
          gadget_(bench.gadget({"--share", shared_.store(), "--label", "shared", "--lend-ready"})) {
        gadget_->worker();
    }

    Daemon& gadget() { return *gadget_; }

    void needAlive(const QString& abuse) {
        require(gadget_->running(), "belay-gadget ended: " + abuse);
        require(workerDeaths(*gadget_) == 0, "the gadget's worker died: " + abuse);
        require(shared_.sha256OfStore() == sum_, "the shared store has changed: " + abuse);
        // The process writes to its own store and nothing beside it.
        require(QFileInfo(shared_.store()).size() == 4 << 20, "the store has grown: " + abuse);
    }

    void serveHonest() {
        auto host =
            bench_.host({"--attach", "all", "--lend", lent_.store(), "--label", "lent"}, "honest");
        Disk here = shared_;
        here.appearedAs(waitForLive(*host, "shared"));
        here.compare();
        Disk there = lent_;
        there.appearedAs(waitForLive(*gadget_, "lent"));
        there.compare();
        stopAll(*host);
        stopAll(*gadget_);
        host->end();
        needAlive("honest");
    }

    void end() {
        gadget_->end();
        require(waitUntil([] { return leftovers().isEmpty(); }, 5s),
                "left behind: " + leftovers().join(", "));
    }

 private:
    Bench& bench_;
    Disk shared_;
    Disk lent_;
    QByteArray sum_;
    std::unique_ptr<Daemon> gadget_;
};

QStringList abuses(bool asTarget) {
    QStringList names;
    for (const QByteArray& name : run({HOSTILE_HOST}).output.split('\n'))
        if (name.startsWith("target-") == asTarget)
            names += QString::fromUtf8(name);
    return names;
}

}  // namespace

void TestHostile::hostAtGadget() {
    guarded([](Bench& bench) {
        GadgetVictim victim(bench);
        QStringList complaints;
        for (const QString& abuse : abuses(false)) {
            const Outcome outcome = run({HOSTILE_HOST, abuse}, 30s);
            victim.needAlive(abuse);
            if (outcome.status != 0)
                complaints += QString::fromUtf8(outcome.output);
            if (full())
                victim.serveHonest();
        }
        needRest(victim.gadget(), "after all abuses");
        victim.serveHonest();
        victim.end();
        require(complaints.isEmpty(), complaints.join('\n'));
    });
}

// The hostile host lends a disk, and belay-gadget makes a device of it.
void TestHostile::hostAsTarget() {
    guarded([](Bench& bench) {
        GadgetVictim victim(bench);
        for (const QString& abuse : abuses(true)) {
            auto host = bench.start({HOSTILE_HOST, abuse}, abuse);
            QString node;
            const auto made = [&] {
                node = deviceState(victim.gadget(), "hostile", "node");
                return QFile::exists(node);
            };
            require(waitUntil(made, kPatience, 20ms), "no device: " + abuse);
            auto reader = bench.start(
                {"dd", "if=" + node, "of=/dev/null", "bs=4k", "count=8", "iflag=direct"}, "reader");
            host->succeed(30s);
            needRest(victim.gadget(), qPrintable(abuse));
            stopAll(victim.gadget());
            reader->finish(5s);
            victim.needAlive(abuse);
            if (full())
                victim.serveHonest();
        }
        victim.serveHonest();
        victim.end();
    });
}

QTEST_GUILESS_MAIN(TestHostile)
#include "tst_hostile.moc"
