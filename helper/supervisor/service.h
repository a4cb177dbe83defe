#pragma once

#include "core/base/ring.h"
#include "helper/supervisor/command_socket.h"
#include "helper/supervisor/device_manager.h"
#include "helper/supervisor/run_dir.h"
#include "helper/supervisor/store_set.h"
#include "helper/supervisor/worker_keeper.h"
#include "helper/worker/confine.h"
#include "helper/worker/role.h"

#include <signal.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace belay::helper {

struct ServiceOptions {
    std::vector<StoreArg> stores;
    bool initiates = false;         // whether devices are to be made
    std::string stateDir;           // what is kept over reboots
    lifecycle::Policy policy;       // of new devices
    std::size_t writeLogBytes = 0;  // the bound of each device's write log; 0: none
};

// What both supervisors are: a worker kept alive for each direction that is used (see WorkerRole),
// devices, stores, signals and commands. The host's and the gadget's add how their link comes and
// goes.
//
// - What becomes of one worker has no part in what becomes of the other.
// - SIGTERM or SIGINT: removes every device and ends. A device in use stops that, with a message
//   that says who uses it, and it goes on; a second signal soon after forces.
// - kill -9 leaves the devices to the next supervisor with the same run directory. That one goes on
//   where this one was: what cannot be had at once is done without for a while, and is no mistake
//   of whoever starts it.
class Service {
 public:
    virtual ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // Until it is told to end. The value is main()'s.
    Result<int> run();

 protected:
    Service(Ring& ring, RunDir runDir, const Identity& worker, ServiceOptions options);

    // See WorkerKeeper::Hooks::makeWay.
    virtual Result<void> makeWay(WorkerRole) { return {}; }
    virtual Result<WorkerKeeper::Start> prepareWorker(WorkerRole role) = 0;
    // Messages of a worker that are not about devices or stores.
    virtual void workerMessage(WorkerRole, const Json&) {}
    virtual void workerReady(WorkerRole) {}
    virtual void workerDied(WorkerRole) {}
    // See WorkerKeeper::Hooks::lingers.
    virtual void workerLingers(WorkerRole) {}
    virtual void workerKeepsDying(WorkerRole) {}
    // One that devices_ has no more.
    virtual void deviceGone() {}
    // A session has begun; devices_ has what is offered in it.
    virtual void exportsOffered() {}
    virtual bool wanted(const wire::ExportInfo& info) const = 0;
    // What status says beyond the devices.
    virtual void addStatus(Json&) const {}
    // Before the first worker starts, and after the last have ended.
    virtual Result<void> begin() { return {}; }
    virtual void end() {}

    static void announce(const std::string& line);
    void fail(const Error& reason);
    // It was told to end, or cannot go on.
    bool isEnding() const { return stopping_ || finishing_; }
    WorkerKeeper& keeperOf(WorkerRole role) {
        return role == WorkerRole::Initiator ? initiator_ : target_;
    }

    Ring& ring_;
    const RunDir runDir_;
    const Identity worker_;
    const lifecycle::Policy policy_;
    StoreSet stores_;
    WorkerKeeper initiator_;
    WorkerKeeper target_;
    DeviceManager devices_;

 private:
    WorkerKeeper::Hooks keeperHooks(WorkerRole role);
    void heard(WorkerRole role, const Json& message, std::vector<Fd>& fds);
    void keepsDying(WorkerRole role);
    void startInitiatorIfIdle();
    void startTarget();
    Json workersStatus() const;
    DeviceHooks deviceHooks(std::size_t writeLogBytes);
    void command(const Json& request, const CommandServer::Reply& reply);
    void answerStatus(CommandServer::Reply reply);
    void reported(WorkerRole role);
    void flushStatus();
    Result<void> watchSignals();
    void attach(const std::string& share, const CommandServer::Reply& reply);
    void askedToEnd();
    void stopAll(bool force);
    void stopNext(bool force);
    void goOnIfRefused();
    void endWhenEmpty();
    void finish(int status);

    const bool initiates_;
    bool goesOn_ = false;  // the last with this run directory was killed, or has left devices
    Fd signals_;
    std::unique_ptr<FdWatch> signalWatch_;
    std::unique_ptr<CommandServer> commands_;
    std::vector<CommandServer::Reply> waitingForReport_;
    std::set<WorkerRole> reportsDue_;
    std::deque<DeviceId> toStop_;
    int stopsUnderWay_ = 0;
    bool refused_ = false;                // by one of those being stopped to end
    std::optional<TimePoint> refusedAt_;  // the end
    bool stopping_ = false;
    bool finishing_ = false;
    int exitStatus_ = 0;
};

// The commands that both programs know: "status [--json]", "attach NAME", "stop DEVICE [--force]",
// "recover DEVICE [--accept-loss]", "policy DEVICE POLICY" and "rescan DEVICE", to the one that
// runs with this run directory.
bool isCommand(const std::string& word);
int commandMain(const std::string& runDir, const std::vector<std::string>& words);

}  // namespace belay::helper
