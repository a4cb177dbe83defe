#include "tests/ui/fake_helper.h"
#include "tests/ui/test_clock.h"
#include "ui/model/service.h"

#include <QtTest/QSignalSpy>
#include <QtTest/QTest>

using namespace belay;
using namespace belay::test;
using ui::Service;
using namespace std::chrono_literals;

// belayd as the programs of the desktop see it, over a real bus.
class TestUiService : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();

    void objectsAreRead();
    void changesArrive();
    void jobsEndWithTheirOutcome();
    void refusalsAreTold();
    void eventsAreAllKept();
    void strangersAreNotBelieved();
    void aHelperThatVanishesComesBack();
    void aHelperThatEndsBeforeItAnswersIsCalledAgain();
    void withoutAHelperItSaysSo();

 private:
    const ui::Device* device() { return service_->device(FakeHelper::devicePath("d1")); }

    std::unique_ptr<TestClock> clock_;
    std::unique_ptr<FakeHelper> helper_;
    std::unique_ptr<Service> service_;
};

void TestUiService::init() {
    clock_ = std::make_unique<TestClock>();
    helper_ = std::make_unique<FakeHelper>();
    service_ = std::make_unique<Service>(helper_->client());
}

void TestUiService::cleanup() {
    service_.reset();
    helper_.reset();
    clock_.reset();
}

void TestUiService::objectsAreRead() {
    QVERIFY(helper_->appear());
    service_->start();
    QTRY_COMPARE(service_->standing(), Service::Standing::Running);
    QTRY_VERIFY(service_->manager().ready);
    helper_->setSystem({0, {"no-ublk"}, {"Load ublk_drv"}});
    QTRY_COMPARE(service_->manager().explanation, QString("Load ublk_drv"));
    QVERIFY(!service_->manager().ready);
    QCOMPARE(service_->gadgets().size(), 1);
    const ui::Gadget* const gadget = service_->gadget(FakeHelper::gadgetPath("g1"));
    QVERIFY(gadget != nullptr);
    QCOMPARE(gadget->title(), QString("Belay gadget"));
    QCOMPARE(gadget->shares.size(), 2);
    QVERIFY(device() != nullptr);
    QCOMPARE(device()->state, QString("live"));
    QCOMPARE(device()->gadget, FakeHelper::gadgetPath("g1"));
    QCOMPARE(device()->holders.size(), 2);
}

void TestUiService::changesArrive() {
    QVERIFY(helper_->appear());
    service_->start();
    QTRY_VERIFY(device() != nullptr);
    QSignalSpy changed(service_.get(), &Service::deviceChanged);
    QSignalSpy counted(service_.get(), &Service::countersChanged);
    helper_->setState("d1", lifecycle::State::Waiting);
    QTRY_COMPARE(changed.size(), 1);
    QCOMPARE(device()->state, QString("waiting"));
    QCOMPARE(device()->since, clock_->now());
    helper_->changeCounters("d1", [](auto& counters) { counters.unsavedBytes = 4096; });
    QTRY_COMPARE(counted.size(), 1);
    QCOMPARE(device()->unsavedBytes, 4096U);
    QCOMPARE(changed.size(), 1);

    helper_->change("d2", [this](auto& device) {
        device = helper_->fleet.deviceViews.at("d1");
        device.id = "d2";
    });
    QTRY_COMPARE(service_->devices().size(), 2);
    QSignalSpy gone(service_.get(), &Service::deviceGone);
    helper_->remove("d1");
    QTRY_COMPARE(gone.size(), 1);
    QVERIFY(device() == nullptr);
}

void TestUiService::jobsEndWithTheirOutcome() {
    QVERIFY(helper_->appear());
    service_->start();
    QTRY_VERIFY(device() != nullptr);
    QList<ui::Outcome> outcomes;
    const auto take = [&outcomes](const ui::Outcome& outcome) { outcomes += outcome; };
    service_->recover(device()->path, false, this, take);
    QVERIFY(service_->busy(device()->path));
    QTRY_COMPARE(helper_->fleet.recovers.size(), std::size_t(1));
    QVERIFY(outcomes.isEmpty());
    helper_->fleet.recovers[0].done({});
    QTRY_COMPARE(outcomes.size(), 1);
    QVERIFY(outcomes[0].ok);
    QVERIFY(!service_->busy(device()->path));

    service_->stop(device()->path, true, this, take);
    QTRY_COMPARE(helper_->fleet.stops.size(), std::size_t(1));
    QVERIFY(helper_->fleet.stops[0].flag);
    helper_->fleet.stops[0].done(errorFrom(EBUSY, "stop", "ublkb0", "It is mounted on /mnt"));
    QTRY_COMPARE(outcomes.size(), 2);
    QCOMPARE(outcomes[1].error, QString("Busy"));
    QVERIFY2(outcomes[1].message.contains("/mnt"), qPrintable(outcomes[1].message));
}

void TestUiService::refusalsAreTold() {
    QVERIFY(helper_->appear());
    service_->start();
    QTRY_VERIFY(device() != nullptr);
    QList<ui::Outcome> outcomes;
    const auto take = [&outcomes](const ui::Outcome& outcome) { outcomes += outcome; };
    helper_->polkit.answer = FakePolkit::Answer::No;
    service_->stop(device()->path, false, this, take);
    QTRY_COMPARE(outcomes.size(), 1);
    QCOMPARE(outcomes[0].error, QString("NotAuthorized"));
    helper_->polkit.answer = FakePolkit::Answer::Dismissed;
    service_->stop(device()->path, true, this, take);
    QTRY_COMPARE(outcomes.size(), 2);
    QVERIFY(outcomes[1].dismissed());
    QCOMPARE(helper_->polkit.asked, (QStringList{"org.belay.stop", "org.belay.force-stop"}));
    QVERIFY(helper_->fleet.stops.empty());
}

void TestUiService::eventsAreAllKept() {
    const auto times = [this] {
        QList<qulonglong> all;
        for (const bus::Event& event : service_->events())
            all += event.time;
        return all;
    };
    QVERIFY(helper_->appear());
    helper_->tell({.atUs = 1});
    helper_->tell({.atUs = 2});
    // One that comes between the objects and the list of those before it.
    connect(service_.get(), &Service::standingChanged, this, [this, times] {
        if (times().isEmpty() && service_->standing() == Service::Standing::Running)
            helper_->tell({.atUs = 3});
    });
    service_->start();
    settleBus();
    QCOMPARE(times(), (QList<qulonglong>{1, 2, 3}));
    helper_->tell({.atUs = 4});
    settleBus();
    // belayd forgets what was before it.
    helper_->vanish();
    settleBus();
    QVERIFY(helper_->appear());
    settleBus();
    helper_->tell({.atUs = 5});
    settleBus();
    QCOMPARE(times(), (QList<qulonglong>{1, 2, 3, 4, 5}));
}

// Anybody on the bus may send what looks like belayd's signals.
void TestUiService::strangersAreNotBelieved() {
    QVERIFY(helper_->appear());
    service_->start();
    QTRY_VERIFY(device() != nullptr);
    QDBusConnection stranger = connectToTestBus();
    QDBusMessage changed = QDBusMessage::createSignal(
        device()->path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
    changed << bus::kDeviceInterface << QVariantMap{{"State", "failed"}} << QStringList();
    QVERIFY(stranger.send(changed));
    QDBusMessage removed = QDBusMessage::createSignal(
        bus::kRootPath, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
    removed << QVariant::fromValue(QDBusObjectPath(device()->path))
            << QStringList(bus::kDeviceInterface);
    QVERIFY(stranger.send(removed));
    settleBus();
    QCOMPARE(device()->state, QString("live"));
    QDBusConnection::disconnectFromBus(stranger.name());
}

void TestUiService::aHelperThatVanishesComesBack() {
    QVERIFY(helper_->appear());
    service_->start();
    QTRY_VERIFY(device() != nullptr);
    QList<ui::Outcome> outcomes;
    service_->recover(device()->path, false, this,
                      [&outcomes](const ui::Outcome& outcome) { outcomes += outcome; });
    QTRY_COMPARE(helper_->fleet.recovers.size(), std::size_t(1));
    helper_->vanish();
    QTRY_VERIFY(service_->standing() != Service::Standing::Running);
    // Who waited is told, and what was there is still shown.
    QTRY_COMPARE(outcomes.size(), 1);
    QVERIFY(!outcomes[0].ok);
    QVERIFY(device() != nullptr);
    helper_->setState("d1", lifecycle::State::Failed);
    QVERIFY(helper_->appear());
    QTRY_COMPARE(service_->standing(), Service::Standing::Running);
    QCOMPARE(device()->state, QString("failed"));
}

// One that crashes as it starts must not leave the window waiting for it.
void TestUiService::aHelperThatEndsBeforeItAnswersIsCalledAgain() {
    class Silent : public QDBusVirtualObject {
     public:
        int asked = 0;
        QString introspect(const QString&) const override { return {}; }
        bool handleMessage(const QDBusMessage& message, const QDBusConnection&) override {
            message.setDelayedReply(true);
            return ++asked > 0;
        }
    };
    Silent silent;
    QDBusConnection bus = connectToTestBus();
    QVERIFY(bus.registerVirtualObject(bus::kRootPath, &silent));
    QVERIFY(bus.registerService(bus::kService));
    service_->start();
    QTRY_VERIFY(silent.asked > 0);
    QCOMPARE(service_->standing(), Service::Standing::Connecting);
    QVERIFY(bus.unregisterService(bus::kService));
    QDBusConnection::disconnectFromBus(bus.name());
    settleBus();
    clock_->advance(300ms);
    settleBus();
    QCOMPARE(service_->standing(), Service::Standing::NotInstalled);
}

void TestUiService::withoutAHelperItSaysSo() {
    service_->start();
    QTRY_COMPARE(service_->standing(), Service::Standing::NotInstalled);
    QVERIFY(helper_->appear());
    QTRY_COMPARE(service_->standing(), Service::Standing::Running);
}

QTEST_GUILESS_MAIN(TestUiService)
#include "tst_ui_service.moc"
