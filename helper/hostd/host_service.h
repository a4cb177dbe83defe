#pragma once

#include "core/usb/discovery.h"
#include "helper/supervisor/service.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

struct HostOptions {
    std::string gadgetSerial;         // empty: the first gadget that is found
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

// The host's supervisor for one gadget: finds it on the bus, opens its device node for the worker,
// which has no right to, and keeps its devices.
class HostService final : public Service, private usb::DiscoveryListener {
 public:
    HostService(Ring& ring, RunDir runDir, const Identity& worker, HostOptions options);
    ~HostService() override;

 protected:
    Result<WorkerKeeper::Start> prepareWorker() override;
    void workerReady() override;
    bool wanted(const wire::ExportInfo& info) const override;
    void addStatus(Json& status) const override;
    Result<void> begin() override;

 private:
    void gadgetFound(const usb::Gadget& gadget) override;
    void gadgetGone(const std::string& syspath) override;
    void handOver();

    const HostOptions options_;
    std::unique_ptr<usb::Discovery> discovery_;
    std::optional<usb::Gadget> gadget_;
};

}  // namespace belay::helper
