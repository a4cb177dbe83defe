#pragma once

#include "tests/vm/scenario/program.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace scenario {

// belay-gadget or belay-hostd: a supervisor with its worker, or one for each direction that it is
// used in; started, watched and killed.
class Daemon {
 public:
    // `program` is its path, `runDir` its --run-dir, `log` where its output goes.
    Daemon(const QString& name, QString program, QString runDir, const QString& log);
    virtual ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    // Starts it; it need not be ready when this returns.
    virtual void start(const QStringList& options);
    // For the next start, and for those after it.
    void setEnvironment(const QStringList& settings) { program_.setEnvironment(settings); }
    // Starts it again as it was started last.
    virtual void startAgain() { start(options_); }
    // SIGTERM; fails unless it leaves with 0 in time.
    virtual void end(Milliseconds limit = 10s);
    // The same once its worker is ready: one that is just starting does not know yet what to clean
    // up.
    virtual void endWhenReady();
    // After a failed scenario: asks it to end, so that it takes its devices along, then forces it
    // to.
    virtual void forceEnd();
    virtual bool running() const { return program_.running(); }
    // For one that outlasts the scenario: waits until it has seen that its peer has ended, so that
    // the next scenario does not find the last one's.
    virtual void awaitPeerGone() const {}

    // SIGKILL to the supervisor; its worker may be unable to die yet.
    virtual void killOnlySupervisor();
    // SIGKILL; they return when the kernel has buried it: the supervisor, the worker it has just
    // now, or the supervisor and the worker it takes along.
    void killWorker();
    virtual void killSupervisor();
    // The worker's process, once there is one; waits for it. Only of one with a single direction.
    virtual pid_t worker();
    // That of the "initiator" or the "target".
    pid_t worker(const QString& role);
    // All that there are; waits for the first.
    std::vector<pid_t> workers();
    virtual pid_t supervisor() const { return program_.pid(); }
    // False if it serves on without its supervisor.
    virtual bool workerDiesWithSupervisor() const { return true; }

    // What "status --json" says; nothing if it does not answer.
    virtual std::optional<nlohmann::json> status() const;
    // What it tells of the device with this label.
    virtual std::optional<nlohmann::json> device(const QString& label) const;
    // "stop ublkb0" and its like, typed as a user would.
    virtual Outcome command(const QStringList& words, Milliseconds limit = kPatience) const;

    virtual QByteArray output() const { return program_.output(); }
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
