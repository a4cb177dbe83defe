#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"

#include <libusb.h>

#include <cstdint>
#include <memory>
#include <string>

namespace belay::usb {

// One device as libusb knows it: a context of its own, the handle, and the usbfs descriptor.
//
// - No event handling here: see Device. Held by Device and by transfer memory, and closed when
//   both are gone.
class Handle {
 public:
    // `usbfs` is a descriptor of /dev/bus/usb/..., opened for reading and writing. libusb is told
    // not to look for devices: it opens nothing and needs no rights.
    static Result<std::shared_ptr<Handle>> wrap(Fd usbfs, std::string name);
    ~Handle();
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    libusb_context* context() const { return context_; }
    libusb_device_handle* get() const { return handle_; }
    // What errors call the device.
    const std::string& name() const { return name_; }
    // Sets the host's data toggle (or sequence number) of an endpoint to what it is after a reset.
    // Asks nothing of the device: xhci_endpoint_reset() and ehci_endpoint_reset() wait for the
    // controller at most. No transfer of it may be under way.
    Result<void> resetEndpoint(std::uint8_t address);

 private:
    Handle(Fd usbfs, std::string name) : usbfs_(std::move(usbfs)), name_(std::move(name)) {}

    Fd usbfs_;
    std::string name_;
    libusb_context* context_ = nullptr;
    libusb_device_handle* handle_ = nullptr;
};

// The errno that says the same as a (negative) libusb_error.
int errnoOf(int libusbError);

// An Error from a libusb function's result.
tl::unexpected<Error> usbError(int libusbError, std::string what, std::string object,
                               std::string hint = {});

}  // namespace belay::usb
