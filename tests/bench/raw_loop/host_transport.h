#pragma once

#include "tests/bench/raw_loop/exchange.h"

#include <libusb.h>

#include <memory>
#include <optional>
#include <vector>

namespace rawloop {

// The host's end: libusb's asynchronous transfers, in usbfs's own memory where that is to be had
// (libusb_dev_mem_alloc: the kernel then does not copy).
class HostTransport final : public Transport {
 public:
    // Opens the one gadget with these ids and claims its interface 0; nothing while there is none.
    static belay::Result<std::unique_ptr<HostTransport>> open(std::uint16_t vendor,
                                                              std::uint16_t product);
    ~HostTransport() override;
    HostTransport(const HostTransport&) = delete;
    HostTransport& operator=(const HostTransport&) = delete;

    belay::Result<void> prepare(const std::array<std::uint32_t, kPipes>& lengths,
                                std::uint32_t depth, Listener& listener) override;
    belay::ByteSpan buffer(Pipe pipe, std::uint32_t slot) override;
    belay::Result<void> start(Pipe pipe, std::uint32_t slot) override;
    belay::Result<void> wait() override;

 private:
    struct Slot {
        HostTransport* owner = nullptr;
        Pipe pipe{};
        libusb_transfer* transfer = nullptr;
        belay::ByteSpan bytes;
        bool ofDevice = false;  // the memory is usbfs's
    };

    HostTransport() = default;
    belay::Result<void> findEndpoints();
    belay::Result<void> addSlot(Pipe pipe, std::uint32_t length);
    void freeSlots();
    static void LIBUSB_CALL done(libusb_transfer* transfer);
    void completed(const Slot& slot);

    libusb_context* context_ = nullptr;
    libusb_device_handle* handle_ = nullptr;
    std::array<unsigned char, kPipes> addresses_{};
    std::array<std::vector<std::unique_ptr<Slot>>, kPipes> slots_;
    Listener* listener_ = nullptr;
    std::optional<belay::Error> error_;
};

}  // namespace rawloop
