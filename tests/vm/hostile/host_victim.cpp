#include "tests/vm/hostile/host_victim.h"

#include "tests/vm/hostile/rest.h"

#include <signal.h>

namespace hostile {
namespace {

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
        host_->workers();
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
        if (one.endless || full())
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

    // An honest gadget on the same port has its disks in both directions. To the host, which stays
    // with the gadget that it has lent something to, it is the same one.
    void serveHonest() {
        auto gadget = bench_.gadget({"--share", shared_.store(), "--label", "shared",
                                     "--lend-ready", "--serial", "HOSTILE"},
                                    "honest");
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

}  // namespace

void playAll(const std::vector<Case>& cases, const QStringList& more) {
    inTurn([&](Bench& bench) {
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

void playUnderReader(const std::vector<Case>& cases, const QStringList& more) {
    inTurn([&](Bench& bench) {
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

}  // namespace hostile
