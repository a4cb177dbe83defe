#pragma once

#include <libusb.h>

#include <cstddef>
#include <cstdint>

namespace belay::usb {

class Device;
class Transfer;

// Who is told that a transfer is over. Called from the event ring, outside libusb's own event
// handling, so that everything may be done in it: submitting, cancelling, destroying the device.
class TransferOwner {
 public:
    virtual void transferDone(Transfer& transfer) = 0;

 protected:
    ~TransferOwner() = default;
};

// One reusable asynchronous libusb transfer of a Device.
//
// - Must not be destroyed between a successful submit and transferDone().
class Transfer {
 public:
    Transfer(Device& device, TransferOwner& owner);
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // 0, or a libusb_error when nothing was submitted. The memory stays the caller's and must stay
    // valid until transferDone(). No time limit.
    int submitData(std::uint8_t address, bool interrupt, std::byte* data, std::size_t length);
    // The same for a control transfer: `data` begins with the eight bytes of set-up.
    int submitControl(std::byte* data, std::size_t length, unsigned timeoutMs);
    // transferDone() follows, whatever comes of it. Harmless when it is over already.
    void cancel();

    // Of the transfer that is over.
    libusb_transfer_status status() const { return raw_->status; }
    std::size_t actualBytes() const { return static_cast<std::size_t>(raw_->actual_length); }

 private:
    friend class Device;
    static void LIBUSB_CALL over(libusb_transfer* raw);

    Device& device_;
    TransferOwner& owner_;
    libusb_transfer* raw_;
};

// The errno that says the same as a transfer's status; 0 for a completed one.
int errnoOf(libusb_transfer_status status);

}  // namespace belay::usb
