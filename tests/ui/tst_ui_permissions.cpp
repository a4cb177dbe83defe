#include "tests/bus/harness.h"

#include <QtCore/QFile>
#include <QtTest/QTest>

using namespace belay::test;

// What the window shows of a user's rights, asked of the real polkitd.
class TestUiPermissions : public QObject {
    Q_OBJECT

 private slots:
    void saysWhatPolkitWillSay_data();
    void saysWhatPolkitWillSay();
    void followsThePolicy();

 private:
    static void start(QProcess& probe, const char* user) {
        // Where it was built may be a folder that only its owner enters.
        const QString program = "/run/belay-test/permissions_probe";
        QFile::copy(BELAY_PERMISSIONS_PROBE, program);
        const QStringList command = commandAs(user, {program});
        probe.start(command.first(), command.mid(1));
    }
};

void TestUiPermissions::saysWhatPolkitWillSay_data() {
    QTest::addColumn<QString>("user");
    QTest::addColumn<QString>("answers");
    QTest::newRow("allowed") << kAllowed << "stop Yes attach Yes recover Yes";
    QTest::newRow("denied") << kDenied << "stop No attach No recover No";
    QTest::newRow("asked") << kAsked << "stop Password attach Password recover Password";
}

void TestUiPermissions::saysWhatPolkitWillSay() {
    QFETCH(const QString, user);
    QFETCH(const QString, answers);
    QProcess probe;
    start(probe, qPrintable(user));
    QString said;
    QTRY_VERIFY_WITH_TIMEOUT((said += probe.readAllStandardOutput(), said.contains('\n')), 15'000);
    QCOMPARE(said.trimmed(), answers);
    probe.kill();
    probe.waitForFinished();
}

void TestUiPermissions::followsThePolicy() {
    QProcess probe;
    start(probe, kDenied);
    QString said;
    QTRY_VERIFY_WITH_TIMEOUT(
        (said += probe.readAllStandardOutput(), said.contains("stop No attach No")), 15'000);
    // An earlier rule wins.
    QFile rule("/etc/polkit-1/rules.d/00-test.rules");
    QVERIFY(rule.open(QIODevice::WriteOnly));
    rule.write(
        "polkit.addRule(function (action, subject) {\n"
        "    if (action.id == 'org.belay.stop') return polkit.Result.YES;\n"
        "});\n");
    rule.close();
    QTRY_VERIFY_WITH_TIMEOUT(
        (said += probe.readAllStandardOutput(), said.contains("stop Yes attach No")), 15'000);
    rule.remove();
    QTRY_VERIFY_WITH_TIMEOUT(
        (said += probe.readAllStandardOutput(), said.endsWith("stop No attach No recover No \n")),
        15'000);
    probe.kill();
    probe.waitForFinished();
}

QTEST_GUILESS_MAIN(TestUiPermissions)
#include "tst_ui_permissions.moc"
