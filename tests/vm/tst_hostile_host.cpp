#include "tests/vm/hostile/rest.h"

#include <QTest>

using namespace hostile;

// A host that means ill: it can at worst break what it was given.
class TestHostileHost : public QObject {
    Q_OBJECT

 private slots:
    void hostAtGadget();
    void hostAsTarget();
};

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
        gadget_->workers();
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

void TestHostileHost::hostAtGadget() {
    inTurn([](Bench& bench) {
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
void TestHostileHost::hostAsTarget() {
    inTurn([](Bench& bench) {
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

QTEST_GUILESS_MAIN(TestHostileHost)
#include "tst_hostile_host.moc"
