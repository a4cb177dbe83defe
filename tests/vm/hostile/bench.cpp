#include "tests/vm/hostile/bench.h"

#include <unistd.h>

#include <QRegularExpression>
#include <QTest>

namespace hostile {
namespace {

QList<QByteArray> statOf(pid_t process) {
    const QByteArray text = readFile(QString("/proc/%1/stat").arg(process));
    return text.mid(text.lastIndexOf(')') + 2).split(' ');
}

}  // namespace

Bench::Bench() {
    QString name = QTest::currentTestFunction();
    if (QTest::currentDataTag() != nullptr)
        name += QString(".") + QTest::currentDataTag();
    folder_ = QDir::currentPath() + '/' + name;
    QDir(folder_).removeRecursively();
    QDir().mkpath(folder_);
}

std::unique_ptr<Daemon> Bench::gadget(const QStringList& options, const QString& name,
                                      const QStringList& settings) {
    auto daemon =
        std::make_unique<Daemon>(name, BELAY_GADGET, "/run/belay-test/" + name, log(name));
    daemon->setEnvironment(settings);
    daemon->start(QStringList{"--name", name, "--serial", name, "--udc", "dummy_udc.0"} + options);
    return daemon;
}

std::unique_ptr<Daemon> Bench::host(const QStringList& options, const QString& name) {
    auto daemon = std::make_unique<Daemon>(name, BELAY_HOSTD, "/run/belay-test/" + name, log(name));
    daemon->start(options);
    return daemon;
}

std::unique_ptr<Program> Bench::start(const QStringList& command, const QString& name) {
    auto program = std::make_unique<Program>(name, log(name));
    program->start(command.first(), command.mid(1));
    return program;
}

Disk Bench::disk(const QString& label, int mib) {
    return Disk(label, "/run/belay-test/stores/" + label, mib);
}

void inTurn(const std::function<void(Bench&)>& body) {
    static int begun = 0;
    if (alternates(begun++))
        guarded(body);
    else
        QTest::qSkip("played on the other kernel; BELAY_TEST_FULL=1 plays it on both", __FILE__,
                     __LINE__);
}

void guarded(const std::function<void(Bench&)>& body) {
    Bench bench;
    try {
        body(bench);
    } catch (const std::exception& failure) {
        QFile kernel(bench.log("kernel"));
        if (kernel.open(QIODevice::WriteOnly))
            kernel.write(kernelLog());
        const QString text =
            QString("%1\n   Look in %2").arg(failure.what(), QDir(bench.folder()).dirName());
        QTest::qFail(qPrintable(text), __FILE__, __LINE__);
    }
}

QString deviceState(const Daemon& daemon, const QString& label, const char* field) {
    const auto status = daemon.status();
    if (!status)
        return {};
    for (const auto& device : status->at("devices"))
        if (device.at("label") == label.toStdString())
            return QString::fromStdString(device.at(field));
    return {};
}

QString waitForLive(const Daemon& daemon, const QString& label, Milliseconds limit) {
    const auto otherwise = [&] {
        return QString("%1 of %2 is not live but \"%3\"; %2 says:\n%4")
            .arg(label, daemon.name(), deviceState(daemon, label),
                 QString::fromUtf8(daemon.output().right(1500)));
    };
    await([&] { return deviceState(daemon, label) == "live"; }, otherwise, limit, 20ms);
    return deviceState(daemon, label, "node");
}

void stopAll(const Daemon& daemon) {
    const auto status = daemon.status();
    require(status.has_value(), daemon.name() + " does not answer");
    for (const auto& device : status->at("devices")) {
        const QString node = QString::fromStdString(device.at("node"));
        const Outcome outcome = daemon.command({"stop", node, "--force"}, 10s);
        // One that was just being made may have gone by itself.
        require(outcome.status == 0 || !QFile::exists(node),
                QString("%1 cannot be stopped: %2").arg(node, QString::fromUtf8(outcome.output)));
        require(outcome.ms < 5000, QString("stopping %1 took %2 ms").arg(node).arg(outcome.ms));
        require(!QFile::exists(node), node + " is still there");
    }
}

int workerDeaths(const Daemon& daemon) {
    const auto status = daemon.status();
    require(status.has_value(), daemon.name() + " does not answer");
    int deaths = 0;
    for (const auto& worker : status->at("workers"))
        deaths += worker.at("deaths").get<int>();
    return deaths;
}

qint64 cpuTimeOf(pid_t process) {
    // utime and stime, fields 14 and 15 of proc_pid_stat(5); the third is the first here.
    const QList<QByteArray> fields = statOf(process);
    if (fields.size() < 13)
        return 0;
    return (fields[11].toLongLong() + fields[12].toLongLong()) * 1000 / ::sysconf(_SC_CLK_TCK);
}

qint64 cpuTime(Daemon& daemon) {
    qint64 sum = cpuTimeOf(daemon.supervisor());
    for (const pid_t worker : daemon.workers())
        sum += cpuTimeOf(worker);
    return sum;
}

qint64 residentKiB(Daemon& daemon) {
    qint64 pages = 0;
    for (const pid_t worker : daemon.workers())
        pages += readFile(QString("/proc/%1/statm").arg(worker)).split(' ').value(1).toLongLong();
    return pages * ::sysconf(_SC_PAGESIZE) / 1024;
}

void waitForText(const Daemon& daemon, const QString& text, qsizetype from, Milliseconds limit) {
    const QRegularExpression wanted(text);
    const auto said = [&] {
        return wanted.match(QString::fromUtf8(daemon.output().mid(from))).hasMatch();
    };
    require(
        waitUntil(said, limit, 20ms),
        QString("%1 has not said \"%2\" but:\n%3")
            .arg(daemon.name(), text, QString::fromUtf8(daemon.output().mid(from).right(1500))));
}

}  // namespace hostile
