#pragma once

#include "core/base/ring.h"
#include "core/usb/sysfs.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/fleet.h"
#include "helper/supervisor/port_reset.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

struct PresenceHooks {
    std::function<bool()> workerReady;
    std::function<void(const Json& message, const std::vector<int>& fds)> tellWorker;
    // What fill() says has changed.
    std::function<void()> changed;
};

// One gadget on the bus, or away: brings it to the worker, and knows what became of it there.
//
// - Has its port reset when a worker asks for it.
// - A gadget that cannot be opened, here or by the worker, is handed over again every few seconds.
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
    void workerReady(const std::string& has);
    void workerDied();
    // A message of type "session", "gadget-failed", or of PortReset; false if it is another.
    bool handle(const std::string& type, const Json& message);

    // Whether the session of this direction ("attach" or "lend") is open.
    bool isOpen(const std::string& direction) const;
    // Whether it has no interface for this direction: then no session of it will ever be open.
    bool lacks(const std::string& direction) const {
        return !sessions_.empty() && !sessions_.contains(direction);
    }
    // What a view says of the cable: present, speed, link, protocol and trouble.
    void fill(GadgetView& view) const;

 private:
    struct Session {
        std::string state;
        std::string reason;
    };

    void handOver();
    void failed(const std::string& reason);
    void forgetTrouble();
    const Session* sessionIn(const char* state) const;

    Ring& ring_;
    PresenceHooks hooks_;
    std::optional<usb::Gadget> gadget_;
    PortReset portReset_;
    std::string handedOver_;                   // the gadget that the worker has
    std::map<std::string, Session> sessions_;  // by direction
    std::string protocol_;
    std::string trouble_;  // why it could not be opened
    std::optional<Ring::TimerId> again_;
};

}  // namespace belay::helper
