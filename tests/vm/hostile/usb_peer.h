#pragma once

#include <libusb.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace hostile {

using Bytes = std::vector<std::byte>;

// One interface of the first gadget that has it, through plain libusb: claimed, not reset.
class UsbPeer {
 public:
    // The four endpoints, by their place in the descriptor.
    enum Pipe { MessageIn, MessageOut, PayloadIn, PayloadOut };

    // Waits for an interface FF/53/`protocol`; null in vain.
    static std::unique_ptr<UsbPeer> find(std::uint8_t protocol, int milliseconds = 5000);
    ~UsbPeer();
    UsbPeer(const UsbPeer&) = delete;
    UsbPeer& operator=(const UsbPeer&) = delete;

    // ep0 requests with wIndex = the interface; nothing when they fail (and error() says how).
    std::optional<Bytes> in(std::uint8_t type, std::uint8_t request, std::uint16_t length,
                            std::uint16_t value = 0);
    bool out(std::uint8_t type, std::uint8_t request, const Bytes& data, std::uint16_t value = 0);

    // One transfer. Bytes moved (0 also at the time limit), or nothing when the pipe failed.
    std::optional<std::size_t> write(Pipe pipe, const Bytes& data, unsigned milliseconds = 1000);
    std::optional<Bytes> read(Pipe pipe, std::size_t most, unsigned milliseconds = 1000);

    // SET_INTERFACE, alternate setting 0.
    bool reset();
    // Of the last call that failed: enum libusb_error.
    int error() const { return error_; }

 private:
    UsbPeer() = default;
    bool open(std::uint8_t protocol);
    bool take(libusb_device* device, std::uint8_t protocol);
    int transfer(Pipe pipe, unsigned char* data, int length, int& moved, unsigned milliseconds);

    struct Endpoint {
        unsigned char address = 0;
        bool interrupt = false;
    };

    libusb_context* context_ = nullptr;
    libusb_device_handle* handle_ = nullptr;
    std::uint8_t number_ = 0;
    Endpoint endpoints_[4];
    int error_ = 0;
};

}  // namespace hostile
