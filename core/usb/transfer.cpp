#include "core/usb/transfer.h"

#include "core/usb/device.h"
#include "core/usb/handle.h"

#include <cerrno>
#include <new>

namespace belay::usb {
namespace {

unsigned char* raw(std::byte* data) {
    return reinterpret_cast<unsigned char*>(data);
}

}  // namespace

Transfer::Transfer(Device& device, TransferOwner& owner)
    : device_(device), owner_(owner), raw_(libusb_alloc_transfer(0)) {
    if (raw_ == nullptr)
        throw std::bad_alloc();
}

Transfer::~Transfer() {
    libusb_free_transfer(raw_);
}

int Transfer::submitData(std::uint8_t address, bool interrupt, std::byte* data,
                         std::size_t length) {
    const auto fill = interrupt ? libusb_fill_interrupt_transfer : libusb_fill_bulk_transfer;
    fill(raw_, device_.handle_->get(), address, raw(data), static_cast<int>(length),
         &Transfer::over, this, 0);
    return libusb_submit_transfer(raw_);
}

int Transfer::submitControl(std::byte* data, std::size_t length, unsigned timeoutMs) {
    libusb_fill_control_transfer(raw_, device_.handle_->get(), raw(data), &Transfer::over, this,
                                 timeoutMs);
    raw_->length = static_cast<int>(length);
    return libusb_submit_transfer(raw_);
}

void Transfer::cancel() {
    libusb_cancel_transfer(raw_);
}

void Transfer::over(libusb_transfer* raw) {
    auto& transfer = *static_cast<Transfer*>(raw->user_data);
    transfer.device_.completed_.push_back(&transfer);
}

int errnoOf(libusb_transfer_status status) {
    switch (status) {
        case LIBUSB_TRANSFER_COMPLETED:
            return 0;
        case LIBUSB_TRANSFER_TIMED_OUT:
            return ETIMEDOUT;
        case LIBUSB_TRANSFER_CANCELLED:
            return ECANCELED;
        case LIBUSB_TRANSFER_STALL:
            return EPIPE;
        case LIBUSB_TRANSFER_NO_DEVICE:
            return ENODEV;
        case LIBUSB_TRANSFER_OVERFLOW:
            return EOVERFLOW;
        case LIBUSB_TRANSFER_ERROR:
            break;
    }
    return EIO;
}

}  // namespace belay::usb
