#include "tests/ui/fake_helper.h"
#include "tests/ui/fake_notifications.h"
#include "ui/desktop/notifications.h"
#include "ui/model/service.h"

#include <QtTest/QSignalSpy>
#include <QtTest/QTest>
#include <chrono>
#include <thread>

using namespace belay;
using namespace belay::test;
using namespace std::chrono_literals;
using lifecycle::Problem;
using lifecycle::State;
using ui::Notifications;
using ui::Service;

namespace {

constexpr int kLow = 0;
constexpr int kNormal = 1;
constexpr int kCritical = 2;

}  // namespace

// What a notification server is told of devices that come and go.
class TestUiNotifications : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();

    void anUnpluggedDeviceIsToldOnce();
    void aShortAbsenceIsNotTold();
    void whatNobodyUsesMayBeUnplugged();
    void changesAreMadeInPlace();
    void backIsShortAndGoesByItself();
    void aStoppedDeviceIsWithdrawn();
    void onlyDataAtStakeIsCritical();
    void problemsSayWhatToDo_data();
    void problemsSayWhatToDo();
    void recoverIsOfferedWhereItHelps();
    void connectingIsNoNews();
    void recoverRecoversAndSaysWhyNot();
    void detailsNamesTheDevice();
    void noActionsForAServerWithout();
    void labelsAreNoMarkup();
    void aDismissedOneComesBackOnlyForAnotherReason();
    void manyDevicesHaveOneEach();
    void aRestartedServerIsToldAgain();
    void aServerMayComeLate();
    void quittingWithdraws();
    void quittingWithdrawsWhatHasNoNameYet_data();
    void quittingWithdrawsWhatHasNoNameYet();
    void quittingDoesNotWaitForASilentServer();

 private:
    void start(const QStringList& capabilities = {"body", "body-markup", "actions"});
    void unplug() {
        helper_->changeGadget("g1", [](auto& gadget) {
            gadget.present = false;
            gadget.link = "absent";
        });
        helper_->setState("d1", State::Waiting);
    }
    void plug() {
        helper_->changeGadget("g1", [](auto& gadget) {
            gadget.present = true;
            gadget.link = "open";
        });
    }
    const FakeNotifications::Shown& last() { return server_->history.last(); }

    std::unique_ptr<FakeHelper> helper_;
    std::unique_ptr<FakeNotifications> server_;
    std::unique_ptr<Service> service_;
    std::unique_ptr<Notifications> notifications_;
};

void TestUiNotifications::init() {
    helper_ = std::make_unique<FakeHelper>();
    service_ = std::make_unique<Service>(helper_->client());
    QVERIFY(helper_->appear());
}

void TestUiNotifications::start(const QStringList& capabilities) {
    server_ = std::make_unique<FakeNotifications>(capabilities);
    QVERIFY(server_->appear());
    notifications_ = std::make_unique<Notifications>(*service_, helper_->client());
    notifications_->start();
    service_->start();
    QTRY_COMPARE(service_->devices().size(), 1);
}

void TestUiNotifications::cleanup() {
    notifications_.reset();
    service_.reset();
    server_.reset();
    helper_.reset();
}

void TestUiNotifications::anUnpluggedDeviceIsToldOnce() {
    start();
    unplug();
    QTRY_COMPARE(server_->history.size(), 1);
    QCOMPARE(last().summary, QString("“disk” was unplugged"));
    QVERIFY2(last().body.startsWith("Plug it back in"), qPrintable(last().body));
    QCOMPARE(last().urgency(), kNormal);
    QCOMPARE(last().hints.value("urgency").metaType(), QMetaType::fromType<uchar>());
    QCOMPARE(last().hints.value("desktop-entry").toString(), QString("org.belay.Belay"));
    QCOMPARE(last().replaces, 0U);
    QVERIFY(!last().hints.contains("transient"));
    // Counters are no news.
    for (int i = 0; i < 4; ++i) {
        helper_->changeCounters("d1", [](auto& counters) { ++counters.inFlight; });
        QTest::qWait(400);
    }
    QCOMPARE(server_->history.size(), 1);
}

void TestUiNotifications::aShortAbsenceIsNotTold() {
    start();
    unplug();
    QTRY_COMPARE(service_->devices().first().state, QString("waiting"));
    QTest::qWait(50);
    plug();
    helper_->setState("d1", State::Resuming);
    QTest::qWait(50);
    helper_->setState("d1", State::Live);
    QTest::qWait(1000);
    QCOMPARE(server_->history.size(), 0);
}

void TestUiNotifications::whatNobodyUsesMayBeUnplugged() {
    helper_->change("d1", [](auto& device) { device.holders.clear(); });
    start();
    unplug();
    QTest::qWait(1000);
    QCOMPARE(server_->history.size(), 0);
    // Now somebody wants it.
    helper_->changeCounters("d1", [](auto& counters) { counters.inFlight = 1; });
    QTRY_COMPARE(server_->history.size(), 1);
    helper_->changeCounters("d1", [](auto& counters) { counters.inFlight = 0; });
    QTRY_COMPARE(server_->visible().size(), 0);
}

void TestUiNotifications::changesAreMadeInPlace() {
    start();
    unplug();
    QTRY_COMPARE(server_->history.size(), 1);
    const uint id = last().id;
    helper_->setState("d1", State::Failed);
    QTRY_COMPARE(server_->history.size(), 2);
    QCOMPARE(last().summary, QString("“disk”: Stopped waiting"));
    QCOMPARE(last().replaces, id);
    // Catching up is no end of the problem yet.
    helper_->setState("d1", State::Resuming);
    QTest::qWait(700);
    QCOMPARE(server_->visible().size(), 1);
    helper_->setState("d1", State::Live);
    QTRY_COMPARE(server_->history.size(), 3);
    QCOMPARE(last().replaces, id);
    QCOMPARE(last().summary, QString("“disk” is back"));
    QVERIFY2(last().body.contains("errors"), qPrintable(last().body));
}

void TestUiNotifications::backIsShortAndGoesByItself() {
    start();
    unplug();
    QTRY_COMPARE(server_->history.size(), 1);
    plug();
    helper_->setState("d1", State::Live);
    QTRY_COMPARE(server_->history.size(), 2);
    QCOMPARE(last().urgency(), kLow);
    QVERIFY(last().hints.value("transient").toBool());
    QCOMPARE(last().milliseconds, 5000);
    QVERIFY(!last().offers("recover"));
    // A server may take no notice of times.
    QTRY_COMPARE_WITH_TIMEOUT(server_->withdrawn, 1, 8000);
    QVERIFY(server_->visible().isEmpty());
    // A cable that comes and goes is not worth a notification each time.
    unplug();
    QTest::qWait(1500);
    QCOMPARE(server_->history.size(), 2);
    QTRY_COMPARE_WITH_TIMEOUT(server_->history.size(), 3, 8000);
}

void TestUiNotifications::aStoppedDeviceIsWithdrawn() {
    start();
    unplug();
    QTRY_COMPARE(server_->visible().size(), 1);
    helper_->setState("d1", State::Stopping);
    QTRY_COMPARE(server_->visible().size(), 0);
    helper_->remove("d1");
    helper_->change("d2", [](auto& device) {
        device.label = "other";
        device.gadget = "g1";
        device.state = State::Failed;
    });
    QTRY_COMPARE(server_->visible().size(), 1);
    helper_->remove("d2");
    QTRY_COMPARE(server_->visible().size(), 0);
    QCOMPARE(server_->withdrawn, 2);
    QCOMPARE(server_->history.size(), 2);
}

void TestUiNotifications::onlyDataAtStakeIsCritical() {
    start();
    helper_->change("d1", [](auto& device) {
        device.state = State::Waiting;
        device.counters.unsavedBytes = 3'200'000;
    });
    QTRY_COMPARE(server_->history.size(), 1);
    QCOMPARE(last().urgency(), kCritical);
    QCOMPARE(last().milliseconds, 0);
    QVERIFY2(last().body.contains("3.2 MB"), qPrintable(last().body));
    helper_->change("d1", [](auto& device) {
        device.state = State::NeedsAttention;
        device.counters.unsavedBytes = 0;
        device.problems.add(Problem::DifferentDisk);
    });
    QTRY_COMPARE(server_->history.size(), 2);
    QCOMPARE(last().urgency(), kNormal);
    helper_->change("d1", [](auto& device) { device.problems = {Problem::DataMayBeMissing}; });
    QTRY_COMPARE(server_->history.size(), 3);
    QCOMPARE(last().urgency(), kCritical);
    QVERIFY(!last().offers("recover"));
}

void TestUiNotifications::problemsSayWhatToDo_data() {
    QTest::addColumn<Problem>("problem");
    QTest::addColumn<QString>("summary");
    QTest::addColumn<bool>("recover");
    QTest::newRow("different") << Problem::DifferentDisk << "“disk”: Different disk" << false;
    QTest::newRow("missing") << Problem::DataMayBeMissing << "“disk”: Data may be missing" << false;
    QTest::newRow("incompatible") << Problem::Incompatible << "“disk”: Peer too old" << false;
    QTest::newRow("dying") << Problem::DaemonKeepsDying << "“disk”: Cannot restart" << true;
    QTest::newRow("refused") << Problem::KernelRefused << "“disk”: Cannot restart" << true;
}

void TestUiNotifications::problemsSayWhatToDo() {
    QFETCH(Problem, problem);
    QFETCH(QString, summary);
    QFETCH(bool, recover);
    start();
    helper_->change("d1", [problem](auto& device) {
        device.state = State::NeedsAttention;
        device.problems.add(problem);
    });
    QTRY_COMPARE(server_->history.size(), 1);
    QCOMPARE(last().summary, summary);
    QVERIFY(!last().body.isEmpty());
    QCOMPARE(last().offers("recover"), recover);
    QVERIFY(last().offers("details"));
}

void TestUiNotifications::recoverIsOfferedWhereItHelps() {
    start();
    unplug();
    QTRY_COMPARE(server_->history.size(), 1);
    QVERIFY(!last().offers("recover"));
    // It is plugged in, but nobody answers.
    helper_->changeGadget("g1", [](auto& gadget) {
        gadget.present = true;
        gadget.link = "trouble";
    });
    QTRY_COMPARE(server_->history.size(), 2);
    QVERIFY(last().offers("recover"));
    QCOMPARE(last().summary, QString("“disk” does not answer"));
    QCOMPARE(last().replaces, server_->history.first().id);
}

void TestUiNotifications::connectingIsNoNews() {
    start();
    unplug();
    QTRY_COMPARE(server_->history.size(), 1);
    helper_->changeGadget("g1", [](auto& gadget) {
        gadget.present = true;
        gadget.link = "connecting";
    });
    QTest::qWait(1000);
    QCOMPARE(server_->history.size(), 1);
    plug();
    helper_->setState("d1", State::Live);
    QTRY_COMPARE(server_->history.size(), 2);
    QCOMPARE(last().summary, QString("“disk” is back"));

    // It went without the cable.
    helper_->changeGadget("g1", [](auto& gadget) { gadget.link = "connecting"; });
    helper_->setState("d1", State::Waiting);
    QTRY_COMPARE_WITH_TIMEOUT(server_->history.size(), 3, 8000);
    QCOMPARE(last().summary, QString("“disk” has lost its connection"));
    QVERIFY(!last().offers("recover"));
}

void TestUiNotifications::recoverRecoversAndSaysWhyNot() {
    start();
    helper_->setState("d1", State::Failed);
    QTRY_COMPARE(server_->history.size(), 1);
    server_->press(last().id, "recover");
    QTRY_COMPARE(helper_->fleet.recovers.size(), std::size_t(1));
    QVERIFY(!helper_->fleet.recovers[0].flag);
    helper_->fleet.recovers[0].done(errorFrom(ENOTCONN, "recover", "d1", "It is not there"));
    QTRY_COMPARE(server_->history.size(), 2);
    QVERIFY2(last().body.contains("The gadget is not there"), qPrintable(last().body));

    server_->press(last().id, "recover");
    QTRY_COMPARE(helper_->fleet.recovers.size(), std::size_t(2));
    helper_->fleet.recovers[1].done({});
    helper_->setState("d1", State::Live);
    // Whoever pressed is told, though the press has closed it.
    QTRY_COMPARE(server_->history.size(), 3);
    QCOMPARE(last().summary, QString("“disk” is back"));

    // A closed password dialog is an answer, and needs none.
    helper_->polkit.answer = FakePolkit::Answer::Dismissed;
    helper_->setState("d1", State::Failed);
    QTRY_COMPARE_WITH_TIMEOUT(server_->history.size(), 4, 8000);
    const qsizetype asked = helper_->polkit.asked.size();
    server_->press(last().id, "recover");
    QTRY_COMPARE(helper_->polkit.asked.size(), asked + 1);
    QTest::qWait(700);
    QCOMPARE(server_->history.size(), 4);
    QCOMPARE(helper_->fleet.recovers.size(), std::size_t(2));
}

void TestUiNotifications::detailsNamesTheDevice() {
    start();
    QSignalSpy wanted(notifications_.get(), &Notifications::detailsWanted);
    unplug();
    QTRY_COMPARE(server_->history.size(), 1);
    server_->press(last().id, "details", "token-7");
    QTRY_COMPARE(wanted.size(), 1);
    QCOMPARE(wanted[0][0].toString(), FakeHelper::devicePath("d1"));
    QCOMPARE(wanted[0][1].toString(), QString("token-7"));
    helper_->setState("d1", State::Failed);
    QTRY_COMPARE(server_->history.size(), 2);
    server_->press(last().id, "default");
    QTRY_COMPARE(wanted.size(), 2);
    QCOMPARE(wanted[1][1].toString(), QString());
}

void TestUiNotifications::noActionsForAServerWithout() {
    start({"body"});
    helper_->setState("d1", State::Failed);
    QTRY_COMPARE(server_->history.size(), 1);
    QVERIFY(last().actions.isEmpty());
}

void TestUiNotifications::labelsAreNoMarkup() {
    start();
    helper_->change("d1", [](auto& device) {
        device.label = "<b>x</b>";
        device.state = State::NeedsAttention;
        device.explanation = "see <a href=\"x\">this</a>";
    });
    QTRY_COMPARE(server_->history.size(), 1);
    QCOMPARE(last().body, QString("see &lt;a href=&quot;x&quot;&gt;this&lt;/a&gt;"));
    // Markup is the body's alone.
    QCOMPARE(last().summary, QString("“<b>x</b>”: Needs attention"));
}

void TestUiNotifications::aDismissedOneComesBackOnlyForAnotherReason() {
    start();
    unplug();
    QTRY_COMPARE(server_->history.size(), 1);
    server_->dismiss(last().id);
    helper_->change("d1", [](auto& device) { device.deadlineUs = 1'900'000'000'000'000; });
    QTest::qWait(1000);
    QCOMPARE(server_->history.size(), 1);
    helper_->setState("d1", State::Failed);
    QTRY_COMPARE(server_->history.size(), 2);
    QCOMPARE(last().replaces, 0U);
    server_->dismiss(last().id);
    QTest::qWait(100);
    helper_->setState("d1", State::Live);
    QTest::qWait(700);
    QCOMPARE(server_->history.size(), 2);
}

void TestUiNotifications::manyDevicesHaveOneEach() {
    start();
    for (const char* id : {"d2", "d3"})
        helper_->change(id, [id](auto& device) {
            device.gadget = "g1";
            device.label = id;
            device.state = State::Live;
            device.holders = {{"mount", "/mnt"}};
        });
    QTRY_COMPARE(service_->devices().size(), 3);
    unplug();
    helper_->setState("d2", State::Waiting);
    helper_->setState("d3", State::Waiting);
    QTRY_COMPARE(server_->visible().size(), 3);
    helper_->setState("d2", State::Stopping);
    QTRY_COMPARE(server_->visible().size(), 2);
    QCOMPARE(server_->history.size(), 3);
}

void TestUiNotifications::aRestartedServerIsToldAgain() {
    start();
    unplug();
    QTRY_COMPARE(server_->history.size(), 1);
    server_->vanish();
    QTest::qWait(200);
    QVERIFY(server_->appear());
    QTRY_COMPARE(server_->history.size(), 2);
    QCOMPARE(last().replaces, 0U);
    QCOMPARE(last().summary, QString("“disk” was unplugged"));
    helper_->setState("d1", State::Stopping);
    QTRY_COMPARE(server_->visible().size(), 0);
}

void TestUiNotifications::aServerMayComeLate() {
    server_ = std::make_unique<FakeNotifications>(QStringList{"actions"});
    notifications_ = std::make_unique<Notifications>(*service_, helper_->client());
    notifications_->start();
    service_->start();
    QTRY_COMPARE(service_->devices().size(), 1);
    unplug();
    QTest::qWait(1000);
    QVERIFY(server_->appear());
    QTRY_COMPARE(server_->history.size(), 1);
    QVERIFY(last().offers("details"));
}

void TestUiNotifications::quittingWithdraws() {
    start();
    unplug();
    QTRY_COMPARE(server_->visible().size(), 1);
    notifications_.reset();
    QTRY_COMPARE(server_->visible().size(), 0);
}

void TestUiNotifications::quittingWithdrawsWhatHasNoNameYet_data() {
    QTest::addColumn<std::chrono::milliseconds>("late");
    QTest::newRow("named, but not heard of") << 0ms;
    QTest::newRow("named later") << 100ms;
}

void TestUiNotifications::quittingWithdrawsWhatHasNoNameYet() {
    QFETCH(std::chrono::milliseconds, late);
    start();
    server_->holdAnswer();
    unplug();
    QTRY_COMPARE(server_->visible().size(), 1);
    std::thread answering([&] {
        std::this_thread::sleep_for(late);
        server_->answer();
    });
    notifications_.reset();
    answering.join();
    QTRY_COMPARE(server_->visible().size(), 0);
}

void TestUiNotifications::quittingDoesNotWaitForASilentServer() {
    start();
    server_->holdAnswer();
    unplug();
    QTRY_COMPARE(server_->visible().size(), 1);
    QElapsedTimer clock;
    clock.start();
    notifications_.reset();
    QVERIFY2(clock.elapsed() < 1000, qPrintable(QString::number(clock.elapsed())));
}

QTEST_GUILESS_MAIN(TestUiNotifications)
#include "tst_ui_notifications.moc"
