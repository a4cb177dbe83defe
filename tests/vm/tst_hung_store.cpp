#include "tests/vm/scenario/scenario.h"
#include "tests/vm/scenario/store_volume.h"

#include <QTest>

using namespace scenario;

// One store of two answers nothing for a while: its file system is frozen under it. That is its own
// disk's trouble; the other one of the same gadget does not wait for it, whatever happens.
class TestHungStore : public QObject {
    Q_OBJECT

 private slots:
    void othersGoOn_data() { inBothDirections(); }
    void othersGoOn();
    void othersAreLiveAfterAPull_data() { inBothDirections(); }
    void othersAreLiveAfterAPull();
    void stopOfTheHung_data() { inBothDirections(); }
    void stopOfTheHung();
};

namespace {

constexpr Milliseconds kSoon = 5s;

// As long as it lives, every write to the file system waits in the kernel.
class Frozen {
 public:
    explicit Frozen(QString folder) : folder_(std::move(folder)) {
        mustRun({"fsfreeze", "-f", folder_});
    }
    ~Frozen() { thaw(); }
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;

    void thaw() {
        if (!std::exchange(thawed_, true))
            run({"fsfreeze", "-u", folder_});
    }

 private:
    QString folder_;
    bool thawed_ = false;
};

// Two disks, one of them on a file system of its own, which can be frozen.
class Two {
 public:
    explicit Two(Rig& rig)
        : rig_(rig),
          volume_("/run/belay-scenario/volume"),
          hung_(rig.offer("hung", 72, "/run/belay-scenario/volume")),
          other_(rig.offer("other", 16)) {
        volume_.sync();
        rig_.start();
    }

    Disk& hung() { return hung_; }
    Disk& other() { return other_; }

    // More requests of 1 MiB wait for the store than all of the transfer memory holds.
    void hang() {
        rig_.note("freeze");
        frozen_.emplace("/run/belay-scenario/volume");
        load_ = rig_.startProgram({"fio", "--name=hung", "--filename=" + hung_.node(),
                                   "--ioengine=libaio", "--direct=1", "--rw=write", "--bs=1M",
                                   "--iodepth=64", "--size=64M", "--randrepeat=0"});
        require(waitUntil([&] { return underWay(hung_) >= 40; }), "the frozen one gets no load");
    }
    // What the hung one was asked for is done now.
    void thaw() {
        rig_.note("thaw");
        frozen_->thaw();
        load_->succeed();
    }
    void thawWithoutLoad() { frozen_->thaw(); }
    Program& load() { return *load_; }

    // One read that no cache answers, and a load.
    void mustServe() {
        rig_.note("the other one serves");
        mustRun({"dd", "if=" + other_.node(), "of=/dev/null", "bs=4k", "count=1", "iflag=direct"},
                kSoon);
        rig_.startFio(other_, {.depth = 8, .mib = 8})->succeed();
    }

 private:
    int underWay(const Disk& disk) {
        const auto told = rig_.deviceOf(disk);
        return told && told->contains("counters") ? (*told)["counters"].at("inFlight").get<int>()
                                                  : 0;
    }

    Rig& rig_;
    StoreVolume volume_;
    Disk& hung_;
    Disk& other_;
    std::optional<Frozen> frozen_;
    std::unique_ptr<Program> load_;
};

qsizetype sessionsEnded(Rig& rig) {
    return rig.host().output().count("session ended");
}

// As a belayd does that does not know what the one before it has stopped.
void lendAnother(Rig& rig) {
    rig.host().killOnlySupervisor();
    rig.host().startAgain();
    Disk& another = rig.offer("another", 4);
    rig.host().start({"--lend", another.store(), "--label", another.label()});
    rig.waitForState(another, "live");
    another.compare();
}

}  // namespace

void TestHungStore::othersGoOn() {
    play([](Rig& rig) {
        Two two(rig);
        const auto ended = sessionsEnded(rig);
        two.hang();
        two.mustServe();
        two.thaw();
        require(sessionsEnded(rig) == ended, "the session has ended");
        rig.compare();
    });
}

void TestHungStore::othersAreLiveAfterAPull() {
    play([](Rig& rig) {
        Two two(rig);
        two.hang();
        rig.pullCable();
        rig.waitForState(two.other(), "waiting");
        rig.plugIn();
        rig.waitForState(two.other(), "live", 10s);
        require(rig.stateOf(two.hung()) != "live", "the hung one is live before its store is done");
        const auto ended = sessionsEnded(rig);
        two.mustServe();
        two.thaw();
        rig.waitForState(two.hung(), "live");
        require(sessionsEnded(rig) == ended, "the session has ended");
        rig.compare();
    });
}

void TestHungStore::stopOfTheHung() {
    play([](Rig& rig) {
        Two two(rig);
        const auto ended = sessionsEnded(rig);
        two.hang();
        const Outcome stopped = rig.stop(two.hung(), true);
        require(stopped.status == 0, "stop failed: " + stopped.output);
        require(waitUntil([&] { return !two.hung().exists(); }), "it stays");
        require(two.load().finish() != 0, "the load saw no error although its disk is gone");
        two.mustServe();
        require(sessionsEnded(rig) == ended, "the session has ended");
        if (onPrivateBus() && rig.direction() == Direction::Lend)
            lendAnother(rig);
        two.thawWithoutLoad();
        two.mustServe();
        require(sessionsEnded(rig) == ended, "the session has ended after the thaw");
        two.other().compare();
    });
}

int main(int argc, char** argv) {
    TestHungStore test;
    return runScenarios(argc, argv, test);
}

#include "tst_hung_store.moc"
