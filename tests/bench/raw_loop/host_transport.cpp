#include "tests/bench/raw_loop/host_transport.h"

#include <cstdlib>

namespace rawloop {
namespace {

using belay::Result;

tl::unexpected<belay::Error> usbFailure(std::string what, int code) {
    return belay::failure(std::move(what), "raw loop gadget", libusb_strerror(code));
}

}  // namespace

Result<std::unique_ptr<HostTransport>> HostTransport::open(std::uint16_t vendor,
                                                           std::uint16_t product) {
    auto transport = std::unique_ptr<HostTransport>(new HostTransport);
    if (const int code = libusb_init(&transport->context_); code != 0)
        return usbFailure("libusb_init", code);
    transport->handle_ = libusb_open_device_with_vid_pid(transport->context_, vendor, product);
    if (transport->handle_ == nullptr)
        return nullptr;
    if (const int code = libusb_claim_interface(transport->handle_, 0); code != 0)
        return usbFailure("claim interface", code);
    if (auto found = transport->findEndpoints(); !found)
        return tl::make_unexpected(found.error());
    return transport;
}

HostTransport::~HostTransport() {
    freeSlots();
    if (handle_ != nullptr)
        libusb_close(handle_);
    if (context_ != nullptr)
        libusb_exit(context_);
}

Result<void> HostTransport::findEndpoints() {
    libusb_config_descriptor* config = nullptr;
    if (const int code = libusb_get_active_config_descriptor(libusb_get_device(handle_), &config);
        code != 0)
        return usbFailure("read descriptors", code);
    const libusb_interface_descriptor& interface = config->interface[0].altsetting[0];
    const std::size_t count = interface.bNumEndpoints;
    for (std::size_t i = 0; i < kPipes && i < count; ++i)
        addresses_[i] = interface.endpoint[i].bEndpointAddress;
    libusb_free_config_descriptor(config);
    if (count != kPipes)
        return belay::failure("an interface without four endpoints", "raw loop gadget");
    return {};
}

Result<void> HostTransport::prepare(const std::array<std::uint32_t, kPipes>& lengths,
                                    std::uint32_t depth, Listener& listener) {
    listener_ = &listener;
    freeSlots();
    for (const Pipe pipe : kAllPipes)
        for (std::uint32_t i = 0; lengths[static_cast<std::size_t>(pipe)] != 0 && i < depth; ++i)
            if (auto added = addSlot(pipe, lengths[static_cast<std::size_t>(pipe)]); !added)
                return added;
    return {};
}

Result<void> HostTransport::addSlot(Pipe pipe, std::uint32_t length) {
    auto& slots = slots_[static_cast<std::size_t>(pipe)];
    Slot& slot = *slots.emplace_back(std::make_unique<Slot>());
    slot.owner = this;
    slot.pipe = pipe;
    void* memory = libusb_dev_mem_alloc(handle_, length);
    slot.ofDevice = memory != nullptr;
    if (memory == nullptr)
        memory = std::calloc(1, length);
    slot.transfer = libusb_alloc_transfer(0);
    if (memory == nullptr || slot.transfer == nullptr)
        return belay::errorFrom(ENOMEM, "allocate transfers");
    slot.bytes = {static_cast<std::byte*>(memory), length};
    libusb_fill_bulk_transfer(slot.transfer, handle_, addresses_[static_cast<std::size_t>(pipe)],
                              static_cast<unsigned char*>(memory), static_cast<int>(length), done,
                              &slot, 0);
    return {};
}

void HostTransport::freeSlots() {
    for (auto& slots : slots_) {
        for (const auto& slot : slots) {
            libusb_free_transfer(slot->transfer);
            if (slot->ofDevice)
                libusb_dev_mem_free(handle_, reinterpret_cast<unsigned char*>(slot->bytes.data()),
                                    slot->bytes.size());
            else
                std::free(slot->bytes.data());
        }
        slots.clear();
    }
}

belay::ByteSpan HostTransport::buffer(Pipe pipe, std::uint32_t slot) {
    return slots_[static_cast<std::size_t>(pipe)][slot]->bytes;
}

Result<void> HostTransport::start(Pipe pipe, std::uint32_t slot) {
    Slot& its = *slots_[static_cast<std::size_t>(pipe)][slot];
    if (const int code = libusb_submit_transfer(its.transfer); code != 0)
        return usbFailure("submit a transfer", code);
    return {};
}

Result<void> HostTransport::wait() {
    if (const int code = libusb_handle_events(context_); code != 0)
        return usbFailure("libusb_handle_events", code);
    if (error_)
        return tl::make_unexpected(*error_);
    return {};
}

void LIBUSB_CALL HostTransport::done(libusb_transfer* transfer) {
    const Slot& slot = *static_cast<const Slot*>(transfer->user_data);
    slot.owner->completed(slot);
}

void HostTransport::completed(const Slot& slot) {
    if (slot.transfer->status != LIBUSB_TRANSFER_COMPLETED ||
        slot.transfer->actual_length != slot.transfer->length)
        error_ = belay::Error{"a transfer failed or was too short", "raw loop host", 0, {}};
    else
        listener_->completed(slot.pipe);
}

}  // namespace rawloop
