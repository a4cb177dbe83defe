#pragma once

#include "core/lifecycle/backoff.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/control_task.h"
#include "helper/supervisor/managed_device.h"
#include "helper/supervisor/partition_keeper.h"
#include "helper/supervisor/state_file.h"
#include "helper/supervisor/strays.h"

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace belay::helper {

// What a DeviceManager needs of the process it is in.
struct DeviceHooks {
    // Which exports are to become devices.
    std::function<bool(const wire::ExportInfo& info)> wanted;
    // What a new device does when its peer is gone.
    std::function<lifecycle::Policy(const wire::ExportInfo& info)> policy;
    std::function<void(const Json& message, const std::vector<int>& fds)> tellWorker;
    // Unless one runs.
    std::function<void()> startWorker;
    std::function<void()> killWorker;
    // One line for the user: what became of which device.
    std::function<void(const std::string& line)> announce;
    // Something that status() or device() tells, other than counters; also of a new device.
    std::function<void(DeviceId device)> changed = [](DeviceId) {};
    std::function<void(const ManagedDevice& device)> gone = [](const ManagedDevice&) {};
    // Whose /dev/ublkcN is to be.
    uid_t workerUid = 0;
    gid_t workerGid = 0;
    // Of each device; 0: none.
    std::size_t writeLogBytes = 0;
};

// The ublk devices of one initiator's worker, from creation to removal, over the deaths of worker
// and manager.
//
// - Creating, stopping and removing are privileged and done here, in processes of their own;
//   serving is the worker's (see DeviceServer for the messages).
// - What must survive this process is in the state file before the kernel device is started.
// - The kernel is asked for a device's state, our own record is never believed alone.
class DeviceManager final : private DeviceOwner {
 public:
    using Done = ManagedDevice::Done;
    // What became of an export that was to be a device: it is live, or there is none.
    using Attached = std::function<void(Result<DeviceId> device)>;
    // All that a worker serves at a time. With full queues these are 4096 requests, half of what
    // its ring has places for to tell of.
    static constexpr std::size_t kMostDevices = 64;

    DeviceManager(Ring& ring, StateFile stateFile, DeviceHooks hooks);
    ~DeviceManager();
    DeviceManager(const DeviceManager&) = delete;
    DeviceManager& operator=(const DeviceManager&) = delete;

    // Takes up what an earlier life left: devices whose server lives, and those that wait for one.
    // All of it or, with an error, nothing: then it may be called again.
    Result<void> adopt();

    // `serves`: the devices that it serves already, because it outlived an earlier supervisor.
    void workerReady(const std::vector<DeviceId>& serves = {});
    void workerDied();
    // False if the message is not about devices.
    bool handle(const Json& message, std::vector<Fd>& fds);

    // True while a session is open in which the other side offers something.
    bool sessionOpen() const override { return open_; }
    // The exports of the present session; none without one.
    const std::vector<wire::ExportInfo>& exports() const { return exports_; }
    // The one of them with this label or uuid.
    std::optional<Uuid> exportCalled(const std::string& labelOrUuid) const;
    // The live device of an export.
    std::optional<DeviceId> liveDeviceOf(const Uuid& uuid) const;
    // Makes a device of an export of the present session, whether wanted() or not; `done` when it
    // is live. ENOTCONN without a session, and if the session or the worker ends before the device
    // is live: then it is taken away again, and only what is wanted() is tried again by itself.
    // ENOENT if it is not among the exports, EEXIST if there is a device of it, EBUSY if that is
    // just being stopped, EMFILE if there are kMostDevices.
    void attach(const Uuid& uuid, Attached done);

    // See ManagedDevice. Devices of an earlier life, of which nothing is known, can be stopped too.
    // What was stopped is made again only by attach(), after forgetStopped(), or when it is offered
    // after a session in which it was not.
    void stop(DeviceId device, bool force, Done done);
    void forgetStopped() { stopped_.clear(); }
    // Takes back what is being made just now; `done` after each of them that is gone, or is a
    // device that could not be removed.
    void undoCreations(const std::function<void()>& done);
    Result<void> recover(DeviceId device, bool acceptLoss);
    Result<void> setPolicy(DeviceId device, lifecycle::Policy policy);
    // See PartitionFollower.
    void rescan(DeviceId device, Done done);
    void setShutdown(bool on);
    void setSleep(bool on);

    std::vector<DeviceId> devices() const;
    // Null if there is none of that number.
    const ManagedDevice* device(DeviceId id) const;
    // The worker's last report of a device; null if there is none.
    const Json& counters(DeviceId id) const;
    bool empty() const { return devices_.empty() && creating_.empty(); }
    Json status() const;

 private:
    struct Creation {
        wire::ExportInfo info;
        std::unique_ptr<ControlTask> task;
        std::vector<Attached> waiting;
        std::optional<Error> undone;  // why it is not wanted any more
    };

    DeviceOwner& owner() { return *this; }
    bool workerReady() const override { return workerReady_; }
    void tellWorker(const Json& message, const std::vector<int>& fds) override {
        hooks_.tellWorker(message, fds);
    }
    std::size_t writeLogBytes() const override { return hooks_.writeLogBytes; }
    void startWorker() override { hooks_.startWorker(); }
    void killWorker() override { hooks_.killWorker(); }
    void deviceChanged(ManagedDevice& device) override;
    void deviceGone(ManagedDevice& device) override;
    void announce(const std::string& line) override { hooks_.announce(line); }

    void take(const DeviceRecord& record, const ublk::DeviceInfo& info);
    void exportsOffered(const Json& message);
    void sessionEnded(const std::string& hint);
    std::vector<wire::ExportInfo>::const_iterator exportOf(const Uuid& uuid) const;
    ManagedDevice* deviceOf(const Uuid& uuid) const;
    bool isKnown(const Uuid& uuid) const;
    bool isInAnothersPlace(const wire::ExportInfo& info) const;
    void createWanted();
    void tryAgainSoon();
    void create(const wire::ExportInfo& info, Attached done);
    void refuseMore(const wire::ExportInfo& info, const Attached& done);
    void created(const Creation& creation, const ublk::DeviceInfo& made);
    void notAttached(const Error& why);
    void followPartitions(const ManagedDevice& device);
    void save();
    ManagedDevice* find(DeviceId id);

    Ring& ring_;
    StateFile stateFile_;
    DeviceHooks hooks_;
    std::map<DeviceId, std::unique_ptr<ManagedDevice>> devices_;
    std::map<DeviceId, Json> counters_;
    PartitionKeeper partitions_;
    std::map<Uuid, Creation> creating_;
    Strays strays_;
    lifecycle::Backoff backoff_;  // of creations that failed
    std::optional<Ring::TimerId> tryAgain_;
    std::vector<wire::ExportInfo> exports_;
    std::set<Uuid> stopped_;  // by the user, and offered ever since
    std::uint32_t maxTransfer_ = 0;
    bool fua_ = false;
    bool workerReady_ = false;
    bool open_ = false;
    bool full_ = false;  // and whoever looks after the program has been told
};

}  // namespace belay::helper
