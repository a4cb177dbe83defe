#include "core/usb/handle.h"

#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>

#include <utility>

namespace belay::usb {

Result<std::shared_ptr<Handle>> Handle::wrap(Fd usbfs, std::string name) {
    std::shared_ptr<Handle> handle(new Handle(std::move(usbfs), std::move(name)));
    // With no context this sets the default of those made later (libusb_set_option).
    int error = libusb_set_option(nullptr, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
    if (error == 0)
        error = libusb_init(&handle->context_);
    if (error != 0)
        return usbError(error, "start libusb for", handle->name_);
    error = libusb_wrap_sys_device(handle->context_, handle->usbfs_.get(), &handle->handle_);
    if (error != 0)
        return usbError(error, "take over the opened USB device", handle->name_);
    // Not an error where the system has no kernel drivers to detach.
    libusb_set_auto_detach_kernel_driver(handle->handle_, 1);
    return handle;
}

Handle::~Handle() {
    if (handle_ != nullptr)
        libusb_close(handle_);
    if (context_ != nullptr)
        libusb_exit(context_);
}

Result<void> Handle::resetEndpoint(std::uint8_t address) {
    // Not through libusb: its libusb_clear_halt() asks the device, and waits.
    unsigned endpoint = address;
    if (::ioctl(usbfs_.get(), USBDEVFS_RESETEP, &endpoint) < 0)
        return systemError("reset an endpoint of USB device", name_);
    return {};
}

int errnoOf(int libusbError) {
    switch (libusbError) {
        case LIBUSB_ERROR_INVALID_PARAM:
            return EINVAL;
        case LIBUSB_ERROR_ACCESS:
            return EACCES;
        case LIBUSB_ERROR_NO_DEVICE:
            return ENODEV;
        case LIBUSB_ERROR_NOT_FOUND:
            return ENOENT;
        case LIBUSB_ERROR_BUSY:
            return EBUSY;
        case LIBUSB_ERROR_TIMEOUT:
            return ETIMEDOUT;
        case LIBUSB_ERROR_OVERFLOW:
            return EOVERFLOW;
        case LIBUSB_ERROR_PIPE:
            return EPIPE;
        case LIBUSB_ERROR_INTERRUPTED:
            return EINTR;
        case LIBUSB_ERROR_NO_MEM:
            return ENOMEM;
        case LIBUSB_ERROR_NOT_SUPPORTED:
            return EOPNOTSUPP;
        default:
            return EIO;
    }
}

tl::unexpected<Error> usbError(int libusbError, std::string what, std::string object,
                               std::string hint) {
    return errorFrom(errnoOf(libusbError), std::move(what), std::move(object), std::move(hint));
}

}  // namespace belay::usb
