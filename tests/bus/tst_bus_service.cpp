#include "core/lifecycle/state.h"
#include "helper/service/bus_service.h"
#include "tests/bus/harness.h"
#include "tests/bus/scripted_fleet.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QtCore/QDir>
#include <QtCore/QElapsedTimer>
#include <QtCore/QRegularExpression>
#include <QtCore/QTemporaryFile>
#include <QtDBus/QDBusPendingReply>
#include <QtDBus/QDBusUnixFileDescriptor>
#include <QtTest/QSignalSpy>
#include <QtTest/QTest>
#include <algorithm>

using namespace belay;
using namespace belay::test;

// Collects a signal of belayd's objects, as a client gets it.
class Collector : public QObject {
    Q_OBJECT

 public:
    Collector(QDBusConnection client, const QString& path, const char* interface,
              const char* signal) {
        client.connect(QLatin1String(bus::kService), QLatin1String(bus::kRootPath) + path,
                       QLatin1String(interface), QLatin1String(signal), this,
                       SLOT(take(QDBusMessage)));
    }
    QList<QVariantList> got;
    // The properties in the n-th PropertiesChanged.
    QVariantMap changed(qsizetype n) const {
        return qdbus_cast<QVariantMap>(got.value(n).value(1));
    }

 private slots:
    void take(const QDBusMessage& message) { got.append(message.arguments()); }
};

// The bus layer over a scripted fleet, called by root, by busctl and by other processes.
class TestBusService : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase();
    void init();
    void cleanup();

    void objectsAreFoundFromATerminal();
    void oneCallGivesEverything();
    void objectsComeAndGoWithSignals();
    void stateIsToldAtOnceWithValues();
    void countersAreToldSlowlyAndOnlyToWatchers();
    void propertiesCannotBeSet();
    void optionsAreChecked();
    void aJobTellsHowItEnded();
    void twoCallersGetOneJob();
    void recoverCanBeCancelledAndStopCannot();
    void errorsHaveNames_data();
    void errorsHaveNames();
    void attachMakesADeviceOrFindsIt();
    void lendTakesOnlyWhatTheCallerOpened();
    void lendTakesABlockSize();
    void policiesAreChecked();
    void rescanAnswersWhenItIsDone();
    void requestsAreListed();
    void eventsAreTold();
    void whatIsAskedForIsAnEvent();
    void nothingHoldsAnIdleService();
    void randomCallsBreakNothing();

 private:
    helper::DeviceView& device() { return fleet_->deviceViews.at("d1"); }
    QVariant jobProperty(const QString& job, const char* name) {
        return get(client_, job.mid(QString(bus::kRootPath).size()), bus::kJobInterface, name);
    }
    // Waits until client_ has got all that the service has sent.
    void settle() { get(client_, {}, bus::kManagerInterface, "Version"); }
    QString start(const char* method, const QVariantMap& options = {});

    QDBusConnection bus_{QString()};
    QDBusConnection client_{QString()};
    std::unique_ptr<ScriptedFleet> fleet_;
    std::unique_ptr<service::BusService> service_;
};

void TestBusService::initTestCase() {
    QVERIFY2(!qEnvironmentVariable("BELAY_BUS_PID").isEmpty(),
             "run this by tests/bus/rig/private-bus");
    bus::registerTypes();
    bus_ = connectAs("service");
    QVERIFY(bus_.registerService(bus::kService));
}

void TestBusService::init() {
    fleet_ = std::make_unique<ScriptedFleet>();
    fill(*fleet_);
    service_ = std::make_unique<service::BusService>(bus_);
    QVERIFY(service_->appear());
    service_->show(*fleet_);
    static int number = 0;
    client_ = connectAs(QStringLiteral("client%1").arg(number++));
    QVERIFY(client_.isConnected());
}

void TestBusService::cleanup() {
    QDBusConnection::disconnectFromBus(client_.name());
    service_.reset();
    fleet_.reset();
}

QString TestBusService::start(const char* method, const QVariantMap& options) {
    const auto reply = call(client_, "/devices/d1", bus::kDeviceInterface, method, {options});
    return reply.arguments().value(0).value<QDBusObjectPath>().path();
}

void TestBusService::objectsAreFoundFromATerminal() {
    const Ran tree = runAs(kDenied, {"busctl", "--system", "--list", "tree", bus::kService});
    QCOMPARE(tree.status, 0);
    const QStringList paths = tree.out.split('\n', Qt::SkipEmptyParts);
    for (const char* path :
         {"/org/belay/Helper1", "/org/belay/Helper1/gadgets/g1", "/org/belay/Helper1/devices/d1"})
        QVERIFY2(paths.contains(path), path);

    const Ran introspected = runAs(kDenied, {"busctl", "--system", "introspect", bus::kService,
                                             "/org/belay/Helper1/devices/d1"});
    QCOMPARE(introspected.status, 0);
    QVERIFY2(introspected.out.contains(QRegularExpression("\\.ListInFlight +method +a\\{sv\\} +"
                                                          "a\\(tstusu\\)")),
             qPrintable(introspected.out));
    QVERIFY(introspected.out.contains(QRegularExpression("\\.State +property +s +\"live\"")));
    // Each interface is described once.
    QCOMPARE(introspected.out.count("org.freedesktop.DBus.Properties "), 1);

    const Ran shares =
        runAs(kDenied, {"busctl", "--system", "get-property", bus::kService,
                        "/org/belay/Helper1/gadgets/g1", bus::kGadgetInterface, "Shares"});
    QCOMPARE(shares.out,
             QString("a(sstubb) 2 \"disk\" \"6ba7b810-9dad-41d1-80b4-00c04fd430c8\" 1048576 512 "
                     "false true \"music\" \"6ba7b811-9dad-41d1-80b4-00c04fd430c8\" 2097152 4096 "
                     "true false\n"));
    const Ran holders = runAs(
        kDenied, {"busctl", "--system", "get-property", bus::kService,
                  "/org/belay/Helper1/devices/d1", bus::kDeviceInterface, "Holders", "VendorId"});
    QVERIFY(
        holders.out.startsWith("a(ss) 2 \"mount\" \"/media/disk\" \"process\" \"1234 (dd)\"\n"));
}

void TestBusService::oneCallGivesEverything() {
    const auto reply =
        call(client_, {}, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", {});
    const auto objects = qdbus_cast<bus::ManagedObjects>(reply.arguments().value(0));
    QCOMPARE(objects.size(), 2);
    const auto gadget = objects.value(QDBusObjectPath("/org/belay/Helper1/gadgets/g1"))
                            .value(bus::kGadgetInterface);
    QCOMPARE(gadget.size(), 13);
    QCOMPARE(gadget.value("Serial").toString(), QString("my-phone"));
    QCOMPARE(gadget.value("VendorId").metaType(), QMetaType::fromType<ushort>());
    const auto device = objects.value(QDBusObjectPath("/org/belay/Helper1/devices/d1"))
                            .value(bus::kDeviceInterface);
    QCOMPARE(device.size(), 28);
    QCOMPARE(device.value("Node").toString(), QString("/dev/ublkb0"));
    QCOMPARE(device.value("FileName").toString(), QString());
    QCOMPARE(device.value("Gadget").value<QDBusObjectPath>().path(),
             QString("/org/belay/Helper1/gadgets/g1"));
    QCOMPARE(qdbus_cast<QList<bus::Holder>>(device.value("Holders")).size(), 2);
}

void TestBusService::objectsComeAndGoWithSignals() {
    Collector added(client_, {}, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
    Collector removed(client_, {}, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
    settle();
    fleet_->deviceViews["d2"] = device();
    fleet_->deviceViews["d2"].state = lifecycle::State::Starting;
    service_->deviceChanged("d2");
    QTRY_COMPARE(added.got.size(), 1);
    QCOMPARE(added.got[0][0].value<QDBusObjectPath>().path(),
             QString("/org/belay/Helper1/devices/d2"));
    const auto interfaces = qdbus_cast<bus::Interfaces>(added.got[0][1]);
    QCOMPARE(interfaces.value(bus::kDeviceInterface).value("State").toString(),
             QString("starting"));

    fleet_->deviceViews.erase("d2");
    service_->deviceGone("d2");
    fleet_->gadgetViews.erase("g1");
    service_->gadgetGone("g1");
    QTRY_COMPARE(removed.got.size(), 2);
    QCOMPARE(removed.got[0][0].value<QDBusObjectPath>().path(),
             QString("/org/belay/Helper1/devices/d2"));
    QCOMPARE(removed.got[1][1].toStringList(), QStringList{bus::kGadgetInterface});
    const auto reply = call(client_, "/devices/d2", bus::kDeviceInterface, "Stop", {QVariantMap()});
    QCOMPARE(reply.errorName(), QString("org.freedesktop.DBus.Error.UnknownObject"));
    // The fleet may speak of what is gone already.
    service_->deviceChanged("d2");
    QCOMPARE(service_->attachedDevice("g1", device().exportUuid), std::optional<std::string>("d1"));
}

void TestBusService::stateIsToldAtOnceWithValues() {
    Collector changes(client_, "/devices/d1", "org.freedesktop.DBus.Properties",
                      "PropertiesChanged");
    settle();
    device().state = lifecycle::State::Waiting;
    device().problems.add(lifecycle::Problem::DifferentDisk);
    service_->deviceChanged("d1");
    service_->deviceChanged("d1");
    QTRY_COMPARE(changes.got.size(), 1);
    QCOMPARE(changes.got[0][0].toString(), QString(bus::kDeviceInterface));
    QCOMPARE(changes.changed(0),
             (QVariantMap{{"State", "waiting"}, {"Problems", QStringList{"different-disk"}}}));
    settle();
    QCOMPARE(changes.got.size(), 1);
}

void TestBusService::countersAreToldSlowlyAndOnlyToWatchers() {
    Collector changes(client_, "/devices/d1", "org.freedesktop.DBus.Properties",
                      "PropertiesChanged");
    settle();
    const auto count = [this] {
        device().counters.readBytes += 512;
        service_->deviceCountersChanged("d1");
    };
    QVERIFY(!fleet_->watched);
    count();
    settle();
    QCOMPARE(changes.got.size(), 0);

    call(client_, {}, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", {});
    QVERIFY(fleet_->watched);
    settle();
    changes.got.clear();
    QElapsedTimer timer;
    timer.start();
    while (changes.got.size() < 4 && timer.elapsed() < kPatienceMs) {
        count();
        spin(20);
    }
    // At once, and then every half second.
    QVERIFY(changes.got.size() >= 4);
    QVERIFY2(timer.elapsed() >= 1400, qPrintable(QString::number(timer.elapsed())));
    QTRY_COMPARE(changes.changed(changes.got.size() - 1).value("ReadBytes").toULongLong(),
                 device().counters.readBytes);

    // A client that leaves watches no more; one that only reads a property never did.
    const Ran ran =
        runAs(kDenied, {"busctl", "--system", "get-property", bus::kService,
                        "/org/belay/Helper1/devices/d1", bus::kDeviceInterface, "ReadBytes"});
    QCOMPARE(ran.out, QString("t %1\n").arg(device().counters.readBytes));
    QDBusConnection::disconnectFromBus(client_.name());
    client_ = QDBusConnection(QString());
    QTRY_VERIFY(!fleet_->watched);
    QCOMPARE(runAs(kDenied, {"busctl", "--system", "introspect", bus::kService,
                             "/org/belay/Helper1/devices/d1"})
                 .status,
             0);
    QTRY_VERIFY(!fleet_->watched);
}

void TestBusService::propertiesCannotBeSet() {
    const Ran ran = runAs(kRoot, {"busctl", "--system", "set-property", bus::kService,
                                  "/org/belay/Helper1/devices/d1", bus::kDeviceInterface, "Policy",
                                  "s", "fail-fast"});
    QCOMPARE(ran.status, 1);
    QVERIFY2(ran.err.contains("can only be changed by a method"), qPrintable(ran.err));
}

void TestBusService::optionsAreChecked() {
    auto reply =
        call(client_, "/devices/d1", bus::kDeviceInterface, "Stop", {QVariantMap{{"froce", true}}});
    QCOMPARE(reply.errorName(), QString("org.belay.Error.InvalidArgument"));
    QVERIFY(reply.errorMessage().contains("froce"));
    reply = call(client_, "/devices/d1", bus::kDeviceInterface, "Stop",
                 {QVariantMap{{"force", "yes"}}});
    QCOMPARE(reply.errorName(), QString("org.belay.Error.InvalidArgument"));
    QVERIFY(fleet_->stops.empty());
}

void TestBusService::aJobTellsHowItEnded() {
    const QString job = start("Stop", {{"force", true}});
    QCOMPARE(job, QString("/org/belay/Helper1/jobs/1"));
    QCOMPARE(jobProperty(job, "Operation").toString(), QString("force-stop"));
    QCOMPARE(jobProperty(job, "State").toString(), QString("running"));
    QCOMPARE(jobProperty(job, "StartedByUid").toUInt(), ::geteuid());
    QCOMPARE(fleet_->stops.size(), std::size_t(1));
    QVERIFY(fleet_->stops[0].flag);
    device().state = lifecycle::State::Stopping;
    service_->deviceChanged("d1");
    QCOMPARE(jobProperty(job, "Phase").toString(), QString("stopping"));
    fleet_->stops[0].done({});
    QCOMPARE(jobProperty(job, "State").toString(), QString("succeeded"));

    const QString failing = start("Stop");
    QElapsedTimer timer;
    timer.start();
    fleet_->stops[1].done(errorFrom(EBUSY, "stop", "ublkb0", "It is mounted on /mnt/x. Close it"));
    QCOMPARE(jobProperty(failing, "State").toString(), QString("failed"));
    QCOMPARE(jobProperty(failing, "Error").toString(), QString("org.belay.Error.Busy"));
    QVERIFY(jobProperty(failing, "ErrorMessage").toString().contains("mounted on /mnt/x"));
    // They stay long enough to be read, and not for ever.
    QTRY_VERIFY(!jobProperty(failing, "State").isValid());
    QVERIFY2(timer.elapsed() >= 9000, qPrintable(QString::number(timer.elapsed())));
}

void TestBusService::twoCallersGetOneJob() {
    const QString first = start("Stop");
    const Ran second =
        callAs(kAllowed, "/devices/d1", bus::kDeviceInterface, "Stop", {"a{sv}", "0"});
    QCOMPARE(pathIn(second), first);
    QCOMPARE(fleet_->stops.size(), std::size_t(1));
    // To force is something else.
    QVERIFY(start("Stop", {{"force", true}}) != first);
    QCOMPARE(fleet_->stops.size(), std::size_t(2));
}

void TestBusService::recoverCanBeCancelledAndStopCannot() {
    const QString stop = start("Stop").mid(QString(bus::kRootPath).size());
    QCOMPARE(call(client_, stop, bus::kJobInterface, "Cancel", {QVariantMap()}).errorName(),
             QString("org.belay.Error.InvalidArgument"));

    const Ran started =
        callAs(kAllowed, "/devices/d1", bus::kDeviceInterface, "Recover", {"a{sv}", "0"});
    const QString job = pathIn(started).mid(QString(bus::kRootPath).size());
    QVERIFY2(!job.isEmpty(), qPrintable(started.err));
    const Ran denied = callAs(kDenied, job, bus::kJobInterface, "Cancel", {"a{sv}", "0"});
    QVERIFY2(denied.err.contains("policy does not allow"), qPrintable(denied.err));
    const Ran cancelled = callAs(kAllowed, job, bus::kJobInterface, "Cancel", {"a{sv}", "0"});
    QCOMPARE(cancelled.status, 0);
    QCOMPARE(get(client_, job, bus::kJobInterface, "State").toString(), QString("cancelled"));
    // What the fleet says later changes nothing.
    fleet_->recovers.at(0).done({});
    QCOMPARE(get(client_, job, bus::kJobInterface, "State").toString(), QString("cancelled"));
}

void TestBusService::errorsHaveNames_data() {
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("name");
    QTest::newRow("gone") << ENOENT << "NotFound";
    QTest::newRow("busy") << EBUSY << "Busy";
    QTest::newRow("late") << ETIMEDOUT << "TimedOut";
    QTest::newRow("bad") << EINVAL << "InvalidArgument";
    QTest::newRow("away") << ENOTCONN << "LinkDown";
    QTest::newRow("unsaved") << EPERM << "UnsavedData";
    QTest::newRow("done") << EEXIST << "Exists";
    QTest::newRow("kernel") << EIO << "Kernel";
    QTest::newRow("none") << 0 << "Failed";
}

void TestBusService::errorsHaveNames() {
    QFETCH(int, code);
    QFETCH(QString, name);
    fleet_->answer = tl::make_unexpected(Error{"do it", "that", code, "Do something else"});
    const auto reply = call(client_, "/devices/d1", bus::kDeviceInterface, "SetPolicy",
                            {QString("fail-fast"), 0u, QVariantMap()});
    QCOMPARE(reply.errorName(), "org.belay.Error." + name);
    QVERIFY(reply.errorMessage().contains("Do something else"));
}

void TestBusService::attachMakesADeviceOrFindsIt() {
    const auto attach = [this](const QString& share) {
        return call(client_, "/gadgets/g1", bus::kGadgetInterface, "Attach",
                    {share, QVariantMap()});
    };
    QCOMPARE(attach("disk").arguments().value(0).value<QDBusObjectPath>().path(),
             QString("/org/belay/Helper1/devices/d1"));
    QCOMPARE(attach("nothing").errorName(), QString("org.belay.Error.NotFound"));
    QVERIFY(fleet_->attaches.empty());

    QProcess busctl;
    const auto command = commandAs(
        kAllowed, {"busctl", "--system", "call", bus::kService, "/org/belay/Helper1/gadgets/g1",
                   bus::kGadgetInterface, "Attach", "sa{sv}", "music", "0"});
    busctl.start(command.first(), command.mid(1));
    QTRY_COMPARE(fleet_->attaches.size(), std::size_t(1));
    QCOMPARE(fleet_->attaches[0].share, std::string("6ba7b811-9dad-41d1-80b4-00c04fd430c8"));
    fleet_->deviceViews["d2"] = device();
    fleet_->attaches[0].done(std::string("d2"));
    QTRY_COMPARE(busctl.state(), QProcess::NotRunning);
    QCOMPARE(busctl.readAllStandardOutput(), QByteArray("o \"/org/belay/Helper1/devices/d2\"\n"));
    QCOMPARE(get(client_, "/devices/d2", bus::kDeviceInterface, "State").toString(),
             QString("live"));

    // Another session is open, or none: what counts is whether the shares are known.
    fleet_->gadgetViews["g1"].sharesKnown = false;
    fleet_->gadgetViews["g1"].shares.clear();
    QCOMPARE(attach("music").errorName(), QString("org.belay.Error.LinkDown"));
}

void TestBusService::lendTakesOnlyWhatTheCallerOpened() {
    QTemporaryFile file;
    QVERIFY(file.open());
    const QByteArray path = file.fileName().toLocal8Bit();
    const auto lend = [&](int fd, const QVariantMap& options) {
        QDBusUnixFileDescriptor descriptor;
        descriptor.giveFileDescriptor(fd);
        return call(client_, "/gadgets/g1", bus::kGadgetInterface, "Lend",
                    {QVariant::fromValue(descriptor), options})
            .errorName();
    };
    QCOMPARE(lend(::open(path.constData(), O_RDONLY), {}), QString());
    QCOMPARE(lend(::open(path.constData(), O_RDWR), {{"label", "tools"}}), QString());
    QCOMPARE(lend(::open(path.constData(), O_RDWR), {{"read-only", true}}), QString());
    QCOMPARE(fleet_->lent.size(), std::size_t(3));
    QVERIFY(fleet_->lent[0].terms.readOnly);
    QCOMPARE(fleet_->lent[0].name, path.toStdString());
    QVERIFY(!fleet_->lent[1].terms.readOnly);
    QCOMPARE(fleet_->lent[1].terms.label, std::string("tools"));
    QVERIFY(fleet_->lent[2].terms.readOnly);
    struct stat ours {};
    struct stat theirs {};
    QCOMPARE(::fstat(fleet_->lent[1].file.get(), &theirs), 0);
    QCOMPARE(::fstat(file.handle(), &ours), 0);
    QCOMPARE(theirs.st_ino, ours.st_ino);

    const QString invalid("org.belay.Error.InvalidArgument");
    QCOMPARE(lend(::open(path.constData(), O_WRONLY), {}), invalid);
    QCOMPARE(lend(::open(path.constData(), O_RDWR | O_APPEND), {}), invalid);
    QCOMPARE(lend(::open(path.constData(), O_PATH), {}), invalid);
    QCOMPARE(lend(::open("/tmp", O_RDONLY), {}), invalid);
    QCOMPARE(lend(::open("/dev/null", O_RDWR), {}), invalid);
    QCOMPARE(call(client_, "/gadgets/g1", bus::kGadgetInterface, "LendPath",
                  {QString("disk.img"), QVariantMap()})
                 .errorName(),
             invalid);
    QCOMPARE(fleet_->lent.size(), std::size_t(3));
}

void TestBusService::lendTakesABlockSize() {
    QTemporaryFile file;
    QVERIFY(file.open());
    const auto lend = [&](const QVariantMap& options) {
        QDBusUnixFileDescriptor descriptor;
        descriptor.giveFileDescriptor(::open(file.fileName().toLocal8Bit(), O_RDWR));
        return call(client_, "/gadgets/g1", bus::kGadgetInterface, "Lend",
                    {QVariant::fromValue(descriptor), options});
    };
    const auto lendPath = [&](const QVariantMap& options) {
        return call(client_, "/gadgets/g1", bus::kGadgetInterface, "LendPath",
                    {QString("/srv/disk.img"), options});
    };
    for (const auto& way : {std::function(lend), std::function(lendPath)}) {
        fleet_->lent.clear();
        QCOMPARE(way({}).errorName(), QString());
        for (const uint size : {512U, 1024U, 2048U, 4096U})
            QCOMPARE(way({{"block-size", size}}).errorName(), QString());
        QCOMPARE(fleet_->lent.size(), std::size_t(5));
        QCOMPARE(fleet_->lent[0].terms.blockSize, 0U);
        QCOMPARE(fleet_->lent[1].terms.blockSize, 512U);
        QCOMPARE(fleet_->lent[4].terms.blockSize, 4096U);

        for (const uint size : {0U, 1U, 256U, 1000U, 8192U, ~0U}) {
            const QDBusMessage refused = way({{"block-size", size}});
            QCOMPARE(refused.errorName(), QString("org.belay.Error.InvalidArgument"));
            QCOMPARE(refused.errorMessage(),
                     QString("The block size can be 512, 1024, 2048 or 4096, and not %1; without "
                             "the option \"block-size\" it is chosen")
                         .arg(size));
        }
        for (const QVariant& other : {QVariant(4096), QVariant("4096"), QVariant(true)}) {
            const QDBusMessage refused = way({{"block-size", other}});
            QCOMPARE(refused.errorName(), QString("org.belay.Error.InvalidArgument"));
            QCOMPARE(refused.errorMessage(),
                     QString("The option \"block-size\" wants a number (u)"));
        }
        QCOMPARE(fleet_->lent.size(), std::size_t(5));
    }
}

void TestBusService::policiesAreChecked() {
    const auto set = [this](const char* policy, uint seconds) {
        return call(client_, "/devices/d1", bus::kDeviceInterface, "SetPolicy",
                    {QString(policy), seconds, QVariantMap()})
            .errorName();
    };
    const QString invalid("org.belay.Error.InvalidArgument");
    QCOMPARE(set("forever", 0), invalid);
    QCOMPARE(set("wait-limited", 0), invalid);
    QCOMPARE(set("wait-limited", 31'536'001), invalid);
    QCOMPARE(set("wait", 5), invalid);
    QCOMPARE(set("wait-limited", 90), QString());
    QCOMPARE(device().policy.kind, lifecycle::PolicyKind::WaitLimited);
    QVERIFY(device().policy.limit == std::chrono::seconds(90));
    service_->deviceChanged("d1");
    QCOMPARE(get(client_, "/devices/d1", bus::kDeviceInterface, "PolicySeconds").toUInt(), 90u);
    // What is so already needs nobody's leave.
    QCOMPARE(callAs(kDenied, "/devices/d1", bus::kDeviceInterface, "SetPolicy",
                    {"sua{sv}", "wait-limited", "90", "0"})
                 .status,
             0);
}

void TestBusService::rescanAnswersWhenItIsDone() {
    const auto rescan = [this] {
        auto message =
            QDBusMessage::createMethodCall(bus::kService, QString(bus::kRootPath) + "/devices/d1",
                                           bus::kDeviceInterface, "Rescan");
        message.setArguments({QVariantMap()});
        return client_.asyncCall(message);
    };
    QDBusPendingReply<> first = rescan();
    QDBusPendingReply<> second = rescan();
    QTRY_COMPARE(fleet_->rescans.size(), std::size_t(2));
    QVERIFY(!first.isFinished());
    fleet_->rescans[0].done({});
    fleet_->rescans[1].done(errorFrom(EBUSY, "follow", "ublkb0", "ublkb0p1 is in use"));
    QTRY_VERIFY(first.isFinished() && second.isFinished());
    QVERIFY(first.isValid());
    QCOMPARE(second.error().name(), QString("org.belay.Error.Busy"));
    QVERIFY(second.error().message().contains("ublkb0p1 is in use"));
}

void TestBusService::requestsAreListed() {
    const Ran ran =
        callAs(kDenied, "/devices/d1", bus::kDeviceInterface, "ListInFlight", {"a{sv}", "0"});
    QCOMPARE(ran.out, QString("a(tstusu) 2 7 \"write\" 4096 512 \"sent\" 12 "
                              "8 \"flush\" 0 0 \"parked\" 3\n"));
}

void TestBusService::eventsAreTold() {
    Collector events(client_, {}, bus::kManagerInterface, "Event");
    settle();
    for (std::uint64_t time = 1; time <= 1005; ++time)
        service_->happened({.atUs = time,
                            .what = events::StateChanged{"live", "waiting", ""},
                            .subject = time % 2 == 0 ? "d1" : "g1",
                            .subjectIsDevice = time % 2 == 0});
    QTRY_COMPARE(events.got.size(), 1005);
    QCOMPARE(events.got[1][2].value<QDBusObjectPath>().path(),
             QString("/org/belay/Helper1/devices/d1"));
    QCOMPARE(events.got[2][2].value<QDBusObjectPath>().path(),
             QString("/org/belay/Helper1/gadgets/g1"));

    const auto list = [this](qulonglong since, uint max) {
        const auto reply =
            call(client_, {}, bus::kManagerInterface, "ListEvents", {since, max, QVariantMap()});
        return qdbus_cast<QList<bus::Event>>(reply.arguments().value(0));
    };
    QCOMPARE(list(0, 0).size(), 1000);
    QCOMPARE(list(0, 0).first().time, 6ull);
    const auto newest = list(1000, 3);
    QCOMPARE(newest.size(), 3);
    QCOMPARE(newest.first().time, 1003ull);
    QCOMPARE(newest.first().kind, QString("state"));
    QCOMPARE(newest.first().text, QString("State waiting (was live)"));
    const auto what = bus::whatOf(newest.first());
    QVERIFY(what == events::Any(events::StateChanged{"live", "waiting", ""}));
    QCOMPARE(newest.first().details.size(), 2);
    QCOMPARE(list(1005, 0).size(), 0);
}

void TestBusService::whatIsAskedForIsAnEvent() {
    const std::string user = std::to_string(::getpwnam(kAllowed)->pw_uid);
    const std::string share = fleet_->gadgetViews["g1"].shares[1].label;
    fleet_->instant = true;
    const auto ask = [](const char* path, const char* interface, const char* method,
                        const QStringList& arguments) {
        QCOMPARE(callAs(kAllowed, path, interface, method, arguments).status, 0);
    };
    const auto& gadget = bus::kGadgetInterface;
    const auto& device = bus::kDeviceInterface;
    ask("/gadgets/g1", gadget, "Attach", {"sa{sv}", QString::fromStdString(share), "0"});
    ask("/gadgets/g1", gadget, "LendPath",
        {"sa{sv}", "/srv/x", "2", "read-only", "b", "true", "block-size", "u", "4096"});
    ask("/gadgets/g1", gadget, "SetAuto", {"ba{sv}", "true", "0"});
    ask("/gadgets/g1", gadget, "SetAuto", {"ba{sv}", "false", "0"});
    ask("/gadgets/g1", gadget, "Forget", {"a{sv}", "0"});
    ask("/devices/d1", device, "SetPolicy", {"sua{sv}", "wait-limited", "77", "0"});
    ask("/devices/d1", device, "SetPolicy", {"sua{sv}", "fail-fast", "0", "0"});
    ask("/devices/d1", device, "Recover", {"a{sv}", "0"});
    ask("/devices/d1", device, "Recover", {"a{sv}", "1", "accept-loss", "b", "true"});
    ask("/devices/d1", device, "Rescan", {"a{sv}", "0"});
    ask("/devices/d1", device, "Stop", {"a{sv}", "0"});
    ask("/devices/d1", device, "Stop", {"a{sv}", "1", "force", "b", "true"});

    std::vector<events::Asked> told;
    for (const bus::Event& event : service_->events().list(0, 0)) {
        const auto what = bus::whatOf(event);
        QVERIFY(what.has_value());
        if (const auto* const asked = std::get_if<events::Asked>(&*what)) {
            QCOMPARE(event.subject.path().contains("/devices/"), told.size() >= 5);
            told.push_back(*asked);
        }
    }
    const std::vector<events::Asked> expected{
        {.action = "attach", .user = user, .share = share},
        {.action = "lend", .user = user, .file = "/srv/x", .readOnly = "true", .blockSize = "4096"},
        {.action = "auto-attach-on", .user = user},
        {.action = "auto-attach-off", .user = user},
        {.action = "forget", .user = user},
        {.action = "set-policy", .user = user, .policy = "wait-limited", .seconds = "77"},
        {.action = "set-policy", .user = user, .policy = "fail-fast"},
        {.action = "recover", .user = user},
        {.action = "accept-loss", .user = user},
        {.action = "rescan", .user = user},
        {.action = "stop", .user = user},
        {.action = "force-stop", .user = user}};
    QCOMPARE(told.size(), expected.size());
    for (std::size_t i = 0; i < told.size(); ++i)
        QVERIFY2(told[i] == expected[i], expected[i].action.c_str());
    for (const auto action : events::Asked::kActions)
        QVERIFY2(std::any_of(told.begin(), told.end(),
                             [&](const events::Asked& each) { return each.action == action; }),
                 action.data());
}

void TestBusService::nothingHoldsAnIdleService() {
    QVERIFY(!service_->idle());
    fleet_->deviceViews.clear();
    service_->deviceGone("d1");
    QVERIFY(!service_->idle());
    // A gadget that is away is only remembered.
    fleet_->gadgetViews["g1"].present = false;
    service_->gadgetChanged("g1");
    QVERIFY(service_->idle());
    service_->watchedBy(client_.baseService());
    QVERIFY(!service_->idle());
}

void TestBusService::randomCallsBreakNothing() {
    fleet_->instant = true;
    const auto open = [] {
        return QDir("/proc/self/fd").entryList(QDir::System | QDir::Files).size();
    };
    QCOMPARE(runAs(kRoot, {BELAY_RANDOM_CALLS, "1", "50"}).status, 0);
    fleet_->lent.clear();
    const auto before = open();
    std::vector<std::unique_ptr<QProcess>> clients;
    for (const char* user : {kRoot, kAllowed, kDenied, kAsked}) {
        const auto command =
            commandAs(user, {BELAY_RANDOM_CALLS, QString::number(clients.size() + 2), "500"});
        auto& client = clients.emplace_back(std::make_unique<QProcess>());
        client->start(command.first(), command.mid(1));
    }
    for (const auto& client : clients) {
        QTRY_COMPARE_WITH_TIMEOUT(client->state(), QProcess::NotRunning, 60'000);
        QVERIFY2(client->exitCode() == 0, client->readAllStandardError().constData());
        qInfo("%s", client->readAllStandardOutput().trimmed().constData());
    }
    // All were let in somewhere, and what was lent is all that is left open.
    QVERIFY(!fleet_->lent.empty());
    fleet_->lent.clear();
    clients.clear();
    // Some of the first client's may have been open still.
    QTRY_VERIFY(open() <= before);
    QTRY_COMPARE(service_->authority().pending(), std::size_t(0));
    QTRY_VERIFY(!fleet_->watched);
    QCOMPARE(get(client_, "/devices/d1", bus::kDeviceInterface, "State").toString(),
             QString("live"));
}

QTEST_GUILESS_MAIN(TestBusService)
#include "tst_bus_service.moc"
