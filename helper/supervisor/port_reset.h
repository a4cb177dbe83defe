#pragma once

#include "core/base/ring.h"
#include "helper/protocol/json.h"
#include "helper/supervisor/own_task.h"
#include "helper/worker/role.h"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace belay::helper {

// Resets the port of a gadget that does not answer, when a worker asks for it.
//
// - It may take as long as a minute: the kernel asks a silent device again and again for its
//   descriptor (hub_port_init), cannot be interrupted in it, and keeps everybody waiting who has to
//   do with the device, even those who only end. So a process of its own does it, and all workers
//   close the device first. No worker may be given it meanwhile: isUnderWay().
// - However long it takes, no worker gets the device before it is over, or the gadget is gone.
//   What a worker does not close within a while is not reset.
// - A silent gadget's port is reset every 15 seconds at most, if nobody asks for more.
//
// Messages of workers:     reset-port  byUser   do it
//                          let-go  number       the device is closed
// Message to all of them:  let-go  number       close the device
class PortReset {
 public:
    struct Hooks {
        // To each worker that is ready; which these are.
        std::function<std::set<WorkerRole>(const Json& message)> tellWorkers;
        // isUnderWay() has become false, and all workers lack the gadget.
        std::function<void()> over;
    };

    PortReset(Ring& ring, Hooks hooks);
    ~PortReset();
    PortReset(const PortReset&) = delete;
    PortReset& operator=(const PortReset&) = delete;

    // False if the message is none of its. `node`: of the gadget in usbfs; empty if there is none.
    bool handle(WorkerRole role, const std::string& type, const Json& message,
                const std::string& node);
    void workerDied(WorkerRole role);
    void unplugged();
    bool isUnderWay() const { return !waitingFor_.empty() || task_; }

 private:
    void begin(const std::string& node);
    void letGo(WorkerRole role);
    void reset();
    void finish();

    Ring& ring_;
    const Hooks hooks_;
    std::string node_;
    unsigned number_ = 0;              // of the reset
    std::set<WorkerRole> waitingFor_;  // workers that have not let go yet
    std::optional<Ring::TimerId> patience_;
    std::unique_ptr<OwnTask> task_;
    std::optional<TimePoint> ended_;
};

// The hidden first argument of the process, see endIfOwnProcess(), and what it is then. `node`: the
// device's.
inline constexpr const char* kResetPortArgument = "reset-port";
int resetPortMain(const char* node);

}  // namespace belay::helper
