#include "core/base/stop_point.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <cstring>

// This program is its own victim: started with "visit", it comes to the place "here" five times.
class TestStopPoint : public QObject {
    Q_OBJECT

 private slots:
    void diesAtItsPlaceAlone();
    void takesOneToken();
    void holdsWhereItIs();
};

namespace {

constexpr char kVisit[] = "visit";

int visit() {
    for (int times = 1; times <= 5; ++times) {
        belay::stopPoint("there");
        belay::stopPoint("here", [] {
            std::puts("prepared");
            std::fflush(stdout);
        });
        std::printf("%d\n", times);
        std::fflush(stdout);
    }
    return 0;
}

void start(QProcess& process, const QStringList& settings) {
    const QStringList environment = QProcess::systemEnvironment() + settings;
    process.setEnvironment(environment);
    process.start(QCoreApplication::applicationFilePath(), {kVisit});
}

// What it printed, and how it ended.
QByteArray output(const QStringList& settings) {
    QProcess process;
    start(process, settings);
    process.waitForFinished();
    return process.readAll().simplified() +
           (process.exitStatus() == QProcess::CrashExit ? " killed" : " ended");
}

}  // namespace

void TestStopPoint::diesAtItsPlaceAlone() {
    QCOMPARE(output({}), "1 2 3 4 5 ended");
    QCOMPARE(output({"BELAY_STOP_AT=nowhere"}), "1 2 3 4 5 ended");
    QCOMPARE(output({"BELAY_STOP_AT=here"}), "prepared killed");
    QCOMPARE(output({"BELAY_STOP_AT=here:3"}), "1 2 prepared killed");
    QCOMPARE(output({"BELAY_STOP_AT=here:6"}), "1 2 3 4 5 ended");
}

void TestStopPoint::takesOneToken() {
    const QTemporaryDir folder;
    const QByteArray path = folder.filePath("once").toLocal8Bit();
    QVERIFY(::mkfifo(path.constData(), 0600) == 0);
    const int held = ::open(path.constData(), O_RDWR);
    QVERIFY(held >= 0);
    const QStringList settings = {"BELAY_STOP_AT=here:2",
                                  "BELAY_STOP_ONCE=" + QString::fromLocal8Bit(path)};
    QCOMPARE(output(settings), "1 2 3 4 5 ended");
    QVERIFY(::write(held, "!", 1) == 1);
    QCOMPARE(output(settings), "1 prepared killed");
    QCOMPARE(output(settings), "1 2 3 4 5 ended");
    ::close(held);
}

void TestStopPoint::holdsWhereItIs() {
    QProcess process;
    start(process, {"BELAY_STOP_AT=here:4", QString("BELAY_STOP_SIGNAL=%1").arg(SIGSTOP)});
    QVERIFY(process.waitForStarted());
    const auto pid = static_cast<pid_t>(process.processId());
    siginfo_t info{};
    QCOMPARE(::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOWAIT), 0);
    QCOMPARE(info.si_code, CLD_STOPPED);
    ::kill(pid, SIGCONT);
    QVERIFY(process.waitForFinished());
    QCOMPARE(process.readAll().simplified(), "1 2 3 prepared 4 5");
}

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], kVisit) == 0)
        return visit();
    QCoreApplication app(argc, argv);
    TestStopPoint test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_stop_point.moc"
