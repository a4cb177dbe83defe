#include "tests/ui/fake_helper.h"
#include "tests/ui/fake_notifications.h"
#include "tests/ui/test_clock.h"
#include "ui/desktop/notifications.h"
#include "ui/model/service.h"

#include <QtTest/QSignalSpy>
#include <QtTest/QTest>
#include <chrono>
#include <future>
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

// What ui/desktop/notifications.cpp waits: until a problem is told of, and until one that was told
// of lately is again; and how long "back" is shown.
constexpr auto kTold = 500ms;
constexpr auto kToldAgain = 5s;
constexpr auto kBackShown = 5s;
constexpr auto kMoment = 1ms;

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
    // Waits until all that was said has arrived, and then lets time pass.
    void later(std::chrono::milliseconds time) {
        settleBus();
        clock_->advance(time);
        settleBus();
    }
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

    std::unique_ptr<TestClock> clock_;
    std::unique_ptr<FakeHelper> helper_;
    std::unique_ptr<FakeNotifications> server_;
    std::unique_ptr<Service> service_;
    std::unique_ptr<Notifications> notifications_;
};

void TestUiNotifications::init() {
    clock_ = std::make_unique<TestClock>();
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
    settleBus();
    QCOMPARE(service_->devices().size(), 1);
}

void TestUiNotifications::cleanup() {
    notifications_.reset();
    service_.reset();
    server_.reset();
    helper_.reset();
    clock_.reset();
}

void TestUiNotifications::anUnpluggedDeviceIsToldOnce() {
    start();
    unplug();
    later(kTold - kMoment);
    QCOMPARE(server_->history.size(), 0);
    later(kMoment);
    QCOMPARE(server_->history.size(), 1);
    QCOMPARE(last().summary, QString("“disk” was unplugged"));
    QVERIFY2(last().body.startsWith("Plug it back in"), qPrintable(last().body));
    QCOMPARE(last().urgency(), kNormal);
    QCOMPARE(last().hints.value("urgency").metaType(), QMetaType::fromType<uchar>());
    QCOMPARE(last().hints.value("desktop-entry").toString(), QString("org.belay.Belay"));
    QCOMPARE(last().replaces, 0U);
    QVERIFY(!last().hints.contains("transient"));
    // Counters are no news.
    for (uint i = 1; i <= 3; ++i) {
        helper_->changeCounters("d1", [i](auto& counters) { counters.inFlight = i; });
        QTRY_COMPARE(service_->devices().first().inFlight, i);
        later(kTold);
    }
    QCOMPARE(server_->history.size(), 1);
}

void TestUiNotifications::aShortAbsenceIsNotTold() {
    start();
    unplug();
    later(kTold / 2);
    QCOMPARE(service_->devices().first().state, QString("waiting"));
    plug();
    helper_->setState("d1", State::Resuming);
    later(kTold / 2 - kMoment);
    helper_->setState("d1", State::Live);
    later(2 * kToldAgain);
    QCOMPARE(server_->history.size(), 0);
}

void TestUiNotifications::whatNobodyUsesMayBeUnplugged() {
    helper_->change("d1", [](auto& device) { device.holders.clear(); });
    start();
    unplug();
    later(2 * kToldAgain);
    QCOMPARE(server_->history.size(), 0);
    // Now somebody wants it.
    helper_->changeCounters("d1", [](auto& counters) { counters.inFlight = 1; });
    QTRY_COMPARE(service_->devices().first().inFlight, 1U);
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    helper_->changeCounters("d1", [](auto& counters) { counters.inFlight = 0; });
    QTRY_COMPARE(server_->visible().size(), 0);
}

void TestUiNotifications::changesAreMadeInPlace() {
    start();
    unplug();
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    const uint id = last().id;
    helper_->setState("d1", State::Failed);
    later(kTold);
    QCOMPARE(server_->history.size(), 2);
    QCOMPARE(last().summary, QString("“disk”: Stopped waiting"));
    QCOMPARE(last().replaces, id);
    // Catching up is no end of the problem yet.
    helper_->setState("d1", State::Resuming);
    later(2 * kToldAgain);
    QCOMPARE(server_->visible().size(), 1);
    helper_->setState("d1", State::Live);
    settleBus();
    QCOMPARE(server_->history.size(), 3);
    QCOMPARE(last().replaces, id);
    QCOMPARE(last().summary, QString("“disk” is back"));
    QVERIFY2(last().body.contains("errors"), qPrintable(last().body));
}

void TestUiNotifications::backIsShortAndGoesByItself() {
    start();
    unplug();
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    plug();
    helper_->setState("d1", State::Live);
    settleBus();
    QCOMPARE(server_->history.size(), 2);
    QCOMPARE(last().urgency(), kLow);
    QVERIFY(last().hints.value("transient").toBool());
    QCOMPARE(last().milliseconds, 5000);
    QVERIFY(!last().offers("recover"));
    // A server may take no notice of times.
    later(kBackShown - kMoment);
    QCOMPARE(server_->withdrawn, 0);
    later(kMoment);
    QCOMPARE(server_->withdrawn, 1);
    QVERIFY(server_->visible().isEmpty());
    // A cable that comes and goes is not worth a notification each time.
    unplug();
    later(kToldAgain - kMoment);
    QCOMPARE(server_->history.size(), 2);
    later(kMoment);
    QCOMPARE(server_->history.size(), 3);
}

void TestUiNotifications::aStoppedDeviceIsWithdrawn() {
    start();
    unplug();
    later(kTold);
    QCOMPARE(server_->visible().size(), 1);
    helper_->setState("d1", State::Stopping);
    settleBus();
    QCOMPARE(server_->visible().size(), 0);
    helper_->remove("d1");
    helper_->change("d2", [](auto& device) {
        device.label = "other";
        device.gadget = "g1";
        device.state = State::Failed;
    });
    later(kTold);
    QCOMPARE(server_->visible().size(), 1);
    helper_->remove("d2");
    settleBus();
    QCOMPARE(server_->visible().size(), 0);
    QCOMPARE(server_->withdrawn, 2);
    QCOMPARE(server_->history.size(), 2);
}

void TestUiNotifications::onlyDataAtStakeIsCritical() {
    start();
    helper_->change("d1", [](auto& device) {
        device.state = State::Waiting;
        device.counters.unsavedBytes = 3'200'000;
    });
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    QCOMPARE(last().urgency(), kCritical);
    QCOMPARE(last().milliseconds, 0);
    QVERIFY2(last().body.contains("3.2 MB"), qPrintable(last().body));
    helper_->change("d1", [](auto& device) {
        device.state = State::NeedsAttention;
        device.counters.unsavedBytes = 0;
        device.problems.add(Problem::DifferentDisk);
    });
    later(kTold);
    QCOMPARE(server_->history.size(), 2);
    QCOMPARE(last().urgency(), kNormal);
    helper_->change("d1", [](auto& device) { device.problems = {Problem::DataMayBeMissing}; });
    later(kTold);
    QCOMPARE(server_->history.size(), 3);
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
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    QCOMPARE(last().summary, summary);
    QVERIFY(!last().body.isEmpty());
    QCOMPARE(last().offers("recover"), recover);
    QVERIFY(last().offers("details"));
}

void TestUiNotifications::recoverIsOfferedWhereItHelps() {
    start();
    unplug();
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    QVERIFY(!last().offers("recover"));
    // It is plugged in, but nobody answers.
    helper_->changeGadget("g1", [](auto& gadget) {
        gadget.present = true;
        gadget.link = "trouble";
    });
    later(kTold);
    QCOMPARE(server_->history.size(), 2);
    QVERIFY(last().offers("recover"));
    QCOMPARE(last().summary, QString("“disk” does not answer"));
    QCOMPARE(last().replaces, server_->history.first().id);
}

void TestUiNotifications::connectingIsNoNews() {
    start();
    unplug();
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    helper_->changeGadget("g1", [](auto& gadget) {
        gadget.present = true;
        gadget.link = "connecting";
    });
    later(2 * kToldAgain);
    QCOMPARE(server_->history.size(), 1);
    plug();
    helper_->setState("d1", State::Live);
    settleBus();
    QCOMPARE(server_->history.size(), 2);
    QCOMPARE(last().summary, QString("“disk” is back"));

    // It went without the cable.
    helper_->changeGadget("g1", [](auto& gadget) { gadget.link = "connecting"; });
    helper_->setState("d1", State::Waiting);
    later(kToldAgain);
    QCOMPARE(server_->history.size(), 3);
    QCOMPARE(last().summary, QString("“disk” has lost its connection"));
    QVERIFY(!last().offers("recover"));
}

void TestUiNotifications::recoverRecoversAndSaysWhyNot() {
    start();
    helper_->setState("d1", State::Failed);
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    server_->press(last().id, "recover");
    QTRY_COMPARE(helper_->fleet.recovers.size(), std::size_t(1));
    QVERIFY(!helper_->fleet.recovers[0].flag);
    helper_->fleet.recovers[0].done(errorFrom(ENOTCONN, "recover", "d1", "It is not there"));
    settleBus();
    QCOMPARE(server_->history.size(), 2);
    QVERIFY2(last().body.contains("The gadget is not there"), qPrintable(last().body));

    server_->press(last().id, "recover");
    QTRY_COMPARE(helper_->fleet.recovers.size(), std::size_t(2));
    helper_->fleet.recovers[1].done({});
    helper_->setState("d1", State::Live);
    // Whoever pressed is told, though the press has closed it.
    settleBus();
    QCOMPARE(server_->history.size(), 3);
    QCOMPARE(last().summary, QString("“disk” is back"));

    // A closed password dialog is an answer, and needs none.
    helper_->polkit.answer = FakePolkit::Answer::Dismissed;
    helper_->setState("d1", State::Failed);
    later(kToldAgain);
    QCOMPARE(server_->history.size(), 4);
    const qsizetype asked = helper_->polkit.asked.size();
    server_->press(last().id, "recover");
    later(2 * kToldAgain);
    QCOMPARE(helper_->polkit.asked.size(), asked + 1);
    QCOMPARE(server_->history.size(), 4);
    QCOMPARE(helper_->fleet.recovers.size(), std::size_t(2));
}

void TestUiNotifications::detailsNamesTheDevice() {
    start();
    QSignalSpy wanted(notifications_.get(), &Notifications::detailsWanted);
    unplug();
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    server_->press(last().id, "details", "token-7");
    QTRY_COMPARE(wanted.size(), 1);
    QCOMPARE(wanted[0][0].toString(), FakeHelper::devicePath("d1"));
    QCOMPARE(wanted[0][1].toString(), QString("token-7"));
    helper_->setState("d1", State::Failed);
    later(kTold);
    QCOMPARE(server_->history.size(), 2);
    server_->press(last().id, "default");
    QTRY_COMPARE(wanted.size(), 2);
    QCOMPARE(wanted[1][1].toString(), QString());
}

void TestUiNotifications::noActionsForAServerWithout() {
    start({"body"});
    helper_->setState("d1", State::Failed);
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    QVERIFY(last().actions.isEmpty());
}

void TestUiNotifications::labelsAreNoMarkup() {
    start();
    helper_->change("d1", [](auto& device) {
        device.label = "<b>x</b>";
        device.state = State::NeedsAttention;
        device.explanation = "see <a href=\"x\">this</a>";
    });
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    QCOMPARE(last().body, QString("see &lt;a href=&quot;x&quot;&gt;this&lt;/a&gt;"));
    // Markup is the body's alone.
    QCOMPARE(last().summary, QString("“<b>x</b>”: Needs attention"));
}

void TestUiNotifications::aDismissedOneComesBackOnlyForAnotherReason() {
    start();
    unplug();
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    server_->dismiss(last().id);
    helper_->change("d1", [](auto& device) { device.deadlineUs = 1'900'000'000'000'000; });
    later(2 * kToldAgain);
    QCOMPARE(server_->history.size(), 1);
    helper_->setState("d1", State::Failed);
    later(kTold);
    QCOMPARE(server_->history.size(), 2);
    QCOMPARE(last().replaces, 0U);
    server_->dismiss(last().id);
    settleBus();
    helper_->setState("d1", State::Live);
    later(2 * kToldAgain);
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
    later(kTold);
    QCOMPARE(server_->visible().size(), 3);
    helper_->setState("d2", State::Stopping);
    settleBus();
    QCOMPARE(server_->visible().size(), 2);
    QCOMPARE(server_->history.size(), 3);
}

void TestUiNotifications::aRestartedServerIsToldAgain() {
    start();
    unplug();
    later(kTold);
    QCOMPARE(server_->history.size(), 1);
    server_->vanish();
    settleBus();
    QVERIFY(server_->appear());
    settleBus();
    QCOMPARE(server_->history.size(), 2);
    QCOMPARE(last().replaces, 0U);
    QCOMPARE(last().summary, QString("“disk” was unplugged"));
    helper_->setState("d1", State::Stopping);
    settleBus();
    QCOMPARE(server_->visible().size(), 0);
}

void TestUiNotifications::aServerMayComeLate() {
    server_ = std::make_unique<FakeNotifications>(QStringList{"actions"});
    notifications_ = std::make_unique<Notifications>(*service_, helper_->client());
    notifications_->start();
    service_->start();
    settleBus();
    QCOMPARE(service_->devices().size(), 1);
    unplug();
    later(2 * kTold);
    QVERIFY(server_->appear());
    settleBus();
    QCOMPARE(server_->history.size(), 1);
    QVERIFY(last().offers("details"));
}

void TestUiNotifications::quittingWithdraws() {
    start();
    unplug();
    later(kTold);
    QCOMPARE(server_->visible().size(), 1);
    notifications_.reset();
    settleBus();
    QCOMPARE(server_->visible().size(), 0);
}

void TestUiNotifications::quittingWithdrawsWhatHasNoNameYet_data() {
    QTest::addColumn<bool>("late");
    QTest::newRow("named, but not heard of") << false;
    QTest::newRow("named later") << true;
}

void TestUiNotifications::quittingWithdrawsWhatHasNoNameYet() {
    QFETCH(bool, late);
    start();
    server_->holdAnswer();
    unplug();
    later(kTold);
    QCOMPARE(server_->visible().size(), 1);
    std::promise<void> toAnswer;
    std::thread answering([&] {
        toAnswer.get_future().wait();
        server_->answer();
    });
    if (late) {
        clock_->whenStoodStill([&toAnswer] { toAnswer.set_value(); });
        notifications_.reset();
        answering.join();
    } else {
        toAnswer.set_value();
        answering.join();
        notifications_.reset();
    }
    settleBus();
    QCOMPARE(server_->visible().size(), 0);
}

void TestUiNotifications::quittingDoesNotWaitForASilentServer() {
    start();
    server_->holdAnswer();
    unplug();
    later(kTold);
    QCOMPARE(server_->visible().size(), 1);
    clock_->losePatience();
    notifications_.reset();
    QVERIFY2(clock_->patience() <= 500ms, "who quits notices that the server is silent");
}

QTEST_GUILESS_MAIN(TestUiNotifications)
#include "tst_ui_notifications.moc"
