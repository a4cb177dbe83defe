#include "tests/vm/hostile/host_victim.h"

#include <QElapsedTimer>
#include <QTest>
#include <algorithm>
#include <map>

using namespace hostile;

// A gadget that means ill while a session is opened: it can at worst break its own device.
class TestHostileOpening : public QObject {
    Q_OBJECT

 private slots:
    void openings();
    void lists();
    void silent();
};

namespace {

// How long each of its threads is found asleep in the kernel where no signal wakes it, in a row.
class Watch {
 public:
    void look(pid_t process) {
        const QString folder = QString("/proc/%1/task").arg(process);
        for (const QString& thread : QDir(folder).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
            const QByteArray stat = readFile(folder + '/' + thread + "/stat");
            QElapsedTimer& since = since_[thread];
            if (!stat.contains(") D "))
                since.invalidate();
            else if (!since.isValid())
                since.start();
            else
                longest_ = std::max(longest_, since.elapsed());
        }
    }
    qint64 longest() const { return longest_; }

 private:
    std::map<QString, QElapsedTimer> since_;
    qint64 longest_ = 0;
};

}  // namespace

void TestHostileOpening::openings() {
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
        {"hello-stall", "cannot open a session", true},
        {"hello-silent", "cannot open a session", true},
        {"open-stall", "cannot open a session", true},
        {"opened-stall", "cannot open a session", true},
        {"opened-garbage", "OPENED refused", true},
        {"opened-other-epoch", "opened another session", true},
        {"opened-never", full() ? "does not finish earlier requests" : "", true},
        {"opened-refused", "no store to serve"},
    });
}

void TestHostileOpening::lists() {
    playAll({
        {"list-stall", "cannot open a session", true},
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

// Its processor hangs, and its controller does not: nothing that is asked of it ends. A reset of
// its port takes the kernel most of a minute. Its worker goes on, and so does what else it has.
void TestHostileOpening::silent() {
    guarded([](Bench& bench) {
        mustRun({"modprobe", "vhci-hcd"});
        const Disk shared = bench.disk("shared");
        const Disk lent = bench.disk("lent");
        auto gadget = bench.gadget({"--share", shared.store()});
        auto host = bench.host({"--gadget", "gadget", "--attach", "all", "--lend", lent.store()});
        const QString node = waitForLive(*host, "shared");
        gadget->end();
        require(waitUntil([&] { return deviceState(*host, "shared") == "waiting"; }),
                "it does not wait");
        const auto reader =
            bench.start({"dd", "if=" + node, "of=/dev/null", "count=8", "iflag=direct"}, "reader");

        const auto silent = bench.start({SILENT_GADGET, "gadget"}, "silent");
        require(waitUntil([&] { return silent->output().contains("silent"); }), "it is not opened");
        const pid_t worker = host->worker("initiator");
        Watch watch;
        // Ten seconds into the reset.
        QElapsedTimer reset;
        const bool wasReset = waitUntil(
            [&] {
                watch.look(worker);
                if (silent->output().contains("asked for") && !reset.isValid())
                    reset.start();
                return watch.longest() > 1000 || (reset.isValid() && reset.hasExpired(10'000));
            },
            60s, 20ms);
        require(watch.longest() <= 1000, "the worker is stuck in the kernel");
        require(wasReset, "its port is not reset");
        require(reader->running(), "who reads has got an answer");
        QElapsedTimer clock;
        clock.start();
        const Outcome stopped = host->command({"stop", node, "--force"});
        require(stopped.status == 0, "stop was refused: " + stopped.output);
        require(clock.elapsed() < 5000, QString("stop took %1 ms").arg(clock.elapsed()));
        require(reader->finish(5s) != 0, "who reads got no error");
        require(workerDeaths(*host) == 0, "a worker has died");
        // Whoever comes now finds the device in the kernel's hands.
        host->killOnlySupervisor();
        host->startAgain();
        clock.start();
        require(waitUntil([&] { return host->status().has_value(); }, 5s), "it does not answer");
        while (!clock.hasExpired(5000)) {
            QElapsedTimer asked;
            asked.start();
            require(host->status().has_value(), "it does not answer any more");
            require(asked.elapsed() < 2000, QString("an answer took %1 ms").arg(asked.elapsed()));
        }
        require(silent->running(), "the reset is over: the scenario shows nothing");
        host->end();
    });
}

QTEST_GUILESS_MAIN(TestHostileOpening)
#include "tst_hostile_opening.moc"
