#include "tests/vm/service/service.h"

#include <signal.h>

#include <QElapsedTimer>
#include <QJsonArray>
#include <QTest>
#include <functional>
#include <vector>

using namespace service;

// What belayd counts and lists of a device's requests is what there is.
class TestCounters : public QObject {
    Q_OBJECT

 private slots:
    void attached();
    void lent();
    void listsWhatIsInFlight();
    void costsNothingUnasked();
};

namespace {

// A counter as whoever watches the device has it.
qint64 counter(const QString& device, const QString& name) {
    run({"busctl", "--system", "introspect", "org.belay.Helper1", device, kDevice});
    return static_cast<qint64>(user.get(device, kDevice, name).toDouble());
}

void needCounter(const QString& device, const QString& name, const std::function<qint64()>& value) {
    qint64 last = 0;
    qint64 wanted = 0;
    await([&] { return (last = counter(device, name)) == (wanted = value()); },
          [&] { return QString("%1 is %2 and not %3").arg(name).arg(last).arg(wanted); }, 10s,
          300ms);
}

void needCounter(const QString& device, const QString& name, qint64 value) {
    needCounter(device, name, [value] { return value; });
}

// What the kernel read of a disk since it is there. Others read too: after each write, whoever
// looks for partitions.
qint64 kernelReadBytes(const QString& node) {
    const QString file = "/sys/block/" + node.section('/', -1) + "/stat";
    return readFile(file).simplified().split(' ').at(2).toLongLong() * 512;
}

void write(const QString& node, int blocks, int skip, const QStringList& more = {}) {
    mustRun(QStringList{"dd", "if=/dev/urandom", "of=" + node, "bs=64k", "oflag=direct",
                        "conv=notrunc", QString("count=%1").arg(blocks),
                        QString("seek=%1").arg(skip)} +
            more);
}

constexpr qint64 kBlock = 64 << 10;

// Reads, writes and saves, and what is counted of them.
void needRightCounters(const QString& device, const QString& node, pid_t worker) {
    const qint64 written = counter(device, "WrittenBytes");
    write(node, 5, 0);
    needCounter(device, "WrittenBytes", written + 5 * kBlock);
    needCounter(device, "WriteOps", 5 + written / kBlock);
    needCounter(device, "UnsavedBytes", 5 * kBlock);
    mustRun({"dd", "if=" + node, "of=/dev/null", "bs=64k", "iflag=direct", "count=3"});
    require(kernelReadBytes(node) >= 3 * kBlock, "the kernel did not read the disk");
    needCounter(device, "ReadBytes", [&] { return kernelReadBytes(node); });
    mustRun({"dd", "if=/dev/null", "of=" + node, "conv=notrunc,fsync", "count=0"});
    needCounter(device, "UnsavedBytes", 0);
    write(node, 2, 8, {"oflag=direct,dsync"});
    needCounter(device, "WrittenBytes", written + 7 * kBlock);
    needCounter(device, "UnsavedBytes", 0);
    needCounter(device, "InFlight", 0);
    // Over the death of who counts.
    ::kill(worker, SIGKILL);
    require(waitUntil([&] { return user.get(device, kDevice, "DaemonPid").toInt() != worker; },
                      kPatience, 100ms),
            "the worker is not replaced");
    user.waitForState(device, "live");
    write(node, 1, 0);
    needCounter(device, "WrittenBytes", written + 8 * kBlock);
}

}  // namespace

void TestCounters::attached() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        needRightCounters(device, plugged.disk.node(),
                          user.get(device, kDevice, "DaemonPid").toInt());
        plugged.end();
    });
}

void TestCounters::lent() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        Disk lent = bench.disk("lent", 8);
        const QString device = root.mustCall(plugged.path, kGadget, "LendPath",
                                             {"sa{sv}", lent.store(), "1", "label", "s", "lent"})
                                   .toString();
        const QString node = waitForLive(*plugged.gadget, "lent");
        user.waitForState(device, "live");
        needRightCounters(device, node, user.get(device, kDevice, "DaemonPid").toInt());
        stopAll(*plugged.gadget);
        plugged.end();
    });
}

// ListInFlight, and what the kernel says a quarter of a second before and after it.
void TestCounters::listsWhatIsInFlight() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        const QString file = "/sys/block/" + plugged.disk.name() + "/inflight";
        const auto inFlight = [&] {
            int sum = 0;
            for (const QByteArray& number : readFile(file).simplified().split(' '))
                sum += number.toInt();
            return sum;
        };
        const auto listed = [&] {
            return user.mustCall(device, kDevice, "ListInFlight", {"a{sv}", "0"}).toArray();
        };
        require(listed().isEmpty(), "there are requests that nobody has made");
        // Held requests stand still: there the two must be equal. Each wave is another number.
        plugged.cable.pull();
        user.waitForState(device, "waiting", 5s);
        std::vector<std::unique_ptr<Program>> readers;
        for (int wave = 1; wave <= 4; ++wave) {
            for (int i = 0; i < wave; ++i) {
                const int block = static_cast<int>(readers.size());
                readers.push_back(
                    bench.start({"dd", "if=" + plugged.disk.node(), "of=/dev/null", "bs=4k",
                                 "count=1", "iflag=direct", QString("skip=%1").arg(100 * block)},
                                QString("reader%1").arg(block)));
            }
            const int wanted = static_cast<int>(readers.size());
            require(waitUntil([&] { return inFlight() == wanted; }, 10s, 5ms),
                    QString("%1 requests are under way and not %2").arg(inFlight()).arg(wanted));
            QElapsedTimer clock;
            clock.start();
            const QJsonArray requests = listed();
            const qint64 took = clock.elapsed();
            require(requests.size() == wanted, QString("%1 requests are listed, the kernel has %2")
                                                   .arg(requests.size())
                                                   .arg(wanted));
            for (const QJsonValue& request : requests)
                require(request.toArray().at(4).toString() == "parked",
                        "a request that was never sent is " + request.toArray().at(4).toString());
            qInfo("%d listed as the kernel has them, %lld ms after they were made, busctl included",
                  wanted, took);
        }
        plugged.cable.plugIn();
        user.waitForState(device, "live");
        for (auto& reader : readers)
            reader->succeed();
        require(listed().isEmpty() && inFlight() == 0, "requests stay that are answered");
        plugged.end();
    });
}

// What a reader at full speed gets while belayd cannot do anything, while nobody asks it, and while
// somebody watches and asks as the window does.
void TestCounters::costsNothingUnasked() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        const auto speed = [&] {
            const QByteArray said = mustRun(
                {"fio", "--name=read", "--filename=" + plugged.disk.node(), "--direct=1",
                 "--ioengine=libaio", "--rw=randread", "--bs=4k", "--iodepth=16", "--time_based",
                 QString("--runtime=%1").arg(times(3, 15)), "--output-format=terse"});
            // The seventh field of fio's terse output, version 3: KiB/s read.
            return said.trimmed().split(';').value(6).toDouble();
        };
        const pid_t server = belayd();
        double stopped = 0;
        double unasked = 0;
        double asked = 0;
        qint64 unaskedCpu = 0;
        qint64 unaskedMs = 0;
        for (int round = 0; round < times(2, 5); ++round) {
            ::kill(server, SIGSTOP);
            stopped += speed();
            ::kill(server, SIGCONT);
            wait(500ms);
            QElapsedTimer clock;
            clock.start();
            const qint64 before = cpuTimeOf(server);
            unasked += speed();
            unaskedCpu += cpuTimeOf(server) - before;
            unaskedMs += clock.elapsed();
            auto asker = bench.start({SERVICE_ASKER, device}, "asker");
            asked += speed();
            asker->signal(SIGTERM);
            asker->finish();
            const int answers = asker->output().count("answer");
            require(answers >= times(6, 30), QString("asked %1 times only").arg(answers));
        }
        require(stopped > 0 && server == belayd(), "nothing was measured");
        qInfo(
            "4 KiB reads at depth 16, against belayd stopped: nobody asks %.3f, window %.3f; "
            "belayd takes %.2f %% of a processor when nobody asks",
            unasked / stopped, asked / stopped, 100.0 * double(unaskedCpu) / double(unaskedMs));
        // Its pings of the worker, and what waited while it was stopped, on a slow machine.
        require(unaskedCpu * 20 <= unaskedMs, "belayd works though nobody asks");
        plugged.end();
    });
}

int main(int argc, char** argv) {
    TestCounters test;
    return runOnPrivateBus(argc, argv, test);
}

#include "tst_counters.moc"
