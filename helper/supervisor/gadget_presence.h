#pragma once

#include "core/base/ring.h"
#include "core/usb/sysfs.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/fleet.h"
#include "helper/supervisor/port_reset.h"
#include "helper/worker/role.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace belay::helper {

struct PresenceHooks {
    std::function<bool(WorkerRole role)> workerReady;
    std::function<void(WorkerRole role, const Json& message, const std::vector<int>& fds)>
        tellWorker;
    // What fill() says has changed.
    std::function<void()> changed;
};

// One gadget on the bus, or away: brings it to its workers, and knows what became of it there.
//
// - Has its port reset when a worker asks for it.
// - A gadget that cannot be opened, here or by a worker, is handed over again every few seconds.
class GadgetPresence {
 public:
    GadgetPresence(Ring& ring, PresenceHooks hooks);
    ~GadgetPresence();
    GadgetPresence(const GadgetPresence&) = delete;
    GadgetPresence& operator=(const GadgetPresence&) = delete;

    void plugged(const usb::Gadget& gadget);
    void unplugged();
    const std::optional<usb::Gadget>& gadget() const { return gadget_; }

    // `has`: the gadget that it has already, because it outlived an earlier supervisor, or "".
    void workerReady(WorkerRole role, const std::string& has);
    void workerDied(WorkerRole role);
    // A message of type "session", "gadget-failed", or of PortReset; false if it is another.
    bool handle(WorkerRole role, const std::string& type, const Json& message);

    // Whether the session of this worker is open.
    bool isOpen(WorkerRole role) const;
    // Whether it is there and shares nothing: it has no interface for that.
    bool sharesNothing() const { return gadget_ && !gadget_->attach; }
    // What a view says of the cable: present, speed, link, protocol and trouble.
    void fill(GadgetView& view) const;

 private:
    // What became of it with one worker.
    struct End {
        std::string handedOver;  // the gadget that the worker has
        std::string state;       // of its session; empty if it has none
        std::string reason;
        std::string trouble;  // why it could not be opened
        std::optional<Ring::TimerId> again;
    };

    void handOver(WorkerRole role);
    std::set<WorkerRole> tellWorkers(const Json& message);
    void failed(WorkerRole role, const std::string& reason);
    void forgetTrouble(End& end);
    const End* endIn(const char* state) const;

    Ring& ring_;
    PresenceHooks hooks_;
    std::optional<usb::Gadget> gadget_;
    PortReset portReset_;
    std::map<WorkerRole, End> ends_;
    std::string protocol_;
};

}  // namespace belay::helper
