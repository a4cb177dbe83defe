#pragma once

#include "core/ffs/configfs.h"
#include "helper/supervisor/service.h"

#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

struct GadgetOptions {
    std::vector<StoreArg> shares;
    bool lendReady = false;
    bool mimicFastboot = false;  // lends look like a boot loader's interface
    std::string udc;             // empty: the first free one
    std::string name = "belay";
    std::string serial;
    std::uint16_t vendorId = 0x1d6b;   // Linux Foundation
    std::uint16_t productId = 0x0104;  // Multifunction Composite Gadget
    lifecycle::Policy policy;          // of new devices
    std::string user = "belay-gadget";
    std::size_t writeLogBytes = 8 << 20;  // of each device; 0: none
    std::string stateDir = "/var/lib/belay-gadget";
};

// The gadget's supervisor: holds configfs and the FunctionFS mounts, and puts the gadget on its UDC
// whenever a worker is ready to answer the host.
class GadgetService final : public Service {
 public:
    GadgetService(Ring& ring, RunDir runDir, const Identity& worker, GadgetOptions options);

 protected:
    Result<WorkerKeeper::Start> prepareWorker() override;
    void workerMessage(const Json& message) override;
    void workerDied() override;
    bool wanted(const wire::ExportInfo&) const override { return options_.lendReady; }
    void addStatus(Json& status) const override;
    Result<void> begin() override;
    void end() override;

 private:
    void bind();

    const GadgetOptions options_;
    // The other end of the worker's descriptor 4.
    Fd workerGuard_;
    std::optional<ffs::GadgetConfig> config_;
    bool wasBound_ = false;
    std::string bindTrouble_;  // why not, as said last
    std::string udc_;          // that it is on, or was on last: another one would be another cable
};

}  // namespace belay::helper
