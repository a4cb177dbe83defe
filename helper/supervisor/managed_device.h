#pragma once

#include "core/base/fd.h"
#include "core/lifecycle/machine.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/control_task.h"
#include "helper/supervisor/removal.h"
#include "helper/supervisor/state_file.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

class ManagedDevice;

// Why there is no device of an export.
Error cannotMake(const wire::ExportInfo& info, int code, const std::string& hint);
// The hint when the session that offered it has ended.
inline constexpr const char* kWentAway =
    "The other side went away meanwhile. Try again when it is back";

// What a device needs of the supervisor around it.
class DeviceOwner {
 public:
    virtual bool workerReady() const = 0;
    // The worker has a session; what it offers has been told.
    virtual bool sessionOpen() const = 0;
    virtual void tellWorker(const Json& message, const std::vector<int>& fds) = 0;
    // Of each new device; 0: it has none.
    virtual std::size_t writeLogBytes() const = 0;
    // Unless one runs.
    virtual void startWorker() = 0;
    virtual void killWorker() = 0;
    // State, problems or explanation: what must be in the state file before anything else happens.
    virtual void deviceChanged(ManagedDevice& device) = 0;
    // The last call about it.
    virtual void deviceGone(ManagedDevice& device) = 0;
    // One line for the user.
    virtual void announce(const std::string& line) = 0;

 protected:
    ~DeviceOwner() = default;
};

// One ublk device, from ADD_DEV to DEL_DEV: turns what the kernel, the worker and the user say into
// events of lifecycle::Device, and carries out the actions that come of them.
//
// - The worker opens sessions by itself, and tries again by itself. So the device learns of a
//   session when it is open and of its end, and OpenSession has work only when the user asks.
// - The worker is the initiator's, and serves all devices of one gadget: StartDaemon and KillDaemon
// are the owner's, who
//   starts the next worker whenever one dies.
// - Holds the memory of its write log, so that it outlives the worker. A worker that outlives us
//   hands it to our next life.
class ManagedDevice {
 public:
    using Done = std::function<void(Result<void> result)>;

    // A new kernel device, to be started or, with workerDied(), taken away again.
    ManagedDevice(Ring& ring, DeviceOwner& owner, DeviceRecord record);
    // One that an earlier life left; `machine` says how it was found.
    ManagedDevice(Ring& ring, DeviceOwner& owner, DeviceRecord record,
                  const lifecycle::Device& machine);
    ~ManagedDevice();
    ManagedDevice(const ManagedDevice&) = delete;
    ManagedDevice& operator=(const ManagedDevice&) = delete;

    // Has the worker serve a new device, made from what the open session offers. It becomes live
    // when the worker serves it and has had an answer in that very session; if anything else comes
    // first, it is taken away again.
    void start();
    // Instead: takes it away again.
    void giveUp(Error why);
    // For one that is starting: called once, when it is live, or gone again, with why: ENOTCONN if
    // the session or the worker ended first, ECANCELED if it was stopped.
    void whenStarted(Done done);
    // The owner's news.
    void workerReady(bool servesUs);
    void workerDied();
    void sessionEnded(const std::string& reason);
    // A message of the worker about this device.
    void handle(const std::string& type, const Json& message, std::vector<Fd>& fds);

    // Without `force`: refused with EBUSY if somebody uses it, with ETIMEDOUT if its bytes cannot
    // be saved now.
    void stop(bool force, Done done);
    // EPERM: bytes are missing and `acceptLoss` was not said.
    Result<void> recover(bool acceptLoss);
    void setPolicy(lifecycle::Policy policy);
    void setShutdown(bool on);
    void setSleep(bool on);

    DeviceId id() const { return record_.device; }
    // With the lifecycle as it is now.
    DeviceRecord record() const;
    const wire::ExportInfo& info() const { return record_.info; }
    const lifecycle::Device& machine() const { return machine_; }
    const std::string& explanation() const { return explanation_; }
    bool isServed() const { return served_; }

 private:
    using Event = lifecycle::Event;

    void happened(Event event, const std::string& why = {});
    void carryOut(const lifecycle::Step& step);
    void rearm();
    void tell(const char* type);
    void takeWriteLog(std::vector<Fd>& fds);
    void makeWriteLog();
    void failIo(const lifecycle::Step& step);
    void serveSoon(Duration delay);
    void tryAgainIn(Duration delay);
    void takeOver();
    void serve();
    void serving();
    void serveFailed(const Json& message);
    void offered(const Json& message);
    void applyVerdict();
    void tune();
    void saveThenStop();
    void notSaved(int code);
    void stopUnused();
    void stillUsed();
    void noteFailedStart(Event event);
    void finishStarting(const Result<void>& result);
    void beginRemoval();
    void removed(const Result<void>& result);
    void announceStep(const lifecycle::Step& step);
    void finishWaiting(const Result<void>& result);

    Ring& ring_;
    DeviceOwner& owner_;
    DeviceRecord record_;
    // The memory of its write log, which is handed to one worker after the other; none if it was
    // made without, or by an earlier life whose worker is dead.
    Fd writeLog_;
    lifecycle::Device machine_;
    std::string explanation_;
    bool started_ = false;        // the kernel has had a server for it once
    bool served_ = false;         // the present worker has it, or is about to
    bool compared_ = false;       // with what the open session offers, and the same
    bool wasLive_ = false;        // somebody may know of it
    bool found_ = false;          // with a worker that outlived our earlier life
    bool wantsServer_ = false;    // the next worker is to take it over
    bool takingOver_ = false;     // the present one was told to
    bool failing_ = false;        // requests are answered with EIO
    bool deathExpected_ = false;  // the worker was killed for this device, which knows
    bool lossAccepted_ = false;   // since the last session that was the same disk
    TimePoint wantedSince_{};
    std::optional<std::pair<lifecycle::Event, std::string>> verdict_;  // until it is served
    std::optional<Ring::TimerId> clock_;
    std::optional<Ring::TimerId> attempt_;
    std::unique_ptr<ControlTask> tune_;
    std::unique_ptr<ControlTask> sync_;  // or what follows it, before a stop
    std::optional<Ring::TimerId> lookAgain_;
    TimePoint saved_{};  // when the disk that is to be stopped was saved
    std::unique_ptr<Removal> removal_;
    std::vector<Done> waiting_;
    std::optional<Ring::TimerId> startEnds_;
    std::optional<Error> notStarted_;  // why it goes away again
    std::vector<Done> starting_;
};

}  // namespace belay::helper
