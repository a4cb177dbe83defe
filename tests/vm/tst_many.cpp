#include "tests/vm/scenario/scenario.h"

#include <QTest>
#include <algorithm>
#include <map>

using namespace scenario;

// As many disks of one gadget as anybody has, all with full queues.
class TestMany : public QObject {
    Q_OBJECT

 private slots:
    void fullQueuesWithoutCable_data() { inBothDirections(); }
    void fullQueuesWithoutCable();
};

namespace {

constexpr int kDisks = 40;
constexpr int kMib = 1;
constexpr int kDepth = 64;
// fio holds back what would write to a block that is being written.
constexpr int kNearlyAll = kDisks * kDepth * 85 / 100;
// Forty jobs on an emulated processor.
constexpr Milliseconds kSlow = 200s;

// One fio with a job for each disk; what it wrote it reads again.
std::unique_ptr<Program> startLoad(Rig& rig) {
    QStringList command = {"fio",
                           "--thread",
                           "--ioengine=libaio",
                           "--direct=1",
                           "--rw=randwrite",
                           "--bs=4k",
                           QString("--iodepth=%1").arg(kDepth),
                           QString("--size=%1M").arg(kMib),
                           "--loops=2",
                           "--verify=crc32c",
                           "--do_verify=1",
                           "--verify_fatal=1",
                           "--randrepeat=0"};
    for (const Disk* disk : rig.disks())
        command << "--name=" + disk->name() << "--filename=" + disk->node();
    return rig.startProgram(command);
}

// How many requests of all devices the initiator holds; -1 if it does not say.
int held(Rig& rig) {
    const auto status = rig.initiator().status();
    if (!status)
        return -1;
    int held = 0;
    for (const auto& device : status->at("devices"))
        held += device.contains("counters") ? device["counters"].at("parked").get<int>() : 0;
    return held;
}

}  // namespace

void TestMany::fullQueuesWithoutCable() {
    play([](Rig& rig) {
        for (int number = 0; number < kDisks; ++number)
            rig.offer(QString("disk%1").arg(number), kMib);
        rig.start();
        const pid_t worker = rig.initiator().worker();
        std::map<QString, qint64> before;
        for (const Disk* disk : rig.disks())
            before[disk->name()] = disk->completed();
        const auto load = startLoad(rig);
        for (const Disk* disk : rig.disks())
            require(waitUntil([&] { return disk->completed() > before[disk->name()]; }, kSlow),
                    disk->name() + ": no load");
        rig.pullCable();
        for (Disk* disk : rig.disks())
            rig.waitForState(*disk, "waiting");
        rig.note("until all queues are full");
        int most = 0;
        require(waitUntil([&] { return (most = std::max(most, held(rig))) > kNearlyAll; }, kSlow),
                QString("%1 requests are held").arg(most));
        rig.plugIn();
        rig.waitForAllLive(kSlow);
        load->succeed(kSlow);
        require(rig.initiator().worker() == worker, "the worker is another one");
        rig.compare();

        rig.note("end the initiator, once");
        rig.initiator().end(kSlow);
        const QByteArray said = rig.initiator().output();
        require(!said.contains("died") && !said.contains("Not ended"),
                "it did not end in order:\n" + QString::fromUtf8(said.right(2000)));
    });
}

int main(int argc, char** argv) {
    TestMany test;
    return runScenarios(argc, argv, test);
}

#include "tst_many.moc"
