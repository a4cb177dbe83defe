#include "tests/vm/scenario/program.h"

#include <signal.h>

#include <QFile>

namespace scenario {
namespace {

int statusOf(const QProcess& process) {
    return process.exitStatus() == QProcess::NormalExit ? process.exitCode()
                                                        : 128 + process.exitCode();
}

}  // namespace

Program::Program(QString name, QString log) : name_(std::move(name)), log_(std::move(log)) {
    process_.setProcessChannelMode(QProcess::MergedChannels);
    process_.setStandardOutputFile(log_, QIODevice::Append);
}

Program::~Program() {
    if (!running())
        return;
    process_.kill();
    process_.waitForFinished(5000);
}

void Program::setEnvironment(const QStringList& settings) {
    process_.setEnvironment(QProcess::systemEnvironment() + settings);
}

void Program::start(const QString& program, const QStringList& arguments) {
    process_.start(program, arguments);
    require(process_.waitForStarted(), name_ + " does not start: " + process_.errorString());
}

void Program::signal(int number) {
    require(running(), name_ + " has ended already");
    ::kill(pid(), number);
}

int Program::finish(Milliseconds limit) {
    if (running())
        require(process_.waitForFinished(static_cast<int>(limit.count())),
                QString("%1 (process %2) has not ended after %3 ms")
                    .arg(name_)
                    .arg(pid())
                    .arg(limit.count()));
    return statusOf(process_);
}

void Program::succeed(Milliseconds limit) {
    const int status = finish(limit);
    require(status == 0, QString("%1 ended with status %2:\n%3")
                             .arg(name_)
                             .arg(status)
                             .arg(QString::fromUtf8(output().right(2000))));
}

QByteArray Program::output() const {
    QFile file(log_);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void endLoad(Program& load) {
    require(load.running(), "the load has ended:\n" + load.output());
    load.signal(SIGINT);
    load.finish(60s);
    require(load.output().contains("err= 0"), "the load saw an error:\n" + load.output());
}

Outcome run(const QStringList& command, Milliseconds limit) {
    QElapsedTimer clock;
    clock.start();
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(command.first(), command.mid(1));
    require(process.waitForFinished(static_cast<int>(limit.count())),
            QString("\"%1\" has not ended after %2 ms: %3")
                .arg(command.join(' '))
                .arg(limit.count())
                .arg(process.errorString()));
    return {statusOf(process), process.readAll().trimmed(), clock.elapsed()};
}

QByteArray mustRun(const QStringList& command, Milliseconds limit) {
    const Outcome outcome = run(command, limit);
    require(outcome.status == 0, QString("\"%1\" failed (%2):\n%3")
                                     .arg(command.join(' '))
                                     .arg(outcome.status)
                                     .arg(QString::fromUtf8(outcome.output.right(2000))));
    return outcome.output;
}

}  // namespace scenario
