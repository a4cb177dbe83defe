#pragma once

#include "core/base/error.h"
#include "core/base/ring.h"
#include "core/usb/sysfs.h"

#include <memory>
#include <string>

namespace belay::usb {

// Called from the event ring, never from inside Discovery::start().
class DiscoveryListener {
 public:
    // A gadget has appeared with its interfaces in place. One that was plugged in again, or whose
    // interfaces changed, is reported gone first.
    virtual void gadgetFound(const Gadget& gadget) = 0;
    virtual void gadgetGone(const std::string& syspath) = 0;

 protected:
    ~DiscoveryListener() = default;
};

// Reports the gadgets on the bus, those there are and those that come, until destroyed.
//
// - The ring and the listener must outlive it. It may be destroyed from the listener.
// - Nothing here waits for a device: see readGadget(); the strings, which do need the device's
//   lock, are read through the ring. A device that cannot be read is left out.
class Discovery {
 public:
    // Where events come from. udev's come after its rules were applied to the device node, so they
    // are preferred when udevd runs; the kernel's come without it, and devtmpfs has the node then.
    enum class Source { Udev, Kernel };

    static Result<std::unique_ptr<Discovery>> start(Ring& ring, DiscoveryListener& listener);
    ~Discovery();
    Discovery(const Discovery&) = delete;
    Discovery& operator=(const Discovery&) = delete;

    Source source() const;

 private:
    struct State;
    explicit Discovery(std::shared_ptr<State> state) : state_(std::move(state)) {}
    // Shared with what is under way in the ring.
    std::shared_ptr<State> state_;
};

}  // namespace belay::usb
