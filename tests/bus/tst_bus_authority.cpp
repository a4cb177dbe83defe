#include "core/lifecycle/state.h"
#include "helper/service/bus_service.h"
#include "tests/bus/harness.h"
#include "tests/bus/polkit_agent.h"
#include "tests/bus/scripted_fleet.h"

#include <signal.h>

#include <QtDBus/QDBusError>
#include <QtDBus/QDBusPendingCall>
#include <QtTest/QTest>

using namespace belay;
using namespace belay::test;

// Who may do what, as the real polkitd says with the policy file we ship.
class TestBusAuthority : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase();
    void init();
    void cleanup();

    void allowed();
    void denied_data();
    void denied();
    void withoutAnAgentNobodyIsAsked();
    void theRightPassword();
    void theWrongPassword();
    void theDialogIsClosed();
    void theDialogCanBeForbidden_data();
    void theDialogCanBeForbidden();
    void thePolicyKnowsWhatItIsAbout();
    void theCallerGoesWhileItIsAsked();
    void theDeviceGoesWhileItIsAsked();
    void otherCallersDoNotWait();
    void oneCallerCannotAskForEver();
    void withoutPolkitOnlyRootMay();

 private:
    // busctl's command line for Device1.Stop of d1.
    static QStringList stopCommand(const QStringList& flags = {},
                                   const QStringList& options = {"0"}) {
        return QStringList{"busctl", "--system", "--timeout=60"} + flags +
               QStringList{
                   "call", bus::kService, "/org/belay/Helper1/devices/d1", bus::kDeviceInterface,
                   "Stop", "a{sv}"} +
               options;
    }

    QDBusConnection bus_{QString()};
    std::unique_ptr<ScriptedFleet> fleet_;
    std::unique_ptr<service::BusService> service_;
};

void TestBusAuthority::initTestCase() {
    QVERIFY2(!qEnvironmentVariable("BELAY_BUS_PID").isEmpty(),
             "run this by tests/bus/rig/private-bus");
    bus::registerTypes();
    bus_ = connectAs("service");
    QVERIFY(bus_.registerService(bus::kService));
}

void TestBusAuthority::init() {
    fleet_ = std::make_unique<ScriptedFleet>();
    fill(*fleet_);
    service_ = std::make_unique<service::BusService>(bus_);
    QVERIFY(service_->appear());
    service_->show(*fleet_);
}

void TestBusAuthority::cleanup() {
    QTRY_COMPARE(service_->authority().pending(), std::size_t(0));
    service_.reset();
    fleet_.reset();
}

void TestBusAuthority::allowed() {
    QCOMPARE(pathIn(runAs(kAllowed, stopCommand())), QString("/org/belay/Helper1/jobs/1"));
    QCOMPARE(pathIn(runAs(kRoot, stopCommand({}, {"1", "force", "b", "true"}))),
             QString("/org/belay/Helper1/jobs/2"));
    QCOMPARE(fleet_->stops.size(), std::size_t(2));
}

void TestBusAuthority::denied_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("interface");
    QTest::addColumn<QString>("method");
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("action");
    const auto row = [](const char* path, const char* interface, const char* method,
                        const QStringList& arguments, const char* action) {
        QTest::addRow("%s %s", method, qPrintable(arguments.join(' ')))
            << QString(path) << QString(interface) << QString(method) << arguments
            << QString(action);
    };
    const char* const device = "/devices/d1";
    const char* const gadget = "/gadgets/g1";
    row(device, bus::kDeviceInterface, "Stop", {"a{sv}", "0"}, "org.belay.stop");
    row(device, bus::kDeviceInterface, "Stop", {"a{sv}", "1", "force", "b", "true"},
        "org.belay.force-stop");
    row(device, bus::kDeviceInterface, "Recover", {"a{sv}", "0"}, "org.belay.recover");
    row(device, bus::kDeviceInterface, "Recover", {"a{sv}", "1", "accept-loss", "b", "true"},
        "org.belay.force-stop");
    row(device, bus::kDeviceInterface, "SetPolicy", {"sua{sv}", "fail-fast", "0", "0"},
        "org.belay.set-policy");
    row(device, bus::kDeviceInterface, "Rescan", {"a{sv}", "0"}, "org.belay.rescan");
    row(gadget, bus::kGadgetInterface, "Attach", {"sa{sv}", "music", "0"}, "org.belay.attach");
    row(gadget, bus::kGadgetInterface, "LendPath", {"sa{sv}", "/etc/shadow", "0"},
        "org.belay.lend-path");
    row(gadget, bus::kGadgetInterface, "SetAuto", {"ba{sv}", "true", "0"}, "org.belay.attach");
    row(gadget, bus::kGadgetInterface, "Forget", {"a{sv}", "0"}, "org.belay.set-policy");
}

void TestBusAuthority::denied() {
    QFETCH(QString, path);
    QFETCH(QString, interface);
    QFETCH(QString, method);
    QFETCH(QStringList, arguments);
    QFETCH(QString, action);
    const Ran ran = callAs(kDenied, path, interface.toLatin1().constData(), method, arguments);
    QCOMPARE(ran.status, 1);
    QVERIFY2(ran.err.contains("The policy does not allow this (" + action + ")"),
             qPrintable(ran.err));
    QVERIFY(fleet_->stops.empty() && fleet_->recovers.empty() && fleet_->attaches.empty() &&
            fleet_->lent.empty() && fleet_->rescans.empty());
    QVERIFY(!fleet_->gadgetViews["g1"].autoAttach);
    QCOMPARE(fleet_->deviceViews["d1"].policy.kind, lifecycle::PolicyKind::Wait);
}

void TestBusAuthority::withoutAnAgentNobodyIsAsked() {
    const Ran ran = runAs(kAsked, stopCommand());
    QCOMPARE(ran.status, 1);
    QVERIFY2(ran.err.contains("This needs a password"), qPrintable(ran.err));
    QVERIFY(fleet_->stops.empty());
}

void TestBusAuthority::theRightPassword() {
    HeldClient client(kAsked, stopCommand());
    PolkitAgent agent(bus_, client, PolkitAgent::Behaviour::Accept);
    client.go();
    QCOMPARE(client.finish(), QString("o \"/org/belay/Helper1/jobs/1\"\n"));
    QCOMPARE(agent.asked(), 1);
    QCOMPARE(agent.action(), QString("org.belay.stop"));
    QCOMPARE(agent.message(), QString("Authentication is required to remove disk (/dev/ublkb0)"));
    QCOMPARE(fleet_->stops.size(), std::size_t(1));
}

void TestBusAuthority::theWrongPassword() {
    HeldClient client(kAsked, stopCommand());
    PolkitAgent agent(bus_, client, PolkitAgent::Behaviour::Fail);
    client.go();
    QVERIFY(client.finish().contains("The policy does not allow this"));
    QCOMPARE(agent.asked(), 1);
    QVERIFY(fleet_->stops.empty());
}

void TestBusAuthority::theDialogIsClosed() {
    HeldClient client(kAsked, stopCommand());
    PolkitAgent agent(bus_, client, PolkitAgent::Behaviour::Dismiss);
    client.go();
    const QString said = client.finish();
    QVERIFY2(said.contains("The password dialog was closed"), qPrintable(said));
    QVERIFY(fleet_->stops.empty());
}

void TestBusAuthority::theDialogCanBeForbidden_data() {
    QTest::addColumn<QStringList>("flags");
    QTest::addColumn<QStringList>("options");
    QTest::newRow("message flag") << QStringList{"--allow-interactive-authorization=no"}
                                  << QStringList{"0"};
    QTest::newRow("option") << QStringList{}
                            << QStringList{"1", "auth.no_user_interaction", "b", "true"};
    QTest::newRow("both") << QStringList{"--allow-interactive-authorization=no"}
                          << QStringList{"1", "auth.no_user_interaction", "b", "true"};
}

void TestBusAuthority::theDialogCanBeForbidden() {
    QFETCH(QStringList, flags);
    QFETCH(QStringList, options);
    HeldClient client(kAsked, stopCommand(flags, options));
    PolkitAgent agent(bus_, client, PolkitAgent::Behaviour::Accept);
    client.go();
    const QString said = client.finish();
    QVERIFY2(said.contains("This needs a password"), qPrintable(said));
    QCOMPARE(agent.asked(), 0);
    QVERIFY(fleet_->stops.empty());
}

void TestBusAuthority::thePolicyKnowsWhatItIsAbout() {
    fleet_->deviceViews["d1"].label = "forbidden";
    const Ran ran = runAs(kAllowed, stopCommand());
    QVERIFY2(ran.err.contains("The policy does not allow this"), qPrintable(ran.err));
    QVERIFY(fleet_->stops.empty());
}

void TestBusAuthority::theCallerGoesWhileItIsAsked() {
    HeldClient client(kAsked, stopCommand());
    PolkitAgent agent(bus_, client, PolkitAgent::Behaviour::Ponder);
    client.go();
    QTRY_COMPARE(agent.asked(), 1);
    QCOMPARE(service_->authority().pending(), std::size_t(1));
    client.kill();
    QTRY_VERIFY(agent.withdrawn());
    QTRY_COMPARE(service_->authority().pending(), std::size_t(0));
    QVERIFY(fleet_->stops.empty());
}

void TestBusAuthority::theDeviceGoesWhileItIsAsked() {
    HeldClient client(kAsked, stopCommand());
    PolkitAgent agent(bus_, client, PolkitAgent::Behaviour::Ponder);
    client.go();
    QTRY_COMPARE(agent.asked(), 1);
    fleet_->deviceViews.erase("d1");
    service_->deviceGone("d1");
    agent.accept();
    const QString said = client.finish();
    QVERIFY2(said.contains("The device is gone"), qPrintable(said));
    QVERIFY(fleet_->stops.empty());
}

void TestBusAuthority::otherCallersDoNotWait() {
    HeldClient client(kAsked, stopCommand());
    PolkitAgent agent(bus_, client, PolkitAgent::Behaviour::Ponder);
    client.go();
    QTRY_COMPARE(agent.asked(), 1);
    QVERIFY(
        !pathIn(callAs(kAllowed, "/devices/d1", bus::kDeviceInterface, "Recover", {"a{sv}", "0"}))
             .isEmpty());
    // And the answer is the right one's.
    QVERIFY(!client.ended());
    agent.accept();
    QVERIFY(client.finish().startsWith("o \"/org/belay/Helper1/jobs/"));
}

void TestBusAuthority::oneCallerCannotAskForEver() {
    // Stops polkitd, so that no question is answered.
    const auto polkitd = static_cast<pid_t>(qEnvironmentVariableIntValue("BELAY_POLKIT_PID"));
    QCOMPARE(::kill(polkitd, SIGSTOP), 0);
    QDBusConnection client = connectAs("greedy");
    auto message = QDBusMessage::createMethodCall(bus::kService, "/org/belay/Helper1/devices/d1",
                                                  bus::kDeviceInterface, "Recover");
    message << QVariantMap();
    std::vector<QDBusPendingCall> calls;
    for (int i = 0; i < 40; ++i)
        calls.push_back(client.asyncCall(message));
    const auto refused = [&] {
        return std::count_if(calls.begin(), calls.end(), [](const QDBusPendingCall& each) {
            return each.isFinished() && each.error().name() == "org.belay.Error.Busy";
        });
    };
    QTRY_COMPARE(refused(), 24);
    QCOMPARE(service_->authority().pending(), std::size_t(16));
    QCOMPARE(::kill(polkitd, SIGCONT), 0);
    QTRY_COMPARE(service_->authority().pending(), std::size_t(0));
    // All sixteen are told of one job.
    QTRY_COMPARE(fleet_->recovers.size(), std::size_t(1));
    QDBusConnection::disconnectFromBus("greedy");
}

void TestBusAuthority::withoutPolkitOnlyRootMay() {
    const auto polkitd = static_cast<pid_t>(qEnvironmentVariableIntValue("BELAY_POLKIT_PID"));
    QCOMPARE(::kill(polkitd, SIGKILL), 0);
    QTRY_VERIFY(
        runAs(kRoot, {"busctl", "--system", "status", "org.freedesktop.PolicyKit1"}).status != 0);
    const Ran ran = runAs(kAllowed, stopCommand());
    QVERIFY2(ran.err.contains("polkit could not be asked"), qPrintable(ran.err));
    QVERIFY(fleet_->stops.empty());
    QVERIFY(!pathIn(runAs(kRoot, stopCommand())).isEmpty());
    QCOMPARE(fleet_->stops.size(), std::size_t(1));
}

QTEST_GUILESS_MAIN(TestBusAuthority)
#include "tst_bus_authority.moc"
