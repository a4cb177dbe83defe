#pragma once

#include "core/ffs/configfs.h"
#include "helper/supervisor/service.h"

#include <map>
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
//
// - Each worker has a function of its own. The death of one takes the gadget off the bus for a
//   moment, as the kernel will have it (ffs_closed): to the other it is a cable that was pulled and
//   plugged in. (FunctionFS has a mount option against that, "no_disconnect"; a function whose
//   process is gone then stays on the bus, where its next process has it reset under the
//   controller's hands.)
// - One that does not come back soon, or dies again soon, is left out: the gadget is put on the bus
//   without its function until it is ready.
class GadgetService final : public Service {
 public:
    GadgetService(Ring& ring, RunDir runDir, const Identity& worker, GadgetOptions options);

 protected:
    Result<void> makeWay(WorkerRole role) override;
    Result<WorkerKeeper::Start> prepareWorker(WorkerRole role) override;
    void workerMessage(WorkerRole role, const Json& message) override;
    void workerDied(WorkerRole role) override;
    void workerLingers(WorkerRole role) override;
    void workerKeepsDying(WorkerRole role) override;
    bool wanted(const wire::ExportInfo&) const override { return options_.lendReady; }
    void addStatus(Json& status) const override;
    Result<void> begin() override;
    void end() override;

 private:
    // What one worker serves.
    struct Function {
        Fd guard;  // the other end of the worker's kAliveFd
        bool isReady = false;
        bool isLeftOut = false;           // until it is ready
        std::optional<TimePoint> diedAt;  // last
    };

    void withdraw(WorkerRole role);
    void bind();
    void bindAfter(Duration pause);
    void bindFailed(const Error& reason);

    const GadgetOptions options_;
    std::map<WorkerRole, Function> functions_;  // those that are wanted
    std::optional<ffs::GadgetConfig> config_;
    std::optional<Ring::TimerId> binding_;
    TimePoint together_{};     // until then all are waited for
    std::size_t offered_ = 0;  // functions that are on the bus, as said last
    bool wasBound_ = false;
    std::string bindTrouble_;  // why not, as said last
    std::string udc_;          // that it is on, or was on last: another one would be another cable
};

}  // namespace belay::helper
