#pragma once

#include "tests/vm/scenario/daemon.h"
#include "tests/vm/scenario/disk.h"
#include "tests/vm/scenario/machine.h"

#include <QDir>

namespace hostile {

using namespace scenario;

// Where one test function keeps what its programs print; what the programs are called there.
class Bench {
 public:
    Bench();

    QString log(const QString& name) const { return folder_ + '/' + name + ".log"; }
    // belay-gadget on dummy_udc.0 and belay-hostd, each with a run directory of its own. `name`: of
    // the gadget in configfs, and of the log.
    // `settings`: NAME=VALUE lines for its environment.
    std::unique_ptr<Daemon> gadget(const QStringList& options, const QString& name = "gadget",
                                   const QStringList& settings = {});
    std::unique_ptr<Daemon> host(const QStringList& options, const QString& name = "host");
    // Any other program, started.
    std::unique_ptr<Program> start(const QStringList& command, const QString& name);

    // A store of random bytes, nobody's yet.
    Disk disk(const QString& label, int mib = 4);
    const QString& folder() const { return folder_; }

 private:
    QString folder_;
};

// Runs one test function's body: a Failure fails the test, with a look at `folder`.
void guarded(const std::function<void(Bench& bench)>& body);
// The same, but a program's scenarios take turns on the two kernels (see alternates()).
void inTurn(const std::function<void(Bench& bench)>& body);

// The state of the device with this label ("live", ...), or what `field` says; empty without it.
QString deviceState(const Daemon& daemon, const QString& label, const char* field = "state");
// Waits for it to be live; its node.
QString waitForLive(const Daemon& daemon, const QString& label, Milliseconds limit = kPatience);
// Stops every device of the daemon by force, each within five seconds.
void stopAll(const Daemon& daemon);
// How often workers have died.
int workerDeaths(const Daemon& daemon);
// Processor time used so far, in milliseconds, by user and kernel; of a process, and of supervisor
// and workers.
qint64 cpuTimeOf(pid_t process);
qint64 cpuTime(Daemon& daemon);
// Resident memory of the workers in KiB.
qint64 residentKiB(Daemon& daemon);
// Waits until the daemon's output has `text` (a regular expression) behind its first `from` bytes.
void waitForText(const Daemon& daemon, const QString& text, qsizetype from,
                 Milliseconds limit = kPatience);

}  // namespace hostile
