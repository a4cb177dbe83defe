#include "tests/vm/hostile/usb_peer.h"

#include <chrono>
#include <thread>

namespace hostile {
namespace {

constexpr unsigned kControlPatience = 1000;  // ms

unsigned char* raw(std::byte* data) {
    return reinterpret_cast<unsigned char*>(data);
}

}  // namespace

std::unique_ptr<UsbPeer> UsbPeer::find(std::uint8_t protocol, int milliseconds) {
    for (int waited = 0; waited < milliseconds; waited += 20) {
        // Anew each time: without udevd libusb sees only what is there when it is started.
        std::unique_ptr<UsbPeer> peer(new UsbPeer);
        if (libusb_init(&peer->context_) == 0 && peer->open(protocol))
            return peer;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return nullptr;
}

UsbPeer::~UsbPeer() {
    if (handle_ != nullptr)
        libusb_close(handle_);
    if (context_ != nullptr)
        libusb_exit(context_);
}

bool UsbPeer::open(std::uint8_t protocol) {
    libusb_device** list = nullptr;
    const ssize_t count = libusb_get_device_list(context_, &list);
    bool found = false;
    for (ssize_t i = 0; i < count && !found; ++i)
        found = take(list[i], protocol);
    if (count >= 0)
        libusb_free_device_list(list, 1);
    return found;
}

bool UsbPeer::take(libusb_device* device, std::uint8_t protocol) {
    libusb_config_descriptor* config = nullptr;
    if (libusb_get_active_config_descriptor(device, &config) != 0)
        return false;
    const libusb_interface_descriptor* match = nullptr;
    for (int i = 0; i < config->bNumInterfaces; ++i) {
        const libusb_interface_descriptor& one = config->interface[i].altsetting[0];
        if (one.bInterfaceClass == 0xff && one.bInterfaceSubClass == 0x53 &&
            one.bInterfaceProtocol == protocol && one.bNumEndpoints == 4)
            match = &one;
    }
    if (match != nullptr && libusb_open(device, &handle_) == 0) {
        number_ = match->bInterfaceNumber;
        int ins = 0;
        int outs = 0;
        for (int i = 0; i < 4; ++i) {
            const libusb_endpoint_descriptor& one = match->endpoint[i];
            const bool in = (one.bEndpointAddress & LIBUSB_ENDPOINT_IN) != 0;
            const int place = 2 * (in ? ins++ : outs++) + (in ? 0 : 1);
            endpoints_[place & 3] = {one.bEndpointAddress, (one.bmAttributes & 3) == 3};
        }
        libusb_set_auto_detach_kernel_driver(handle_, 1);
        error_ = libusb_claim_interface(handle_, number_);
        if (error_ != 0) {
            libusb_close(handle_);
            handle_ = nullptr;
        }
    }
    libusb_free_config_descriptor(config);
    return handle_ != nullptr;
}

std::optional<Bytes> UsbPeer::in(std::uint8_t type, std::uint8_t request, std::uint16_t length,
                                 std::uint16_t value) {
    Bytes data(length);
    const int moved = libusb_control_transfer(handle_, type, request, value, number_,
                                              raw(data.data()), length, kControlPatience);
    if (moved < 0) {
        error_ = moved;
        return std::nullopt;
    }
    data.resize(static_cast<std::size_t>(moved));
    return data;
}

bool UsbPeer::out(std::uint8_t type, std::uint8_t request, const Bytes& data, std::uint16_t value) {
    Bytes copy = data;
    const int moved =
        libusb_control_transfer(handle_, type, request, value, number_, raw(copy.data()),
                                static_cast<std::uint16_t>(copy.size()), kControlPatience);
    if (moved < 0)
        error_ = moved;
    return moved == static_cast<int>(data.size());
}

int UsbPeer::transfer(Pipe pipe, unsigned char* data, int length, int& moved,
                      unsigned milliseconds) {
    const Endpoint& to = endpoints_[pipe];
    return to.interrupt
               ? libusb_interrupt_transfer(handle_, to.address, data, length, &moved, milliseconds)
               : libusb_bulk_transfer(handle_, to.address, data, length, &moved, milliseconds);
}

std::optional<std::size_t> UsbPeer::write(Pipe pipe, const Bytes& data, unsigned milliseconds) {
    Bytes copy = data;
    int moved = 0;
    const int result =
        transfer(pipe, raw(copy.data()), static_cast<int>(copy.size()), moved, milliseconds);
    if (result != 0 && result != LIBUSB_ERROR_TIMEOUT) {
        error_ = result;
        return std::nullopt;
    }
    return static_cast<std::size_t>(moved);
}

std::optional<Bytes> UsbPeer::read(Pipe pipe, std::size_t most, unsigned milliseconds) {
    Bytes data(most);
    int moved = 0;
    const int result =
        transfer(pipe, raw(data.data()), static_cast<int>(most), moved, milliseconds);
    if (result != 0 && result != LIBUSB_ERROR_TIMEOUT) {
        error_ = result;
        return std::nullopt;
    }
    data.resize(static_cast<std::size_t>(moved));
    return data;
}

bool UsbPeer::reset() {
    error_ = libusb_set_interface_alt_setting(handle_, number_, 0);
    return error_ == 0;
}

}  // namespace hostile
