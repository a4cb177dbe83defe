#include "tests/ui/fake_helper.h"
#include "ui/model/bus_owner.h"

#include <QtDBus/QDBusConnectionInterface>
#include <QtTest/QSignalSpy>
#include <QtTest/QTest>

using namespace belay::test;
using belay::ui::BusOwner;

namespace {

const QString kName = QStringLiteral("org.belay.Test");

}  // namespace

// Who has a name on a real bus.
class TestUiBusOwner : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();

    void whoHasItAlreadyIsFound();
    void nobodyIsTold();
    void everyChangeIsTold();
    void aNewOwnerTakesItOver();
    void anOwnerIsKnownBeforeItSpeaks();

 public slots:
    void heard(const QDBusMessage& signal) { heard_ += {signal.service(), owner_->owner()}; }

 private:
    // Gives the name to a connection, or takes it over from who has it.
    static bool give(const QDBusConnection& bus) {
        return bus.interface()
                   ->registerService(kName, QDBusConnectionInterface::ReplaceExistingService,
                                     QDBusConnectionInterface::AllowReplacement)
                   .value() == QDBusConnectionInterface::ServiceRegistered;
    }

    QDBusConnection client_{QString()};
    QDBusConnection first_{QString()};
    QDBusConnection second_{QString()};
    std::unique_ptr<BusOwner> owner_;
    std::unique_ptr<QSignalSpy> changed_;
    QStringList heard_;  // by turns who has sent a signal, and who was the owner then
};

void TestUiBusOwner::init() {
    client_ = connectToTestBus();
    first_ = connectToTestBus();
    second_ = connectToTestBus();
    owner_ = std::make_unique<BusOwner>(client_, kName);
    changed_ = std::make_unique<QSignalSpy>(owner_.get(), &BusOwner::changed);
    heard_.clear();
}

void TestUiBusOwner::cleanup() {
    changed_.reset();
    owner_.reset();
    for (QDBusConnection* const bus : {&client_, &first_, &second_}) {
        QDBusConnection::disconnectFromBus(bus->name());
        *bus = QDBusConnection(QString());
    }
}

void TestUiBusOwner::whoHasItAlreadyIsFound() {
    QVERIFY(give(first_));
    owner_->start();
    QCOMPARE(owner_->owner(), QString());
    QTRY_COMPARE(changed_->size(), 1);
    QCOMPARE(changed_->at(0), QVariantList({QString(), first_.baseService()}));
    QCOMPARE(owner_->owner(), first_.baseService());
}

void TestUiBusOwner::nobodyIsTold() {
    owner_->start();
    QTRY_COMPARE(changed_->size(), 1);
    QCOMPARE(changed_->at(0), QVariantList({QString(), QString()}));
}

void TestUiBusOwner::everyChangeIsTold() {
    owner_->start();
    QTRY_COMPARE(changed_->size(), 1);
    QVERIFY(give(first_));
    QTRY_COMPARE(changed_->size(), 2);
    QVERIFY(first_.unregisterService(kName));
    QTRY_COMPARE(changed_->size(), 3);
    QCOMPARE(owner_->owner(), QString());
    QVERIFY(give(second_));
    QTRY_COMPARE(owner_->owner(), second_.baseService());
    // One that goes without a word.
    QDBusConnection::disconnectFromBus(second_.name());
    second_ = QDBusConnection(QString());
    QTRY_COMPARE(owner_->owner(), QString());
    QCOMPARE(changed_->size(), 5);
}

void TestUiBusOwner::aNewOwnerTakesItOver() {
    QVERIFY(give(first_));
    owner_->start();
    QTRY_COMPARE(changed_->size(), 1);
    QVERIFY(give(second_));
    QTRY_COMPARE(changed_->size(), 2);
    QCOMPARE(changed_->at(1), QVariantList({first_.baseService(), second_.baseService()}));
}

void TestUiBusOwner::anOwnerIsKnownBeforeItSpeaks() {
    const QString path = QStringLiteral("/test");
    const QString interface = QStringLiteral("org.belay.Test1");
    QVERIFY(client_.connect(QString(), path, interface, QStringLiteral("Spoke"), this,
                            SLOT(heard(QDBusMessage))));
    owner_->start();
    QStringList expected;
    for (const QDBusConnection& bus : {first_, second_, first_, second_}) {
        QVERIFY(give(bus));
        QVERIFY(bus.send(QDBusMessage::createSignal(path, interface, QStringLiteral("Spoke"))));
        // It has reached the bus before somebody else has the name.
        QVERIFY(bus.interface()->isServiceRegistered(kName));
        expected += {bus.baseService(), bus.baseService()};
    }
    QTRY_COMPARE(heard_.size(), expected.size());
    QCOMPARE(heard_, expected);
}

QTEST_GUILESS_MAIN(TestUiBusOwner)
#include "tst_ui_bus_owner.moc"
