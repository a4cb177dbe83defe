#pragma once

#include "core/usb/discovery.h"
#include "helper/hostd/chosen_gadget.h"
#include "helper/supervisor/port_reset.h"
#include "helper/supervisor/service.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace belay::helper {

struct HostOptions {
    std::string gadgetSerial;         // empty: see HostService
    std::vector<std::string> attach;  // labels or uuids of shares; "all"
    std::vector<StoreArg> lend;
    lifecycle::Policy policy;  // of new devices
    std::string user = "belay-hostd";
    bool payloadCrc = false;
    bool smooWriteBack = false;
    bool mimicFastboot = false;            // lend to what looks like a boot loader, too
    std::size_t writeLogBytes = 64 << 20;  // of each device; 0: none
    std::string stateDir = "/var/lib/belay";
};

// The host's supervisor for one gadget: finds it on the bus, opens its device node for its workers,
// which have no right to, and keeps its devices.
//
// - Without a serial number it is the first gadget that is found; and as long as a device came from
//   it, or once it was offered what is lent, no other one, over the death of the supervisor too.
class HostService final : public Service, private usb::DiscoveryListener {
 public:
    HostService(Ring& ring, RunDir runDir, const Identity& worker, HostOptions options);
    ~HostService() override;

 protected:
    Result<WorkerKeeper::Start> prepareWorker(WorkerRole role) override;
    void workerReady(WorkerRole role) override { handOver(role); }
    void workerDied(WorkerRole role) override;
    void workerLingers(WorkerRole role) override;
    void workerMessage(WorkerRole role, const Json& message) override;
    void exportsOffered() override;
    bool wanted(const wire::ExportInfo& info) const override;
    void deviceGone() override;
    void addStatus(Json& status) const override;
    Result<void> begin() override;
    void end() override;

 private:
    void gadgetFound(const usb::Gadget& gadget) override;
    void gadgetGone(const std::string& syspath) override;
    // Why no other gadget may take the place of the chosen one; empty if any may.
    std::string whyNoOther() const;
    void take(const usb::Gadget& gadget);
    void leaveAlone(const usb::Gadget& gadget);
    void takeOneLeftAlone();
    void handOver(WorkerRole role);
    std::set<WorkerRole> tellWorkers(const Json& message);

    const HostOptions options_;
    std::unique_ptr<usb::Discovery> discovery_;
    std::optional<usb::Gadget> gadget_;
    std::set<WorkerRole> handedOver_;  // the workers that have it
    PortReset portReset_;
    std::string missing_;                 // what was said of shares that there are not
    ChosenGadget chosen_;                 // without a serial number
    std::vector<usb::Gadget> leftAlone_;  // plugged in, in the order in which they were found
};

}  // namespace belay::helper
