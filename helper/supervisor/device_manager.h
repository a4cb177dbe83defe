#pragma once

#include "core/lifecycle/state.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/control_task.h"
#include "helper/supervisor/removal.h"
#include "helper/supervisor/state_file.h"

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace belay::helper {

// What a DeviceManager needs of the process it is in.
struct DeviceHooks {
    // Which exports are to become devices.
    std::function<bool(const wire::ExportInfo& info)> wanted;
    std::function<void(const Json& message)> tellWorker;
    std::function<void()> killWorker;
    // One line for the user: what became of which device.
    std::function<void(const std::string& line)> announce;
    // Whose /dev/ublkcN is to be.
    uid_t workerUid = 0;
    gid_t workerGid = 0;
};

// The ublk devices of one worker, from creation to removal, over the deaths of worker and manager.
//
// - Creating, stopping and removing are privileged and done here, in processes of their own;
//   serving is the worker's (see DeviceServer for the messages).
// - What must survive this process is in the state file before the kernel device is started.
// - The kernel is asked for a device's state, our own record is never believed alone.
class DeviceManager {
 public:
    using Done = std::function<void(Result<void> result)>;

    DeviceManager(Ring& ring, StateFile stateFile, DeviceHooks hooks);
    ~DeviceManager();

    // Takes up what an earlier life left: its quiesced devices wait for the worker.
    Result<void> adopt();

    void workerReady();
    void workerDied();
    // The worker dies for the last time: there will be no other.
    void workerKeepsDying();
    // False if the message is not about devices.
    bool handle(const Json& message);

    // Removes a device. Without `force` a device that somebody uses is refused with EBUSY and the
    // names of who does, and one whose bytes cannot be saved now with ETIMEDOUT. Devices of an
    // earlier life, of which nothing is known, can be removed too.
    void stop(DeviceId device, bool force, Done done);
    // Does now what would be tried next, and what is not tried by itself. `acceptLoss`: unsaved
    // bytes that the target lost are given up.
    Result<void> recover(DeviceId device, bool acceptLoss);

    std::vector<DeviceId> devices() const;
    bool empty() const { return devices_.empty() && creating_.empty(); }
    Json status() const;

 private:
    struct Device {
        DeviceRecord record;
        lifecycle::State state = lifecycle::State::Starting;
        lifecycle::Problems problems;
        TimePoint since = Clock::now();
        std::string problemText;
        bool started = false;         // the kernel has had a server for it once
        bool servedByWorker = false;  // by the present one
        Json counters;
        std::unique_ptr<ControlTask> tune;
        std::unique_ptr<ControlTask> sync;
        std::unique_ptr<Removal> removal;
        std::optional<Ring::TimerId> retry;
        std::vector<Done> waitingForRemoval;
    };

    void exportsOffered(const Json& message);
    void create(const wire::ExportInfo& info, std::uint32_t maxTransfer, bool fua);
    void created(const wire::ExportInfo& info, const Result<ublk::ControlAnswer>& answer);
    void serve(Device& device, bool recover);
    void serving(Device& device);
    void serveFailed(Device& device, bool lost, const std::string& error);
    void offered(Device& device, const Json& message);
    void linkLost(const std::string& reason);
    void waitUntilQuiesced(DeviceId id);
    void saveAndRemove(DeviceId id);
    void remove(DeviceId id);
    void removed(DeviceId id, const Result<void>& result);
    void setState(Device& device, lifecycle::State state);
    void attention(Device& device, lifecycle::Problem problem, const std::string& text);
    void save();
    Device* find(DeviceId id);

    Ring& ring_;
    StateFile stateFile_;
    DeviceHooks hooks_;
    std::map<DeviceId, std::unique_ptr<Device>> devices_;
    std::map<Uuid, std::unique_ptr<ControlTask>> creating_;
    bool workerReady_ = false;
    bool open_ = false;
};

}  // namespace belay::helper
