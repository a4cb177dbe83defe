#include "core/base/abandoned.h"
#include "core/ublk/holders.h"
#include "tests/vm/ublk/fixture.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <QTest>
#include <algorithm>
#include <cstring>

using namespace belay;
using namespace belay::ublk;
using namespace belay::ublk::test;

using Operation = ControlRequest::Operation;

// core/ublk against the real driver: a server that dies at every moment there is.
class TestUblk : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase();
    void cleanup() {
        QVERIFY(waitFor([] { return reapAbandoned() == 0; }));
    }

    void saysWhatIsMissing();
    void showsItsParameters();
    void keepsBytes();
    void refusesWhatCannotBe();
    void recoversRequestsInFlight();
    void noticesDeathOfSaturatedServer();
    void survivesDeathAtEachStep_data();
    void survivesDeathAtEachStep();
    void stopsWhileQuiesced();
    void detectsUnpinnableMemory();
    void staysWholeThroughManyDeaths();
    void abandonsHungCommand();
    void findsHolders();
    void saysThatTheDriverMakesNoMore();

 private:
    bool late_ = false;
};

namespace {

QByteArray run(const QStringList& command, int* status = nullptr) {
    Program program(command.first(), command.mid(1));
    const int ended = program.wait();
    if (status != nullptr)
        *status = ended;
    else if (ended != 0)
        qWarning("%s: %d: %s", qPrintable(command.join(' ')), ended, qPrintable(program.said()));
    return program.said().toUtf8().trimmed();
}

QByteArray queueAttribute(const Device& device, const char* name) {
    QFile file(
        QString("/sys/block/%1/queue/%2").arg(QString::fromStdString(diskName(device.id())), name));
    return file.open(QIODevice::ReadOnly) ? file.readAll().trimmed() : QByteArray();
}

QStringList writeFrom(const QString& file, const Device& device, int blocks) {
    return {"dd",
            "if=" + file,
            "of=" + device.disk(),
            "bs=64k",
            QString("count=%1").arg(blocks),
            "oflag=direct",
            "status=none"};
}

}  // namespace

void TestUblk::initTestCase() {
    const auto answer =
        runControlProcess({.operation = Operation::Features}, std::chrono::seconds(10));
    QVERIFY2(answer, answer ? "" : answer.error().message().c_str());
    late_ = (answer->features & uapi::kPerIoDaemon) == 0;
    utsname name{};
    ::uname(&name);
    qInfo("Linux %s, ublk features %#llx", name.release,
          static_cast<unsigned long long>(answer->features));
    run({"dd", "if=/dev/urandom", "of=/dev/shm/random", "bs=64k", "count=64", "status=none"});
}

void TestUblk::saysWhatIsMissing() {
    // The file system's view of who asks, and the driver's.
    QCOMPARE(::seteuid(kServerUser), 0);
    const auto refused = Control::open();
    QCOMPARE(::seteuid(0), 0);
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, EACCES);
    QVERIFY(refused.error().hint.find("root") != std::string::npos);

    auto control = Control::open();
    QVERIFY(control);
    QCOMPARE(::seteuid(kServerUser), 0);
    const auto notAllowed = control->create({.sizeBytes = 1 << 20});
    QCOMPARE(::seteuid(0), 0);
    QVERIFY(!notAllowed);
    QCOMPARE(notAllowed.error().code, EPERM);
    QVERIFY(notAllowed.error().hint.find("root") != std::string::npos);

    const auto none = runControlProcess({.operation = Operation::Stop, .id = DeviceId(77)},
                                        std::chrono::seconds(10));
    QVERIFY(!none);
    QCOMPARE(none.error().code, ENODEV);
    QCOMPARE(none.error().object, std::string("ublkb77"));

    control = tl::make_unexpected(Error{});
    QCOMPARE(run({"rmmod", "ublk_drv"}), QByteArray());
    const auto missing =
        runControlProcess({.operation = Operation::Features}, std::chrono::seconds(10));
    QVERIFY(!missing);
    QCOMPARE(missing.error().code, ENOENT);
    QVERIFY(missing.error().hint.find("modprobe ublk_drv") != std::string::npos);
    QCOMPARE(run({"modprobe", "ublk_drv"}), QByteArray());
}

void TestUblk::showsItsParameters() {
    Device device({.depth = 32,
                   .maxIoBytes = 256 << 10,
                   .logicalBlockBytes = 4096,
                   .physicalBlockBytes = 4096,
                   .sizeBytes = 16 << 20,
                   .readOnly = true,
                   .maxDiscardBytes = 1 << 20,
                   .maxWriteZeroesBytes = 1 << 20,
                   .ownData = 0x1122334455667788});
    QVERIFY(device.made());
    QCOMPARE(device.info().depth, std::uint16_t{32});
    QCOMPARE(device.info().ownData, std::uint64_t{0x1122334455667788});
    QCOMPARE(device.info().flags & kRequiredFlags, kRequiredFlags);
    const auto server = device.server("start");
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    QCOMPARE(device.state(), std::optional(DeviceState::Live));
    QVERIFY(device.command(Operation::Tune));

    QCOMPARE(run({"blockdev", "--getsize64", "--getss", "--getpbsz", "--getro", device.disk()}),
             QByteArray("16777216\n4096\n4096\n1"));
    QCOMPARE(queueAttribute(device, "write_cache"), QByteArray("write back"));
    QCOMPARE(queueAttribute(device, "fua"), QByteArray("1"));
    QCOMPARE(queueAttribute(device, "discard_max_bytes"), QByteArray("1048576"));
    QCOMPARE(queueAttribute(device, "max_hw_sectors_kb"), QByteArray("256"));
    if (late_) {
        QCOMPARE(queueAttribute(device, "nr_requests"), QByteArray("31"));
        QCOMPARE(queueAttribute(device, "io_timeout"), QByteArray("5000"));
    }
    QVERIFY(device.remove());
    QVERIFY(server->waitLine("gone").contains("No such device"));
    QCOMPARE(server->wait(), 0);
}

void TestUblk::keepsBytes() {
    Device device({.maxDiscardBytes = 1 << 20, .maxWriteZeroesBytes = 1 << 20});
    QVERIFY(device.made());
    const auto server = device.server("start");
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    QVERIFY(device.command(Operation::Tune));
    QCOMPARE(run(writeFrom("/dev/shm/random", device, 64)), QByteArray());
    QCOMPARE(run({"cmp", "-n", "4194304", "/dev/shm/random", device.disk()}), QByteArray());
    // Buffered, with a flush at the end; then a hole in the middle.
    QCOMPARE(run({"dd", "if=/dev/shm/random", "of=" + device.disk(), "bs=64k", "seek=64",
                  "conv=fsync", "status=none"}),
             QByteArray());
    QCOMPARE(run({"cmp", "-n", "4194304", "/dev/shm/random", device.bytesFile()}), QByteArray());
    QCOMPARE(run({"blkdiscard", "-o", "1048576", "-l", "65536", device.disk()}), QByteArray());
    QCOMPARE(run({"cmp", "-i", "1048576", "-n", "65536", device.bytesFile(), "/dev/zero"}),
             QByteArray());
    QCOMPARE(run({"blkdiscard", "-z", "-o", "2097152", "-l", "65536", device.disk()}),
             QByteArray());
    QCOMPARE(run({"cmp", "-i", "2097152", "-n", "65536", device.bytesFile(), "/dev/zero"}),
             QByteArray());
    // Once more through the bring-up, on a device that has a server already.
    const auto second = device.server("start");
    QVERIFY(second->waitLine("refused").contains("recover it"));
    QVERIFY(device.remove());
}

void TestUblk::refusesWhatCannotBe() {
    auto control = Control::open();
    QVERIFY(control);
    const DeviceSpec good{.sizeBytes = 1 << 20};
    for (DeviceSpec bad : {DeviceSpec{.sizeBytes = 0}, DeviceSpec{.sizeBytes = 1000},
                           DeviceSpec{.depth = 0, .sizeBytes = 1 << 20},
                           DeviceSpec{.maxIoBytes = 1000, .sizeBytes = 1 << 20},
                           DeviceSpec{.logicalBlockBytes = 8192, .sizeBytes = 1 << 20}}) {
        const auto refused = control->create(bad);
        QVERIFY(!refused);
        QVERIFY(!refused.error().hint.empty());
    }
    const auto first = control->create(good);
    QVERIFY(first);
    DeviceSpec same = good;
    same.id = first->id.value;
    const auto taken = control->create(same);
    QVERIFY(!taken);
    QCOMPARE(taken.error().code, EEXIST);
    QVERIFY(control->removeAsync(first->id));
}

void TestUblk::recoversRequestsInFlight() {
    Device device;
    QVERIFY(device.made());
    auto server = device.server("start", {"--hold"});
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    QVERIFY(device.command(Operation::Tune));
    Program write("dd", writeFrom("/dev/shm/random", device, 16).mid(1));
    QVERIFY(!server->waitLine("held 1").isEmpty());
    QElapsedTimer clock;
    clock.start();
    server->send(SIGKILL);
    QVERIFY(device.waitState(DeviceState::Quiesced));
    qInfo("killed with a write in flight: QUIESCED after %lld ms", clock.elapsed());
    server->kill();

    clock.start();
    server = device.server("recover");
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    qInfo("new process serves after %lld ms", clock.elapsed());
    QCOMPARE(device.state(), std::optional(DeviceState::Live));
    QCOMPARE(write.wait(), 0);
    QCOMPARE(run({"cmp", "-n", "1048576", "/dev/shm/random", device.bytesFile()}), QByteArray());
    QVERIFY(device.remove());
    QCOMPARE(server->wait(), 0);
}

void TestUblk::noticesDeathOfSaturatedServer() {
    Device device({.depth = 16});
    QVERIFY(device.made());
    auto server = device.server("start", {"--hold"});
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    QVERIFY(device.command(Operation::Tune));
    Program load(UBLK_LOAD, {device.disk(), "32"});
    QVERIFY(!server->waitLine(late_ ? "held 15" : "held 16").isEmpty());
    QElapsedTimer clock;
    clock.start();
    server->send(SIGKILL);
    QVERIFY(device.waitState(DeviceState::Quiesced, 40'000));
    const qint64 quiesced = clock.elapsed();
    qInfo("killed with every request in flight: QUIESCED after %lld ms", quiesced);
    QVERIFY(quiesced < 2000);
    server->kill();

    server = device.server("recover");
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    load.send(SIGTERM);
    QVERIFY2(load.wait(60'000) == 0, qPrintable(load.said()));
    QVERIFY(device.remove());
}

void TestUblk::survivesDeathAtEachStep_data() {
    QTest::addColumn<QString>("step");
    QTest::addColumn<bool>("luckOnLateKernels");
    QTest::newRow("before anything") << "looking" << false;
    QTest::newRow("before START_USER_RECOVERY") << "claiming" << false;
    QTest::newRow("before open") << "opening" << false;
    QTest::newRow("mapped, nothing fetched") << "fetching" << true;
    QTest::newRow("all fetched") << "finishing" << false;
    // Not on 6.12, where END_USER_RECOVERY, once sent, kicks waiting requests into a process that
    // is being killed: one try in fifty ends in a kernel oops (io_fallback_tw).
    if (!late_)
        QTest::newRow("END_USER_RECOVERY sent") << "sent" << false;
    QTest::newRow("recovered") << "ended" << false;
}

void TestUblk::survivesDeathAtEachStep() {
    QFETCH(const QString, step);
    QFETCH(const bool, luckOnLateKernels);
    Device device;
    QVERIFY(device.made());
    auto server = device.server("start", {"--hold"});
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    Program write("dd", writeFrom("/dev/shm/random", device, 4).mid(1));
    QVERIFY(!server->waitLine("held 1").isEmpty());
    server->kill();

    // Twice: the second server meets what the first one left.
    for (int round = 0; round < 2; ++round) {
        server = device.server("recover", {"--die-at", step});
        const int ended = server->wait();
        QVERIFY(ended == -1 || server->said().startsWith("not this process"));
    }
    // Where only a lucky process may go on, some may have to try.
    for (int tries = 1; tries <= (late_ && luckOnLateKernels ? 10 : 1); ++tries) {
        server = device.server("recover");
        if (server->waitLine("serving") == "serving") {
            qInfo("serving after %d tries", tries);
            break;
        }
        QVERIFY2(server->said().startsWith("not this process: map"), qPrintable(server->said()));
        server.reset();
    }
    if (!server) {
        QVERIFY(late_ && luckOnLateKernels);
        QVERIFY(device.remove());
        QVERIFY(write.wait() > 0);
        return;
    }
    QCOMPARE(write.wait(), 0);
    QCOMPARE(run({"cmp", "-n", "262144", "/dev/shm/random", device.bytesFile()}), QByteArray());
    QVERIFY(device.remove());
}

void TestUblk::stopsWhileQuiesced() {
    Device device;
    QVERIFY(device.made());
    auto server = device.server("start", {"--hold"});
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    Program write("dd", writeFrom("/dev/shm/random", device, 4).mid(1));
    QVERIFY(!server->waitLine("held 1").isEmpty());
    server->kill();
    QVERIFY(device.waitState(DeviceState::Quiesced));
    QVERIFY(device.command(Operation::Stop));
    QCOMPARE(device.state(), std::optional(DeviceState::Dead));
    // The request that waited is told, and there is nothing to recover any more.
    QVERIFY(write.wait() > 0);
    QVERIFY2(write.said().contains("Input/output error"), qPrintable(write.said()));
    server = device.server("recover");
    QVERIFY(server->waitLine("lost").contains("remove it"));
    QVERIFY(device.remove());
}

void TestUblk::detectsUnpinnableMemory() {
    Device device;
    QVERIFY(device.made());
    const auto server = device.server("start", {"--heap"});
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    QCOMPARE(run(writeFrom("/dev/shm/random", device, 64)), QByteArray());
    QCOMPARE(run({"cmp", "-n", "4194304", "/dev/shm/random", device.disk()}), QByteArray());
    QCOMPARE(run({"cmp", "-n", "4194304", "/dev/shm/random", device.bytesFile()}), QByteArray());
    const bool unpinnable = server->said().contains("unpinnable");
    qInfo("a dma-buf's mapping is %s", unpinnable ? "refused" : "copied into directly");
    QCOMPARE(unpinnable, late_);
    QVERIFY(device.remove());
}

void TestUblk::staysWholeThroughManyDeaths() {
    const int rounds = qEnvironmentVariableIsSet("BELAY_TEST_FULL") ? 500 : 20;
    Device device({.depth = 32});
    QVERIFY(device.made());
    auto server = device.server("start", {"--delay", "3"});
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    QVERIFY(device.command(Operation::Tune));
    Program load(UBLK_LOAD, {device.disk(), "8"});
    qint64 slowest = 0;
    for (int round = 0; round < rounds; ++round) {
        QThread::msleep(20 + round * 37 % 100);
        server->kill();
        QElapsedTimer clock;
        clock.start();
        // No wait for QUIESCED: that is the recovery's to find out.
        server = device.server("recover", {"--delay", round % 2 == 0 ? "0" : "3"});
        QVERIFY2(server->waitLine("serving") == "serving", qPrintable(server->said()));
        slowest = std::max(slowest, clock.elapsed());
    }
    load.send(SIGTERM);
    QVERIFY2(load.wait(60'000) == 0, qPrintable(load.said()));
    qInfo("%d deaths, slowest recovery %lld ms, load: %s", rounds, slowest,
          qPrintable(load.said().trimmed()));
    QVERIFY(device.remove());
}

void TestUblk::abandonsHungCommand() {
    Device device;
    QVERIFY(device.made());
    auto server = device.server("start", {"--hold"});
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    Program write("dd", writeFrom("/dev/shm/random", device, 4).mid(1));
    QVERIFY(!server->waitLine("held 1").isEmpty());
    server->send(SIGSTOP);

    QElapsedTimer clock;
    clock.start();
    const auto hung = device.command(Operation::Stop, std::chrono::milliseconds(500));
    QVERIFY(!hung);
    QCOMPARE(hung.error().code, ETIMEDOUT);
    QVERIFY(clock.elapsed() >= 500 && clock.elapsed() < 2000);
    QCOMPARE(reapAbandoned(), std::size_t{1});
    // GET_DEV_INFO does not wait behind it.
    QCOMPARE(device.state(), std::optional(DeviceState::Live));

    server->kill();
    QVERIFY(waitFor([] { return reapAbandoned() == 0; }));
    QVERIFY(device.remove());
    QVERIFY(write.wait() > 0);
}

void TestUblk::findsHolders() {
    Device device;
    QVERIFY(device.made());
    const auto server = device.server("start");
    QCOMPARE(server->waitLine("serving"), QString("serving"));
    const auto none = holdersOf(device.id());
    QVERIFY(none);
    QCOMPARE(none->size(), std::size_t{0});

    QCOMPARE(run({"mkfs.ext4", "-q", device.disk()}), QByteArray());
    QCOMPARE(run({"mkdir", "/dev/shm/mounted here"}), QByteArray());
    QCOMPARE(run({"mount", device.disk(), "/dev/shm/mounted here"}), QByteArray());
    const QByteArray loop = run({"losetup", "--find", "--show", "--read-only", device.disk()});
    QVERIFY(loop.startsWith("/dev/loop"));
    Program opener("bash", {"-c", "exec sleep 60 <" + device.disk()});
    const std::vector<Holder> expected{
        {Holder::Kind::Mount, "/dev/shm/mounted here"},
        {Holder::Kind::Kernel, loop.mid(5).toStdString()},
        {Holder::Kind::Process, std::to_string(opener.pid()) + " (sleep)"}};
    QVERIFY(waitFor([&] { return holdersOf(device.id()) == expected; }));
    opener.kill();
    // A mount that only another mount namespace has.
    QCOMPARE(run({"mkdir", "/dev/shm/elsewhere"}), QByteArray());
    Program elsewhere("unshare",
                      {"--mount", "--propagation", "private", "bash", "-c",
                       "mount " + device.disk() + " /dev/shm/elsewhere && exec sleep 60"});
    const Holder alone{Holder::Kind::Mount,
                       fmt::format("/dev/shm/elsewhere (only for {} (sleep))", elsewhere.pid())};
    QVERIFY(waitFor([&] { return std::ranges::count(*holdersOf(device.id()), alone) == 1; }));
    elsewhere.kill();
    QCOMPARE(run({"losetup", "--detach", loop}), QByteArray());
    QCOMPARE(run({"umount", "/dev/shm/mounted here"}), QByteArray());
    QVERIFY(waitFor([&] { return holdersOf(device.id())->empty(); }));
    QVERIFY(device.remove());
    const auto gone = holdersOf(DeviceId(77));
    QVERIFY(!gone);
    QCOMPARE(gone.error().code, ENODEV);
}

namespace {

bool setLimit(const QByteArray& text) {
    QFile file("/sys/module/ublk_drv/parameters/ublks_max");
    return file.open(QIODevice::WriteOnly | QIODevice::Unbuffered) && file.write(text) > 0;
}

// ADD_DEV by a user without rights, for whom the driver's limit is on every kernel. What the driver
// answers.
int addUnprivileged(int control) {
    io_uring ring{};
    if (io_uring_queue_init(4, &ring, IORING_SETUP_SQE128) != 0)
        return -1;
    uapi::DeviceInfo info{};
    info.queues = 1;
    info.depth = 4;
    info.maxIoBytes = 1 << 20;
    info.deviceId = uapi::kAnyDevice;
    info.flags = 1 << 5;  // UBLK_F_UNPRIVILEGED_DEV
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring);
    prepareControlCommand(sqe, uapi::kAddDev,
                          {.deviceId = uapi::kAnyDevice,
                           .queueId = uapi::kNoQueue,
                           .length = sizeof info,
                           .address = reinterpret_cast<std::uint64_t>(&info)});
    sqe->fd = control;
    io_uring_cqe* cqe = nullptr;
    const bool answered =
        io_uring_submit_and_wait(&ring, 1) >= 0 && io_uring_wait_cqe(&ring, &cqe) == 0;
    const int result = answered ? cqe->res : -1;
    io_uring_queue_exit(&ring);
    return result;
}

}  // namespace

// At the driver's limit EACCES is not for want of rights. No kernel that can be had here has that
// limit for privileged devices, so for us it is met as a user without rights meets it.
void TestUblk::saysThatTheDriverMakesNoMore() {
    const auto told = [](int result) { return addRefused(result, uapi::kAnyDevice); };
    Device first;
    QVERIFY(first.made());
    QCOMPARE(told(-EACCES).code, EACCES);
    QVERIFY(setLimit("0"));
    const auto control = openControlNode();
    QVERIFY(control);
    QCOMPARE(::seteuid(kServerUser), 0);
    const int result = addUnprivileged(control->get());
    const Error why = told(result);
    QCOMPARE(::seteuid(0), 0);
    QCOMPARE(result, -EACCES);
    QCOMPARE(why.what, std::string("This kernel makes no more ublk devices: there are 1, and its "
                                   "limit is 0"));
    QVERIFY(why.message().find("Permission denied") == std::string::npos);
    // What a control process says of it is not cut off.
    QVERIFY(why.what.size() < 140 && why.hint.size() < 220);
    QCOMPARE(told(-EPERM).code, EPERM);
    // What it says to do is what helps.
    const QString command =
        QString::fromStdString(why.hint).section("limit: ", 1).section(" (", 0, 0);
    QCOMPARE(run({"bash", "-c", command}), QByteArray());
    QCOMPARE(told(-EACCES).code, EACCES);

    // More than the limit, where it is not for us.
    QVERIFY(setLimit("1"));
    Device second;
    Device third;
    QVERIFY(setLimit("64"));
    QVERIFY(second.made() && third.made());
}

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], kControlArgument) == 0)
        return controlMain();
    QCoreApplication application(argc, argv);
    TestUblk test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_ublk.moc"
