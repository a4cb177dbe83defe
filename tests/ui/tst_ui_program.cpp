#include "tests/ui/fake_helper.h"
#include "tests/ui/fake_notifications.h"
#include "tests/ui/fake_tray.h"
#include "ui/desktop/single_instance.h"

#include <signal.h>

#include <QtCore/QProcess>
#include <QtDBus/QDBusConnectionInterface>
#include <QtDBus/QDBusPendingCall>
#include <QtDBus/QDBusReply>
#include <QtTest/QSignalSpy>
#include <QtTest/QTest>

using namespace belay;
using namespace belay::test;

// The program itself, as it is started from a menu, by the session and from a terminal.
class TestUiProgram : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();

    void helpAndVersionNeedNoDisplay();
    void withoutADisplayItSaysSo();
    void wrongOptionsAreRefused();
    void itConnectsToTheHelper();
    void aSecondStartAsksTheFirst();
    void theSessionsStartAsksNobody();
    void itRunsWithoutASessionBus();
    void aFirstThatHangsIsTold();
    void itEndsAndTakesBackWhatItShowed_data();
    void itEndsAndTakesBackWhatItShowed();

 private:
    static constexpr auto kName = "org.belay.Belay";
    struct Ran {
        int status = -1;
        QString out;
        QString err;
    };
    static Ran run(const QStringList& arguments, const QProcessEnvironment& environment);
    bool named() const {
        return helper_->client().interface()->isServiceRegistered(QLatin1String(kName));
    }
    // Starts one that stays.
    QProcess& start(const QStringList& arguments = {});

    QProcessEnvironment environment_;
    std::unique_ptr<FakeHelper> helper_;
    std::vector<std::unique_ptr<QProcess>> started_;
};

void TestUiProgram::init() {
    environment_ = QProcessEnvironment::systemEnvironment();
    helper_ = std::make_unique<FakeHelper>();
    QVERIFY(helper_->appear());
}

void TestUiProgram::cleanup() {
    for (const auto& process : started_) {
        process->kill();
        process->waitForFinished();
    }
    started_.clear();
    helper_.reset();
}

TestUiProgram::Ran TestUiProgram::run(const QStringList& arguments,
                                      const QProcessEnvironment& environment) {
    QProcess process;
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral(BELAY_PROGRAM), arguments);
    // The event loop goes on: the first one or belayd may be in this process.
    if (!QTest::qWaitFor([&process] { return process.state() == QProcess::NotRunning; },
                         kPatienceMs)) {
        process.kill();
        process.waitForFinished();
    }
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
            QString::fromUtf8(process.readAllStandardOutput()),
            QString::fromUtf8(process.readAllStandardError())};
}

QProcess& TestUiProgram::start(const QStringList& arguments) {
    started_.push_back(std::make_unique<QProcess>());
    QProcess& process = *started_.back();
    process.setProcessEnvironment(environment_);
    process.setProcessChannelMode(QProcess::ForwardedChannels);
    process.start(QStringLiteral(BELAY_PROGRAM), arguments);
    return process;
}

void TestUiProgram::helpAndVersionNeedNoDisplay() {
    environment_.remove("QT_QPA_PLATFORM");
    environment_.remove("DISPLAY");
    const Ran version = run({"--version"}, environment_);
    QCOMPARE(version.status, 0);
    QCOMPARE(version.out, QString("belay %1\n").arg(BELAY_VERSION));
    const Ran help = run({"--help"}, environment_);
    QCOMPARE(help.status, 0);
    QVERIFY2(help.out.contains("--background"), qPrintable(help.out));
}

void TestUiProgram::withoutADisplayItSaysSo() {
    environment_.remove("QT_QPA_PLATFORM");
    environment_.remove("DISPLAY");
    const Ran ran = run({}, environment_);
    QCOMPARE(ran.status, 1);
    QVERIFY2(ran.err.contains("no display"), qPrintable(ran.err));
}

void TestUiProgram::wrongOptionsAreRefused() {
    const Ran ran = run({"--backgruond"}, environment_);
    QCOMPARE(ran.status, 1);
    QVERIFY2(ran.err.contains("backgruond"), qPrintable(ran.err));
    QVERIFY(!named());
}

void TestUiProgram::itConnectsToTheHelper() {
    QVERIFY(!helper_->fleet.watched);
    start();
    QTRY_VERIFY(helper_->fleet.watched);
    QVERIFY(named());
}

void TestUiProgram::aSecondStartAsksTheFirst() {
    ui::SingleInstance first(connectToTestBus());
    QSignalSpy activated(&first, &ui::SingleInstance::activated);
    QVERIFY(first.claim());
    environment_.insert("XDG_ACTIVATION_TOKEN", "token-3");
    const Ran second = run({}, environment_);
    QCOMPARE(second.status, 0);
    QCOMPARE(activated.size(), 1);
    QCOMPARE(activated[0][0].toString(), QString("token-3"));
    QVERIFY(!helper_->fleet.watched);
}

// The user may have started it before the session does.
void TestUiProgram::theSessionsStartAsksNobody() {
    QProcess& first = start();
    QTRY_VERIFY(named());
    QCOMPARE(run({"--background"}, environment_).status, 0);
    QCOMPARE(run({}, environment_).status, 0);
    QCOMPARE(first.state(), QProcess::Running);
}

void TestUiProgram::itRunsWithoutASessionBus() {
    environment_.insert("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    QProcess& process = start();
    QTRY_VERIFY(helper_->fleet.watched);
    QCOMPARE(process.state(), QProcess::Running);
}

void TestUiProgram::aFirstThatHangsIsTold() {
    QProcess& first = start();
    QTRY_VERIFY(helper_->fleet.watched);
    QCOMPARE(::kill(pid_t(first.processId()), SIGSTOP), 0);
    const Ran second = run({}, environment_);
    QCOMPARE(second.status, 1);
    QVERIFY2(second.err.contains("does not answer"), qPrintable(second.err));
}

void TestUiProgram::itEndsAndTakesBackWhatItShowed_data() {
    QTest::addColumn<int>("signal");
    QTest::newRow("from the tray") << 0;
    QTest::newRow("from a terminal") << SIGINT;
    QTest::newRow("with the session") << SIGTERM;
}

void TestUiProgram::itEndsAndTakesBackWhatItShowed() {
    QFETCH(int, signal);
    FakeTray tray;
    FakeNotifications notifications({"actions"});
    QVERIFY(tray.appear());
    QVERIFY(notifications.appear());
    QProcess& process = start({"--background"});
    QTRY_COMPARE(tray.items.size(), 1);
    helper_->setState("d1", lifecycle::State::Failed);
    QTRY_COMPARE(notifications.visible().size(), 1);
    QTRY_COMPARE(tray.properties().value("Status").toString(), QString("NeedsAttention"));
    if (signal == 0)
        tray.click(tray.entry({"_Quit"}).id);
    else
        ::kill(pid_t(process.processId()), signal);
    QTRY_COMPARE(process.state(), QProcess::NotRunning);
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 0);
    QTRY_COMPARE(notifications.visible().size(), 0);
    QTRY_VERIFY(!named());
}

QTEST_GUILESS_MAIN(TestUiProgram)
#include "tst_ui_program.moc"
