#pragma once

#include "core/engine/host_session.h"
#include "helper/worker/supervisor_link.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belay::helper {

// What both of belay-hostd's workers have of one gadget: its interface for one direction, and the
// session with it, over the gadget's comings and goings.
//
// Messages it takes:
//   gadget  name  (with the usbfs descriptor)    the gadget is plugged in
//   gadget-gone                                  it was unplugged
//   recover                                      reset the port and open the session anew
//   let-go  number                               close the device: see PortReset
// Messages it sends:
//   session  direction, state, protocol, reason  connecting | open | lost | refused
//   gadget-failed  name, error                   it cannot be opened
//   reset-port  byUser                           the session wants the port reset
//   let-go  number                               the device is closed
class GadgetOnBus {
 public:
    // Makes the session, which is told of what it is about by whoever makes it; null if there is
    // nothing yet that it could be about.
    using MakeSession = std::function<std::unique_ptr<engine::HostSession>(
        const std::shared_ptr<usb::Device>& device, const usb::Interface& interface)>;

    // `role`: Attach or Lend. `mimicFastboot`: lend to what looks like a boot loader, too.
    GadgetOnBus(Ring& ring, SupervisorLink& supervisor, usb::Role role, bool mimicFastboot,
                MakeSession makeSession);
    ~GadgetOnBus();
    GadgetOnBus(const GadgetOnBus&) = delete;
    GadgetOnBus& operator=(const GadgetOnBus&) = delete;

    // False if the message is none of the above.
    bool handle(const Json& message, std::vector<Fd>& fds);
    // As the supervisor named it; empty if there is none.
    const std::string& name() const { return name_; }
    // For a supervisor that knows nothing yet.
    void tellStanding();
    // What the session is about has changed: one is begun if there is none. It tells by itself.
    void changed();
    // There is nothing left that it could be about.
    void endSession();

 private:
    void found(Fd usbfs, const std::string& name);
    void gone();
    void cannotOpen(const std::string& name, const Error& reason);
    void openSession();
    void letGo(unsigned number);
    void tellWhenClosed(const std::weak_ptr<const void>& open, unsigned number);
    const usb::Interface* interfaceFor(usb::Role role) const;

    Ring& ring_;
    SupervisorLink& supervisor_;
    const usb::Role role_;
    const bool mimicFastboot_;
    const MakeSession makeSession_;
    std::string name_;
    std::shared_ptr<usb::Device> device_;
    std::vector<usb::Interface> interfaces_;
    std::unique_ptr<engine::HostSession> session_;
    std::unique_ptr<engine::HostSession> retired_;  // its link is going down
    bool lettingGo_ = false;
};

// What a worker's configuration (see initiator_worker.h) says of every session.
engine::HostTerms hostTermsFrom(const Json& config);

}  // namespace belay::helper
