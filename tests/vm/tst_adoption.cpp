#include "tests/vm/scenario/scenario.h"
#include "tests/vm/scenario/target_machine.h"

#include <signal.h>

#include <QRegularExpression>
#include <QTest>

using namespace scenario;

// Workers outlive belayd: it is killed under I/O and the next one takes them up, as if nothing had
// happened.
class TestAdoption : public QObject {
    Q_OBJECT

 private slots:
    void supervisorIsKilledUnderLoad_data() { inBothDirections(); }
    void supervisorIsKilledUnderLoad();
    void workerDiesUnderTheNextOne_data() { inBothDirections(); }
    void workerDiesUnderTheNextOne();
    void workerThatHangsIsReplaced_data() { inBothDirections(); }
    void workerThatHangsIsReplaced();
    void bothDie_data() { inBothDirections(); }
    void bothDie();
    void theWriteLogIsTakenUpToo_data() { attachOnly(); }
    void theWriteLogIsTakenUpToo();

 private:
    static void attachOnly() {
        QTest::addColumn<bool>("lend");
        QTest::newRow("attach") << false;
    }
};

namespace {

// What a request may take longer than others when nothing is wrong, in this emulation: a worker's
// death costs 200 ms and more.
constexpr qint64 kJitterMs = 150;

// The host's end of a rig, with a fleet in place of belay-hostd.
class Fleet {
 public:
    Fleet(Rig& rig, Disk& disk)
        : rig_(rig),
          disk_(disk),
          state_(QString("/run/belay-adoption/%1").arg(QTest::currentDataTag())) {}
    // Its worker lasts, as it must: so somebody has to end it.
    ~Fleet() {
        if (program_ && program_->running())
            ::kill(program_->pid(), SIGKILL);
        if (worker_ != 0)
            ::kill(worker_, SIGKILL);
    }

    void start() {
        QStringList command{SCENARIO_FLEET, state_};
        // What was lent is lent again by itself.
        if (rig_.direction() == Direction::Lend && !program_)
            command += disk_.store();
        program_ = rig_.startProgram(command);
        const bool live = waitUntil([this] { return isLive(); });
        require(live, "not live:\n" + program_->output());
        if (rig_.direction() == Direction::Attach)
            disk_.appearedAs(said().captured("node"));
        else
            rig_.waitForState(disk_, "live");
    }
    // kill -9. The worker stays.
    void killIt() {
        rig_.note("kill the fleet");
        program_->signal(SIGKILL);
        program_->finish();
    }
    void end() {
        // As long as the target is there, the initiator can end in order.
        if (rig_.direction() == Direction::Lend)
            rig_.gadget().end();
        program_->signal(SIGUSR1);
        program_->succeed();
        if (worker_ != 0)
            ::kill(std::exchange(worker_, 0), SIGKILL);
    }
    // The worker's process, by what was said last; 0 when there is none.
    pid_t worker() { return worker_ = said().captured("worker").toInt(); }
    bool hasAnother(pid_t than) { return isLive() && worker() != 0 && worker() != than; }
    int recoveries() { return said().captured("recoveries").toInt(); }
    bool isLive() { return said().captured("state") == "live"; }

 private:
    QRegularExpressionMatch said() const {
        static const QRegularExpression line(
            "^device disk (?<state>\\S+) (?<node>\\S+) worker (?<worker>\\d+) "
            "recoveries (?<recoveries>\\d+)$",
            QRegularExpression::MultilineOption);
        QRegularExpressionMatch last;
        auto all = line.globalMatch(program_->output());
        while (all.hasNext())
            last = all.next();
        return last;
    }

    Rig& rig_;
    Disk& disk_;
    const QString state_;
    std::unique_ptr<Program> program_;
    pid_t worker_ = 0;
};

}  // namespace

void TestAdoption::supervisorIsKilledUnderLoad() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 16);
        rig.startGadget();
        Fleet fleet(rig, disk);
        fleet.start();
        const pid_t worker = fleet.worker();
        const auto fio = rig.startFio(disk, {.blocks = "4k-64k", .mib = 8, .loops = 6});
        disk.awaitProgress(20);
        const auto watch = rig.startProgram({SCENARIO_REQUESTS, "watch", disk.node()});
        for (int round = 0; round < times(3, 10); ++round) {
            fleet.killIt();
            disk.awaitProgress(50);
            require(!isDead(worker), "the worker died with it");
            fleet.start();
            require(fleet.worker() == worker, "another worker has taken over");
            require(fleet.recoveries() == 0, "it was recovered");
            disk.awaitProgress(50);
        }
        watch->signal(SIGTERM);
        watch->succeed();
        const QString said = QString::fromUtf8(watch->output()).trimmed();
        rig.note(said);
        qInfo("%s: %s", QTest::currentDataTag(), qPrintable(said));
        const auto pause = QRegularExpression("longest (\\d+) ms").match(said).captured(1);
        require(!pause.isEmpty() && pause.toLongLong() <= kJitterMs,
                "a request had to wait: " + said);
        fio->succeed(300s);
        rig.compare();
        fleet.end();
    });
}

void TestAdoption::workerDiesUnderTheNextOne() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.startGadget();
        Fleet fleet(rig, disk);
        fleet.start();
        const pid_t worker = fleet.worker();
        const auto fio = rig.startFio(disk, {.blocks = "4k-64k", .mib = 4, .loops = 6});
        disk.awaitProgress(20);
        fleet.killIt();
        fleet.start();
        rig.note("kill the adopted worker");
        ::kill(worker, SIGKILL);
        require(waitUntil([&] { return fleet.hasAnother(worker); }), "nobody has taken its place");
        fio->succeed(300s);
        rig.compare();
        fleet.end();
    });
}

void TestAdoption::workerThatHangsIsReplaced() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.startGadget();
        Fleet fleet(rig, disk);
        fleet.start();
        const pid_t worker = fleet.worker();
        const auto fio = rig.startFio(disk, {.blocks = "4k-64k", .mib = 4, .loops = 6});
        disk.awaitProgress(20);
        rig.note("stop the worker's process");
        ::kill(worker, SIGSTOP);
        // Five pings without an answer, two seconds apart.
        require(waitUntil([&] { return isDead(worker); }, 30s), "nobody ends it");
        require(waitUntil([&] { return fleet.hasAnother(worker); }), "nobody has taken its place");
        fio->succeed(300s);
        rig.compare();
        fleet.end();
    });
}

void TestAdoption::bothDie() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 8);
        rig.startGadget();
        Fleet fleet(rig, disk);
        fleet.start();
        const pid_t worker = fleet.worker();
        const auto fio = rig.startFio(disk, {.blocks = "4k-64k", .mib = 4, .loops = 6});
        disk.awaitProgress(20);
        fleet.killIt();
        rig.note("and the worker");
        ::kill(worker, SIGKILL);
        require(waitUntil([&] { return isDead(worker); }), "it does not die");
        fleet.start();
        require(fleet.hasAnother(worker), "a dead worker was adopted");
        fio->succeed(300s);
        rig.compare();
        fleet.end();
    });
}

// The next supervisor gets it from the worker, and the next worker from that one.
void TestAdoption::theWriteLogIsTakenUpToo() {
    play([](Rig& rig) {
        TargetMachine machine(rig);
        Disk& disk = rig.offer("disk", 8);
        machine.sync();
        rig.startGadget();
        Fleet fleet(rig, disk);
        fleet.start();
        const pid_t worker = fleet.worker();
        mustRun({"dd", "if=/dev/urandom", "of=" + disk.node(), "bs=64k", "count=32", "oflag=direct",
                 "conv=notrunc", "status=none"});
        const QByteArray written = disk.sha256OfDevice();
        fleet.killIt();
        fleet.start();
        require(fleet.worker() == worker, "another worker has taken over");
        rig.pullCable();
        machine.goDown();
        require(disk.sha256OfStore() != written, "nothing was lost: this shows nothing");
        machine.comeBack();
        rig.gadget().worker();
        rig.note("kill the adopted worker");
        ::kill(worker, SIGKILL);
        require(waitUntil([&] { return isDead(worker); }), "it does not die");
        rig.plugIn();
        require(waitUntil([&] { return fleet.hasAnother(worker); }), "nobody has taken its place");
        require(disk.sha256OfDevice() == written, "the device shows other bytes");
        rig.compare();
        fleet.end();
        rig.end();
    });
}

QTEST_GUILESS_MAIN(TestAdoption)
#include "tst_adoption.moc"
