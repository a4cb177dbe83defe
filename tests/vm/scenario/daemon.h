#pragma once

#include "tests/vm/scenario/program.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace scenario {

// belay-gadget or belay-hostd: a supervisor with its worker, started, watched and killed.
class Daemon {
 public:
    // `program` is its path, `runDir` its --run-dir, `log` where its output goes.
    Daemon(const QString& name, QString program, QString runDir, const QString& log);
    ~Daemon();

    // Starts it; it need not be ready when this returns.
    void start(const QStringList& options);
    // For the next start, and for those after it.
    void setEnvironment(const QStringList& settings) { program_.setEnvironment(settings); }
    // Starts it again as it was started last.
    void startAgain() { start(options_); }
    // SIGTERM; fails unless it leaves with 0 in time.
    void end(Milliseconds limit = 10s);
    // After a failed scenario: asks it to end, so that it takes its devices along, then forces it
    // to.
    void forceEnd();
    bool running() const { return program_.running(); }

    // SIGKILL to the supervisor; its worker may be unable to die yet.
    void killOnlySupervisor();
    // SIGKILL; they return when the kernel has buried it: the supervisor, the worker it has just
    // now, or the supervisor and the worker it takes along.
    void killWorker();
    void killSupervisor();
    // The worker's process, once it is ready; waits for it.
    pid_t worker();
    pid_t supervisor() const { return program_.pid(); }

    // What "status --json" says; nothing if it does not answer.
    std::optional<nlohmann::json> status() const;
    // "stop ublkb0" and its like, typed as a user would.
    Outcome command(const QStringList& words, Milliseconds limit = kPatience) const;

    QByteArray output() const { return program_.output(); }
    const QString& name() const { return program_.name(); }
    const QString& runDir() const { return runDir_; }

 private:
    QString path_;
    QString runDir_;
    QStringList options_;
    Program program_;
};

// True once the process is gone, or a zombie that holds nothing any more.
bool isDead(pid_t process);

}  // namespace scenario
