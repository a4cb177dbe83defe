#pragma once

#include "tests/vm/scenario/failure.h"

#include <sys/types.h>

#include <QElapsedTimer>
#include <QProcess>
#include <QStringList>

namespace scenario {

// A program that runs beside the scenario, its output in a file of its own; killed with its object.
class Program {
 public:
    // `name` is for messages; `log` gets what it prints, after what is there already.
    Program(QString name, QString log);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    // Adds NAME=VALUE lines to the environment of those that are started from now on.
    void setEnvironment(const QStringList& settings);
    void start(const QString& program, const QStringList& arguments);
    bool running() const { return process_.state() != QProcess::NotRunning; }
    pid_t pid() const { return static_cast<pid_t>(process_.processId()); }
    void signal(int number);
    // Waits for its end. The exit status; 128 + n if signal n ended it.
    int finish(Milliseconds limit = kPatience);
    // The same, and fails unless the status is 0.
    void succeed(Milliseconds limit = kPatience);

    // Everything printed so far by it and by those before it with the same log.
    QByteArray output() const;
    const QString& name() const { return name_; }

 private:
    QString name_;
    QString log_;
    QProcess process_;
};

// Has a fio that would go on be told to end: fails if it saw an error by then, or sees one.
void endLoad(Program& load);

// What became of a command that was run to its end.
struct Outcome {
    int status = 0;  // as Program::finish()
    QByteArray output;
    qint64 ms = 0;
};

// Runs it; fails if it takes longer than `limit`, not if it fails.
Outcome run(const QStringList& command, Milliseconds limit = 60s);
// Runs it; what it printed. Fails if it does.
QByteArray mustRun(const QStringList& command, Milliseconds limit = 60s);

}  // namespace scenario
