#include "core/lifecycle/state.h"
#include "tests/bus/harness.h"

#include <QtCore/QFile>
#include <QtCore/QRegularExpression>
#include <QtCore/QTemporaryDir>
#include <QtTest/QTest>

using namespace belay;
using namespace belay::test;

// The files that the system around belayd reads, read by those that read them.
class TestBusPackaging : public QObject {
    Q_OBJECT

 private slots:
    void polkitKnowsEveryAction_data();
    void polkitKnowsEveryAction();
    void theUnitIsSound();
    void theBusFindsTheUnit();
};

void TestBusPackaging::polkitKnowsEveryAction_data() {
    QTest::addColumn<QString>("active");
    QTest::newRow("org.belay.attach") << "yes";
    QTest::newRow("org.belay.lend") << "yes";
    QTest::newRow("org.belay.lend-path") << "auth_admin";
    QTest::newRow("org.belay.recover") << "yes";
    QTest::newRow("org.belay.stop") << "yes";
    QTest::newRow("org.belay.force-stop") << "auth_admin";
    QTest::newRow("org.belay.set-policy") << "auth_admin_keep";
    QTest::newRow("org.belay.rescan") << "yes";
}

void TestBusPackaging::polkitKnowsEveryAction() {
    QFETCH(QString, active);
    const Ran ran =
        runAs(kDenied, {"pkaction", "--verbose", "--action-id", QTest::currentDataTag()});
    QCOMPARE(ran.status, 0);
    const auto value = [&](const QString& name) {
        const QRegularExpression line("^ *" + name + ": +(.*)$",
                                      QRegularExpression::MultilineOption);
        return line.match(ran.out).captured(1);
    };
    QCOMPARE(value("implicit any"), QString("auth_admin"));
    QCOMPARE(value("implicit inactive"), QString("auth_admin"));
    QCOMPARE(value("implicit active"), active);
    QVERIFY2(value("message").contains("$(device)"), qPrintable(ran.out));
    QVERIFY(!value("description").isEmpty());
}

void TestBusPackaging::theUnitIsSound() {
    QFile unit(BELAY_PACKAGING_DIR "/belayd.service");
    QVERIFY(unit.open(QIODevice::ReadOnly));
    QByteArray text = unit.readAll();
    QVERIFY(text.contains("/belay/belayd --idle-exit"));
    // It is not installed where it says.
    text.replace(QByteArray("ExecStart="), "ExecStart=/bin/true ");
    QTemporaryDir dir;
    QFile copy(dir.filePath("belayd.service"));
    QVERIFY(copy.open(QIODevice::WriteOnly));
    copy.write(text);
    copy.close();
    const Ran verified = runAs(kRoot, {"systemd-analyze", "verify", copy.fileName()});
    QVERIFY2(verified.status == 0 && verified.err.isEmpty(), qPrintable(verified.err));

    // How much of the system a taken-over belayd would still reach: 10 is all.
    const Ran security = runAs(
        kRoot, {"systemd-analyze", "security", "--no-pager", "--offline=yes", copy.fileName()});
    const QRegularExpression form("exposure level for belayd.service: ([0-9.]+)");
    const double exposure = form.match(security.out).captured(1).toDouble();
    qInfo("exposure %.1f", exposure);
    QVERIFY2(exposure > 0 && exposure <= 4.5, qPrintable(security.out.right(500)));
}

void TestBusPackaging::theBusFindsTheUnit() {
    QFile file(BELAY_PACKAGING_DIR "/org.belay.Helper1.service");
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray text = file.readAll();
    QVERIFY(text.contains("\nName=org.belay.Helper1\n"));
    QVERIFY(text.contains("\nSystemdService=belayd.service\n"));
    QVERIFY(text.contains("/belay/belayd --idle-exit"));
}

QTEST_GUILESS_MAIN(TestBusPackaging)
#include "tst_bus_packaging.moc"
