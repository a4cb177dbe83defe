#include "tests/vm/scenario/scenario.h"

#include <signal.h>

#include <QRandomGenerator>
#include <QTest>
#include <algorithm>

using namespace scenario;
using Victim = Rig::Victim;

// Processes die by SIGKILL under a verified load: no error upstairs, the data verifies, the block
// device keeps its name.
class TestKills : public QObject {
    Q_OBJECT

 private slots:
    void eachProcessUnderFio_data() { inBothDirections(); }
    void eachProcessUnderFio();
    void initiatorWithSaturatedQueue_data() { inBothDirections(); }
    void initiatorWithSaturatedQueue();
    void sameWorkerAgainAndAgain_data() { inBothDirections(); }
    void sameWorkerAgainAndAgain();
    void whileUnplugged_data() { inBothDirections(); }
    void whileUnplugged();
};

namespace {

// Deeper than the device's queue.
const FioJob kSaturating = {.blocks = "4k", .depth = 128, .mib = 2, .loops = 3};

qint64 median(std::vector<qint64> values) {
    std::ranges::sort(values);
    return values.empty() ? 0 : values[(values.size() - 1) / 2];
}

// A load that is there whenever it is needed: started anew when it is over.
class Load {
 public:
    Load(Rig& rig, Disk& disk, FioJob job) : rig_(rig), disk_(disk), job_(std::move(job)) {}

    // A running one, in the midst of its work.
    Program& busy() {
        const qint64 target = disk_.completed() + 20;
        const auto over = [&] { return fio_ && !fio_->running(); };
        do {
            if (over())
                fio_->succeed();
            if (!fio_ || over())
                fio_ = rig_.startFio(disk_, job_);
            await([&] { return disk_.completed() >= target || over(); },
                  [&] { return "the load does not get on:\n" + fio_->output(); });
        } while (over());
        return *fio_;
    }
    void finish() {
        if (fio_)
            fio_->succeed(300s);
    }

 private:
    Rig& rig_;
    Disk& disk_;
    FioJob job_;
    std::unique_ptr<Program> fio_;
};

// Kills it under the load, at a random moment; ms until the next request was finished.
qint64 outageUnder(Load& load, Rig& rig, Disk& disk, Victim victim) {
    for (;;) {
        Program& fio = load.busy();
        rig.wait(Milliseconds(QRandomGenerator::global()->bounded(200)));
        if (const auto ms = rig.outage(victim, disk, fio))
            return *ms;
    }
}

}  // namespace

void TestKills::eachProcessUnderFio() {
    // One after the other, so that no supervisor sees two deaths in its life: it would pause
    // before the second restart.
    const std::vector victims = {Victim::HostWorker, Victim::HostSupervisor, Victim::GadgetWorker,
                                 Victim::GadgetSupervisor};
    std::map<Victim, std::vector<qint64>> outages;
    play([&](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.start();
        rig.host().worker();  // asked for while the processor is free
        Load load(rig, disk, {.blocks = "4k-64k", .mib = 16, .loops = 2});
        for (int round = 0; round < times(onPrivateBus() ? 1 : 2, 20); ++round)
            for (const Victim victim : victims) {
                outages[victim].push_back(outageUnder(load, rig, disk, victim));
                rig.waitForState(disk, "live");
            }
        load.finish();
        rig.compare();
    });
    for (const auto& [victim, ms] : outages)
        if (!ms.empty())
            qInfo(
                "%s, %s killed %zu times: next request done after %lld ms (median), %lld ms "
                "(worst)",
                QTest::currentDataTag(), Rig::nameOf(victim), ms.size(), median(ms),
                *std::ranges::max_element(ms));
}

void TestKills::initiatorWithSaturatedQueue() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        const bool onHost = rig.direction() == Direction::Attach;
        for (int round = 0; round < times(1, 10); ++round) {
            rig.initiator().worker();
            Load load(rig, disk, kSaturating);
            const qint64 ms =
                outageUnder(load, rig, disk, onHost ? Victim::HostWorker : Victim::GadgetWorker);
            qInfo("%s, saturated queue: next request done after %lld ms", QTest::currentDataTag(),
                  ms);
            // In the short form other machines have the processors as well.
            require(ms < times(4000, 2000), QString("back after %1 ms only").arg(ms));
            load.finish();
            // A fresh life: no pause before the next restart.
            rig.initiator().killSupervisor();
            rig.initiator().startAgain();
            rig.waitForState(disk, "live");
        }
        rig.compare();
    });
}

void TestKills::sameWorkerAgainAndAgain() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.start();
        Load load(rig, disk, {.blocks = "4k-64k", .mib = 4, .loops = 6});
        const bool onHost = rig.direction() == Direction::Attach;
        // Restarted at once, then after 1 and 2 s; a fifth death within the minute would be the
        // last.
        for (int death = 0; death < 3; ++death) {
            load.busy();
            (onHost ? rig.host() : rig.gadget()).killWorker();
            rig.waitForState(disk, "live");
        }
        load.finish();
        rig.compare();
    });
}

void TestKills::whileUnplugged() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.start();
        Load load(rig, disk, {.blocks = "4k-64k", .mib = 16, .loops = 2});
        load.busy();
        rig.pullCable();
        rig.waitForState(disk, "waiting");
        rig.note("kill both workers");
        rig.initiator().killWorker();
        rig.target().killWorker();
        rig.waitForState(disk, "waiting");
        rig.plugIn();
        rig.waitForState(disk, "live");
        load.finish();
        rig.compare();
    });
}

int main(int argc, char** argv) {
    TestKills test;
    return runScenarios(argc, argv, test);
}

#include "tst_kills.moc"
