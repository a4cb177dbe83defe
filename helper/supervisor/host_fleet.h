#pragma once

#include "core/usb/discovery.h"
#include "helper/supervisor/content_records.h"
#include "helper/supervisor/fleet.h"
#include "helper/supervisor/gadget_unit.h"
#include "helper/supervisor/settings.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

struct FleetOptions {
    std::string runDir = "/run/belay";        // lives as long as the boot
    std::string stateDir = "/var/lib/belay";  // what is kept over reboots
    std::string hostd;                        // belay-hostd's path
    std::string user = "belay-hostd";         // whom the data path runs as
    std::size_t writeLogBytes = 64 << 20;     // of each device; 0: none
};

// All gadgets of one host, with what was made of them: what belayd is about.
//
// - Takes up what an earlier life left: workers that serve, devices that wait, gadgets that were
//   seen. Destroying it leaves all of that to the next one.
// - Everything happens in the ring's thread.
class HostFleet final : public FleetInterface, private usb::DiscoveryListener {
 public:
    // EBUSY: another one has the run directory. The listener must outlive the fleet.
    static Result<std::unique_ptr<HostFleet>> open(Ring& ring, FleetOptions options,
                                                   FleetListener& listener);
    ~HostFleet() override;

    // Somebody has loaded the ublk driver: from now on gadgets' shares can be attached.
    void ublkAppeared();

    std::vector<std::string> gadgets() const override;
    std::vector<std::string> devices() const override;
    std::optional<GadgetView> gadget(const std::string& id) const override;
    std::optional<DeviceView> device(const std::string& id, bool withHolders) const override;
    void attach(const std::string& gadget, const std::string& share, DeviceDone done) override;
    void lend(const std::string& gadget, Fd file, const std::string& name, const LendTerms& terms,
              DeviceDone done) override;
    void lendPath(const std::string& gadget, const std::string& path, const LendTerms& terms,
                  DeviceDone done) override;
    Result<void> setAutoAttach(const std::string& gadget, bool on) override;
    Result<void> forget(const std::string& gadget) override;
    void recover(const std::string& device, bool acceptLoss, Done done) override;
    void stop(const std::string& device, bool force, Done done) override;
    Result<void> setPolicy(const std::string& device, lifecycle::Policy policy) override;
    void rescan(const std::string& device, Done done) override;
    void requests(const std::string& device, RequestsDone done) override;
    void watchCounters(bool on) override;
    void systemShutsDown(bool on) override;
    void systemSleeps(bool on) override;

 private:
    HostFleet(Ring& ring, FleetOptions options, FleetListener& listener, RunDir runDir);

    Result<void> begin();
    void probeUblk();
    void gadgetFound(const usb::Gadget& gadget) override;
    void gadgetGone(const std::string& syspath) override;
    // Two that look alike are told apart by where they were last seen.
    std::string idFor(const usb::Gadget& gadget) const;
    Result<GadgetUnit*> unitFor(const std::string& id);
    UnitHooks hooksFor(const std::string& id);
    GadgetUnit* unit(const std::string& gadget) const;
    GadgetUnit* unitOf(const std::string& device) const;
    void tick();

    Ring& ring_;
    const FleetOptions options_;
    FleetListener& listener_;
    RunDir runDir_;
    Settings settings_;
    ContentRecords records_;
    UnitTerms terms_;
    std::optional<Error> ublkTrouble_;
    bool begun_ = false;  // before that nobody is told anything
    std::map<std::string, std::unique_ptr<GadgetUnit>> units_;
    std::unique_ptr<usb::Discovery> discovery_;
    std::optional<Ring::TimerId> ticking_;
};

}  // namespace belay::helper
