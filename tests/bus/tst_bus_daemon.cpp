#include "core/base/fd.h"
#include "core/lifecycle/state.h"
#include "tests/bus/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QtCore/QDir>
#include <QtCore/QElapsedTimer>
#include <QtCore/QTemporaryDir>
#include <QtDBus/QDBusConnectionInterface>
#include <QtDBus/QDBusReply>
#include <QtDBus/QDBusUnixFileDescriptor>
#include <QtTest/QTest>

using namespace belay;
using namespace belay::test;

// The real belayd on a real bus, on whatever kernel this is.
class TestBusDaemon : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase();
    void cleanup();

    void whatIsMissingIsNamed();
    void theBusStartsIt();
    void onlyOneAtATime();
    void endsWhenTold();
    void endsWhenIdle();
    void staysWhileSomebodyWatches();
    void systemdHearsOfIt();
    void hearsOfTheShutdown();
    void holdsUpTheSleep();
    void randomCallsBreakNothing();
    void withoutABusItEnds();

 private:
    void launchDaemon(const QStringList& arguments, const QStringList& environment);
    // The same, and waits until it is on the bus.
    void startDaemon(const QStringList& arguments = {}, const QStringList& environment = {});
    QVariant property(const char* name) { return get(client_, {}, bus::kManagerInterface, name); }
    pid_t pid() const {
        // kill(2) takes 0 for this whole process group.
        if (daemon_.processId() == 0)
            qFatal("belayd does not run");
        return static_cast<pid_t>(daemon_.processId());
    }
    bool onTheBus() {
        return runAs(kRoot, {"busctl", "--system", "--auto-start=no", "status", bus::kService})
                   .status == 0;
    }

    QDBusConnection client_{QString()};
    QProcess daemon_;
};

void TestBusDaemon::initTestCase() {
    for (const char* name : {"BELAY_BUS_PID", "BELAYD", "BELAY_HOSTD"})
        QVERIFY2(!qEnvironmentVariable(name).isEmpty(), "run this by ctest -R bus.daemon");
    bus::registerTypes();
    client_ = connectAs("client");
    daemon_.setProcessChannelMode(QProcess::MergedChannels);
}

void TestBusDaemon::launchDaemon(const QStringList& arguments, const QStringList& environment) {
    daemon_.setEnvironment(QProcess::systemEnvironment() + environment);
    daemon_.start(qEnvironmentVariable("BELAYD"),
                  QStringList{"--state-dir", "/run/belay-test/state", "--hostd",
                              qEnvironmentVariable("BELAY_HOSTD")} +
                      arguments);
}

void TestBusDaemon::startDaemon(const QStringList& arguments, const QStringList& environment) {
    launchDaemon(arguments, environment);
    QTRY_VERIFY(onTheBus());
}

void TestBusDaemon::cleanup() {
    if (QTest::currentTestFailed())
        qInfo("%s", daemon_.readAll().constData());
    daemon_.terminate();
    daemon_.waitForFinished();
    // One that the bus has started.
    const QDBusReply<uint> pid = client_.interface()->servicePid(bus::kService);
    if (pid.isValid())
        ::kill(static_cast<pid_t>(pid.value()), SIGTERM);
    QTRY_VERIFY(!onTheBus());
}

void TestBusDaemon::whatIsMissingIsNamed() {
    startDaemon();
    const bool driver = ::access("/dev/ublk-control", R_OK | W_OK) == 0;
    QTRY_COMPARE(property("Ready").toBool(), driver);
    if (!driver) {
        QCOMPARE(property("Problems").toStringList(), QStringList{"no-ublk"});
        QVERIFY(property("Explanation").toString().contains("modprobe ublk_drv"));
    }
    QCOMPARE(property("Version").toString(), QString(BELAY_VERSION));
    // It looks again every three seconds, and stays.
    spin(3500);
    QCOMPARE(property("Ready").toBool(), driver);
    QCOMPARE(daemon_.state(), QProcess::Running);
}

void TestBusDaemon::theBusStartsIt() {
    QVERIFY(!onTheBus());
    const Ran ran =
        callAs(kDenied, {}, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", {});
    QVERIFY2(ran.out.startsWith("a{oa{sa{sv}}} "), qPrintable(ran.err));
    QVERIFY(onTheBus());
}

void TestBusDaemon::onlyOneAtATime() {
    startDaemon();
    const Ran second =
        runAs(kRoot, {qEnvironmentVariable("BELAYD"), "--run-dir", "/run/belay-test/other",
                      "--state-dir", "/run/belay-test/state"});
    QCOMPARE(second.status, 1);
    QVERIFY2(second.err.contains("another belayd"), qPrintable(second.err));
    // Nobody but root can take its place.
    daemon_.terminate();
    QVERIFY(daemon_.waitForFinished());
    const Ran other = runAs(kAllowed, {qEnvironmentVariable("BELAYD"), "--run-dir",
                                       "/tmp/belay-no-such-dir", "--state-dir", "/tmp"});
    QCOMPARE(other.status, 1);
}

void TestBusDaemon::endsWhenTold() {
    for (const int number : {SIGTERM, SIGINT}) {
        startDaemon();
        QCOMPARE(::kill(pid(), number), 0);
        QVERIFY(daemon_.waitForFinished());
        QCOMPARE(daemon_.exitStatus(), QProcess::NormalExit);
        QCOMPARE(daemon_.exitCode(), 0);
    }
}

void TestBusDaemon::endsWhenIdle() {
    QElapsedTimer timer;
    timer.start();
    // It may be gone before a busy machine looks whether it is there.
    launchDaemon({"--idle-exit", "1"}, {});
    QTRY_COMPARE(daemon_.state(), QProcess::NotRunning);
    QCOMPARE(daemon_.exitStatus(), QProcess::NormalExit);
    QCOMPARE(daemon_.exitCode(), 0);
    QVERIFY(timer.elapsed() >= 900);
}

void TestBusDaemon::staysWhileSomebodyWatches() {
    // Long enough that somebody watches before it is over.
    startDaemon({"--idle-exit", "4"});
    call(connectAs("watcher"), {}, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", {});
    spin(5000);
    QCOMPARE(daemon_.state(), QProcess::Running);
    QDBusConnection::disconnectFromBus("watcher");
    QTRY_COMPARE(daemon_.state(), QProcess::NotRunning);
}

void TestBusDaemon::systemdHearsOfIt() {
    QTemporaryDir dir;
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const QString path = dir.filePath("notify");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ::strncpy(address.sun_path, path.toLocal8Bit().constData(), sizeof address.sun_path - 1);
    QCOMPARE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    QByteArray heard;
    const auto listen = [&] {
        char text[256];
        for (ssize_t got; (got = ::recv(socket, text, sizeof text, 0)) > 0;)
            heard += QByteArray(text, got) + '\n';
        return heard;
    };
    startDaemon({}, {"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=300000"});
    QTRY_VERIFY(listen().startsWith("READY=1\n"));
    QTRY_VERIFY(listen().count("WATCHDOG=1\n") >= 3);
    // Not while its event loop does not turn.
    QCOMPARE(::kill(pid(), SIGSTOP), 0);
    siginfo_t stopped{};
    QCOMPARE(::waitid(P_PID, id_t(pid()), &stopped, WSTOPPED | WNOWAIT), 0);
    listen();
    heard.clear();
    spin(500);
    QCOMPARE(listen(), QByteArray());
    QCOMPARE(::kill(pid(), SIGCONT), 0);
    daemon_.terminate();
    QVERIFY(daemon_.waitForFinished());
    QVERIFY(listen().endsWith("STOPPING=1\n"));
    ::close(socket);
}

void TestBusDaemon::hearsOfTheShutdown() {
    auto logind = connectAs("logind");
    QVERIFY(logind.registerService("org.freedesktop.login1"));
    startDaemon();
    const auto announce = [](QDBusConnection& from, bool begins) {
        auto signal = QDBusMessage::createSignal(
            "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForShutdown");
        signal << begins;
        QVERIFY(from.send(signal));
    };
    // Anybody can send the signal; only logind means it.
    announce(client_, true);
    // When belayd answers what was sent later, it has had the signal.
    QVERIFY(property("Version").isValid());
    announce(logind, true);
    announce(logind, false);
    QByteArray said;
    QTRY_VERIFY((said += daemon_.readAll()).contains("does not shut down after all"));
    QCOMPARE(said.count("the system shuts down"), 1);
    QDBusConnection::disconnectFromBus("logind");
}

namespace {

// What belayd asks logind for.
class Inhibitor : public QObject {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.login1.Manager")

 public:
    int locks = 0;
    QStringList asked;
    bool held() const {
        char byte = 0;
        return ::read(reading_.get(), &byte, 1) != 0;  // else the last writer is gone
    }

 public slots:
    QDBusUnixFileDescriptor Inhibit(const QString& what, const QString& who, const QString& why,
                                    const QString& mode) {
        asked = QStringList{what, who, why, mode};
        int ends[2] = {-1, -1};
        if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
            qFatal("no pipe");
        reading_ = Fd(ends[0]);
        const Fd writing(ends[1]);
        ++locks;
        return QDBusUnixFileDescriptor(writing.get());
    }

 private:
    Fd reading_;
};

}  // namespace

void TestBusDaemon::holdsUpTheSleep() {
    auto logind = connectAs("logind");
    Inhibitor inhibitor;
    QVERIFY(logind.registerObject("/org/freedesktop/login1", &inhibitor,
                                  QDBusConnection::ExportAllSlots));
    QVERIFY(logind.registerService("org.freedesktop.login1"));
    startDaemon();
    const auto announce = [&](bool begins) {
        auto signal = QDBusMessage::createSignal(
            "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep");
        signal << begins;
        QVERIFY(logind.send(signal));
    };
    QTRY_COMPARE(inhibitor.locks, 1);
    QCOMPARE(inhibitor.asked.first(), QString("sleep"));
    QCOMPARE(inhibitor.asked.last(), QString("delay"));
    QVERIFY(property("Version").isValid());
    QVERIFY(inhibitor.held());
    announce(true);
    // Nothing waits here.
    QTRY_VERIFY(!inhibitor.held());
    QCOMPARE(inhibitor.locks, 1);
    announce(false);
    QTRY_COMPARE(inhibitor.locks, 2);
    QVERIFY(property("Version").isValid());
    QVERIFY(inhibitor.held());
    QDBusConnection::disconnectFromBus("logind");
}

void TestBusDaemon::randomCallsBreakNothing() {
    startDaemon();
    const QDir fds(QStringLiteral("/proc/%1/fd").arg(daemon_.processId()));
    const auto open = [&] { return fds.entryList(QDir::System | QDir::Files).size(); };
    // What the first call of each kind opens stays open.
    QCOMPARE(runAs(kRoot, {BELAY_RANDOM_CALLS, "1", "50"}).status, 0);
    const auto before = open();
    QVERIFY(before > 5);
    std::vector<std::unique_ptr<QProcess>> clients;
    for (const char* user : {kRoot, kAllowed, kDenied, kAsked}) {
        const auto command =
            commandAs(user, {BELAY_RANDOM_CALLS, QString::number(clients.size() + 2), "250"});
        auto& client = clients.emplace_back(std::make_unique<QProcess>());
        client->start(command.first(), command.mid(1));
    }
    for (const auto& client : clients) {
        QTRY_COMPARE_WITH_TIMEOUT(client->state(), QProcess::NotRunning, 60'000);
        QVERIFY2(client->exitCode() == 0, client->readAllStandardError().constData());
        qInfo("%s", client->readAllStandardOutput().constData());
    }
    // Some of that client's may have been open still.
    QTRY_VERIFY(open() <= before);
    QCOMPARE(daemon_.state(), QProcess::Running);
    QCOMPARE(call(client_, {}, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", {})
                 .signature(),
             QString("a{oa{sa{sv}}}"));
}

void TestBusDaemon::withoutABusItEnds() {
    startDaemon();
    QCOMPARE(::kill(qEnvironmentVariableIntValue("BELAY_BUS_PID"), SIGKILL), 0);
    QVERIFY(daemon_.waitForFinished());
    QCOMPARE(daemon_.exitCode(), 1);
}

QTEST_GUILESS_MAIN(TestBusDaemon)
#include "tst_bus_daemon.moc"
