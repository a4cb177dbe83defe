#pragma once

#include "helper/supervisor/always_lent.h"
#include "helper/supervisor/device_manager.h"
#include "helper/supervisor/fleet.h"
#include "helper/supervisor/gadget_presence.h"
#include "helper/supervisor/lending.h"
#include "helper/supervisor/run_dir.h"
#include "helper/supervisor/settings.h"
#include "helper/supervisor/worker_keeper.h"
#include "helper/worker/confine.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace belay::helper {

// What a GadgetUnit tells the fleet; see FleetListener. Device ids are the fleet's.
struct UnitHooks {
    std::function<void()> gadgetChanged;
    std::function<void(const std::string& device)> deviceChanged;
    std::function<void(const std::string& device)> countersChanged;
    std::function<void(const std::string& device)> deviceGone;
    std::function<void(FleetEvent event)> happened;
};

// No unit has a device with this id.
Error noSuchDevice(const std::string& id);

// How every unit of a fleet starts its workers.
struct UnitTerms {
    std::string program;  // belay-hostd's path
    std::string user;
    Identity identity;
    Uuid host;
    std::size_t writeLogBytes = 0;
    bool canAttach = false;  // this kernel has ublk
    ContentRecords* records = nullptr;
};

// One gadget, and all that is made of it: two workers of its own (see WorkerRole), which outlive
// this process; the devices attached from it and the files lent to it.
//
// - The initiator's worker runs while the gadget is there and shares something, for that is how one
//   knows what it shares, or while there is a device of it; the target's, while something is lent.
// - What becomes of one worker has no part in what becomes of the other.
class GadgetUnit {
 public:
    // `settings` is the fleet's, which saves it.
    GadgetUnit(Ring& ring, std::string id, RunDir runDir, const UnitTerms& terms,
               Settings& settings, UnitHooks hooks);
    ~GadgetUnit();
    GadgetUnit(const GadgetUnit&) = delete;
    GadgetUnit& operator=(const GadgetUnit&) = delete;

    // Takes up what an earlier life left, and lends what is to be lent always. What the kernel does
    // not tell of it is asked again, and until then nobody serves devices. A worker of a version
    // that had one for both directions is ended: what it served is taken over, what it lent on
    // demand only has to be lent anew.
    void begin();

    // UnitTerms::canAttach has become true.
    void ublkAppeared();
    void plugged(const usb::Gadget& gadget);
    void unplugged();
    const std::optional<usb::Gadget>& present() const { return presence_.gadget(); }
    // Nothing of it is held, as far as that is known.
    bool empty() const { return notTakenUp_.empty() && devices_.empty() && lending_.isIdle(); }

    GadgetView view() const;
    std::vector<std::string> devices() const;
    std::optional<DeviceView> device(const std::string& id, bool withHolders) const;

    // See FleetInterface; `device` is one of devices().
    void attach(const std::string& share, FleetInterface::DeviceDone done);
    // As Lending::lend().
    void lend(Fd file, const std::string& name, const LendTerms& terms, bool always, bool patient,
              FleetInterface::DeviceDone done);
    void setAutoAttach(bool on);
    void recover(const std::string& device, bool acceptLoss, FleetInterface::Done done);
    void stop(const std::string& device, bool force, FleetInterface::Done done);
    Result<void> setPolicy(const std::string& device, lifecycle::Policy policy);
    void rescan(const std::string& device, FleetInterface::Done done);
    void requests(const std::string& device, FleetInterface::RequestsDone done);
    // Has the workers report; countersChanged() follows for what has changed.
    void askCounters();
    void setShutdown(bool on);
    void setSleep(bool on);

 private:
    struct Asker {
        WorkerRole role;
        std::string device;
        FleetInterface::RequestsDone done;
    };
    // What was told of a device last.
    struct Seen {
        lifecycle::State state = lifecycle::State::Starting;
        lifecycle::Problems problems;
        std::uint32_t recoveries = 0;
    };
    struct Recovery {
        std::string device;
        FleetInterface::Done done;
        Ring::TimerId timer;
    };

    WorkerKeeper::Hooks keeperHooks(WorkerRole role);
    WorkerKeeper& keeperOf(WorkerRole role) {
        return role == WorkerRole::Initiator ? initiator_ : target_;
    }
    const WorkerKeeper& keeperOf(WorkerRole role) const {
        return role == WorkerRole::Initiator ? initiator_ : target_;
    }
    std::string socketOf(WorkerRole role) const;
    DeviceHooks deviceHooks();
    LendingHooks lendingHooks();
    AlwaysLentHooks alwaysLentHooks();
    PresenceHooks presenceHooks();
    GadgetSettings& settings() { return settings_.gadgets[id_]; }
    Result<WorkerKeeper::Start> prepareWorker(WorkerRole role);
    void takeUp();
    void endEarlierWorker();
    bool isWanted(WorkerRole role) const;
    void keepWorkers();
    void keepWorker(WorkerRole role);
    void restIfIdle();
    void rest(WorkerRole role);
    void workerReady(WorkerRole role, const Json& message);
    void workerDied(WorkerRole role, const std::string& how);
    void workerLingers(WorkerRole role);
    void workerKeepsDying(WorkerRole role);
    void workerGone(WorkerRole role);
    void workerMessage(WorkerRole role, const Json& message, std::vector<Fd> fds);
    void reported(WorkerRole role, const Json& message);
    void keepTotals(WorkerRole role);
    void answerAskers(WorkerRole role, bool reported);
    bool attachesAll() const;
    bool sharesKnown() const { return devices_.sessionOpen() || presence_.sharesNothing(); }
    void rememberLends();
    void stateSeen(const std::string& device, const Seen& now, const std::string& explanation);
    void goneSeen(const std::string& device);
    void tellChanges(const std::string& device, const Seen* before, const Seen& now,
                     const std::string& explanation);
    void settle(const std::string& device, const Result<void>& result);
    // Of the gadget, if it names no device.
    void event(events::Any what, const std::string& device = {});

    std::string idOf(const Uuid& uuid) const;
    const ManagedDevice* attached(const std::string& id) const;
    const LentStore* lent(const std::string& id) const;

    Ring& ring_;
    const std::string id_;
    const RunDir runDir_;
    const UnitTerms& terms_;
    Settings& settings_;
    UnitHooks hooks_;
    DeviceManager devices_;
    Lending lending_;
    AlwaysLent alwaysLent_;
    GadgetPresence presence_;
    WorkerKeeper initiator_;
    WorkerKeeper target_;
    std::map<std::string, Seen> seen_;
    std::map<std::string, DeviceCounters> counted_;
    std::map<std::string, DeviceCounters> earlier_;  // of workers that are gone
    std::string notTakenUp_;  // why it is not known what an earlier life left
    std::optional<Ring::TimerId> takeUpTimer_;
    std::optional<Ring::TimerId> keepTimer_;
    bool begun_ = false;  // workers of an earlier life were looked for
    std::vector<Asker> asking_;
    std::optional<Ring::TimerId> askTimer_;
    std::vector<Recovery> recoveries_;
};

}  // namespace belay::helper
