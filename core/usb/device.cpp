#include "core/usb/device.h"

#include "core/base/log.h"
#include "core/usb/interface.h"
#include "core/usb/transfer_memory.h"

#include <poll.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace belay::usb {
namespace {

// How often a descriptor is looked at that reports a hang-up which libusb does not act on.
constexpr auto kHangUpPause = std::chrono::milliseconds(20);
// How long the end of cancelled requests is waited for; unlinking takes microseconds.
constexpr auto kCancelPatience = std::chrono::seconds(2);

}  // namespace

// One of libusb's descriptors, which it adds and removes itself.
struct Device::Watch {
    int fd;
    short events;
    std::unique_ptr<FdWatch> watch;
    Ring::TimerId pause = 0;
};

struct Device::Control final : TransferOwner {
    Device& device;
    Transfer transfer;
    std::vector<std::byte> buffer;
    bool in;
    ControlCallback callback;
    bool submitted = false;
    int submitError = 0;

    Control(Device& d, std::vector<std::byte> b, bool isIn, ControlCallback c)
        : device(d), transfer(d, *this), buffer(std::move(b)), in(isIn), callback(std::move(c)) {}

    void transferDone(Transfer&) override { device.finish(*this); }
};

Device::Device(Ring& ring, std::shared_ptr<Handle> handle)
    : ring_(ring), handle_(std::move(handle)), deliverLater_(ring, [this] {
          const auto self = shared_from_this();
          deliver();
      }) {}

Result<std::shared_ptr<Device>> Device::open(Ring& ring, Fd usbfs, std::string name) {
    auto handle = Handle::wrap(std::move(usbfs), std::move(name));
    if (!handle)
        return tl::unexpected(std::move(handle.error()));
    std::shared_ptr<Device> device(new Device(ring, std::move(*handle)));
    if (auto watched = device->watchDescriptors(); !watched)
        return tl::unexpected(std::move(watched.error()));
    return device;
}

Device::~Device() {
    for (const auto& control : controls_) {
        if (control->submitted)
            control->transfer.cancel();
        else
            std::erase(completed_, &control->transfer);
    }
    std::erase_if(controls_, [](const auto& control) { return !control->submitted; });
    const TimePoint deadline = Clock::now() + kCancelPatience;
    while (completed_.size() < controls_.size() && Clock::now() < deadline) {
        timeval limit{.tv_sec = 0, .tv_usec = 10'000};
        libusb_handle_events_timeout_completed(handle_->context(), &limit, nullptr);
    }
    libusb_set_pollfd_notifiers(handle_->context(), nullptr, nullptr, nullptr);
    while (!watches_.empty())
        unwatch(watches_.back()->fd);
    for (const std::uint8_t interface : claimed_)
        libusb_release_interface(handle_->get(), interface);
    if (completed_.size() < controls_.size()) {
        // The kernel still writes to these: they can't be freed, nor can what they belong to.
        log::error("USB device {}: the kernel does not end cancelled requests", name());
        for (auto& control : controls_)
            static_cast<void>(control.release());
        static_cast<void>(new std::shared_ptr<Handle>(handle_));
    }
}

Result<void> Device::watchDescriptors() {
    libusb_context* context = handle_->context();
    if (libusb_pollfds_handle_timeouts(context) == 0)
        return failure("watch USB device", name(),
                       "This libusb was built without timerfd; install one that has it.");
    const libusb_pollfd** list = libusb_get_pollfds(context);
    if (list == nullptr)
        return failure("watch USB device", name());
    for (const libusb_pollfd** entry = list; *entry != nullptr; ++entry)
        watch((*entry)->fd, (*entry)->events);
    libusb_free_pollfds(list);
    libusb_set_pollfd_notifiers(
        context,
        [](int fd, short events, void* self) { static_cast<Device*>(self)->watch(fd, events); },
        [](int fd, void* self) { static_cast<Device*>(self)->unwatch(fd); }, this);
    return {};
}

void Device::watch(int fd, short events) {
    watches_.push_back(
        std::make_unique<Watch>(Watch{.fd = fd, .events = events, .watch = nullptr}));
    arm(*watches_.back());
}

void Device::arm(Watch& watch) {
    watch.watch = std::make_unique<FdWatch>(
        ring_, watch.fd, static_cast<std::uint32_t>(watch.events),
        [this, fd = watch.fd](std::uint32_t events) { handleEvents(fd, events); });
}

void Device::unwatch(int fd) {
    std::erase_if(watches_, [&](const auto& watch) {
        if (watch->fd == fd)
            ring_.cancel(watch->pause);
        return watch->fd == fd;
    });
}

void Device::handleEvents(int fd, std::uint32_t events) {
    // What is told below may let go of the last reference.
    const auto self = shared_from_this();
    timeval now{};
    const int error = libusb_handle_events_timeout_completed(handle_->context(), &now, nullptr);
    if (error != 0 && error != LIBUSB_ERROR_INTERRUPTED)
        log::warning("USB device {}: {}", name(), libusb_error_name(error));

    // usbfs reports a hang-up from the moment of disconnection on, but libusb takes notice, and
    // removes the descriptor, only when an error is reported too, which is after all drivers of
    // the device have let go (usbdev_poll, usbdev_remove). The ring would spin in between.
    const auto found = std::ranges::find(watches_, fd, &Watch::fd);
    if (found != watches_.end() && ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0 || error != 0)) {
        (*found)->watch.reset();
        (*found)->pause = ring_.callAfter(kHangUpPause, [this, fd] {
            const auto again = std::ranges::find(watches_, fd, &Watch::fd);
            if (again != watches_.end())
                arm(**again);
        });
    }
    deliver();
}

void Device::deliver() {
    // By index: what is told may add to the list.
    for (std::size_t i = 0; i < completed_.size(); ++i)
        completed_[i]->owner_.transferDone(*completed_[i]);
    completed_.clear();
}

Result<void> Device::claim(std::uint8_t interface) {
    if (std::ranges::find(claimed_, interface) != claimed_.end())
        return {};
    if (const int error = libusb_claim_interface(handle_->get(), interface); error != 0)
        return usbError(
            error, "claim USB interface " + std::to_string(interface) + " of", name(),
            error == LIBUSB_ERROR_BUSY ? "Another program uses it; close that one." : "");
    claimed_.push_back(interface);
    return {};
}

void Device::controlIn(const Setup& setup, std::uint16_t length, std::chrono::milliseconds timeout,
                       ControlCallback callback) {
    std::vector<std::byte> buffer(LIBUSB_CONTROL_SETUP_SIZE + length);
    control(std::move(buffer), true, setup, length, timeout, std::move(callback));
}

void Device::controlOut(const Setup& setup, ConstByteSpan data, std::chrono::milliseconds timeout,
                        ControlCallback callback) {
    std::vector<std::byte> buffer(LIBUSB_CONTROL_SETUP_SIZE + data.size());
    std::ranges::copy(data, buffer.begin() + LIBUSB_CONTROL_SETUP_SIZE);
    const auto length = static_cast<std::uint16_t>(std::min(data.size(), kMaxControlBytes + 1));
    control(std::move(buffer), false, setup, length, timeout, std::move(callback));
}

void Device::control(std::vector<std::byte> buffer, bool in, const Setup& setup,
                     std::uint16_t length, std::chrono::milliseconds timeout,
                     ControlCallback callback) {
    const ByteSpan head(buffer);
    storeLe(
        head, 0,
        static_cast<std::uint8_t>((setup.requestType & ~kDirectionIn) | (in ? kDirectionIn : 0)));
    storeLe(head, 1, setup.request);
    storeLe(head, 2, setup.value);
    storeLe(head, 4, setup.index);
    storeLe(head, 6, length);

    auto& control = *controls_.emplace_back(
        std::make_unique<Control>(*this, std::move(buffer), in, std::move(callback)));
    // 0 would be no limit at all.
    const auto limit = static_cast<unsigned>(
        std::clamp<std::int64_t>(timeout.count(), 1, std::numeric_limits<int>::max()));
    control.submitError =
        length > kMaxControlBytes
            ? static_cast<int>(LIBUSB_ERROR_INVALID_PARAM)
            : control.transfer.submitControl(control.buffer.data(), control.buffer.size(), limit);
    control.submitted = control.submitError == 0;
    if (!control.submitted) {
        completed_.push_back(&control.transfer);
        deliverLater_.ask();
    }
}

void Device::finish(Control& control) {
    const auto found = std::ranges::find(controls_, &control, &std::unique_ptr<Control>::get);
    const std::unique_ptr<Control> done = std::move(*found);
    controls_.erase(found);

    const int error =
        done->submitted ? errnoOf(done->transfer.status()) : errnoOf(done->submitError);
    if (error != 0) {
        const auto request = std::to_string(std::to_integer<int>(done->buffer[1]));
        done->callback(errorFrom(error, "send control request " + request + " to", name()));
        return;
    }
    const std::size_t received = done->in ? done->transfer.actualBytes() : 0;
    done->buffer.erase(done->buffer.begin(), done->buffer.begin() + LIBUSB_CONTROL_SETUP_SIZE);
    done->buffer.resize(std::min(received, done->buffer.size()));
    done->callback(std::move(done->buffer));
}

void Device::resetInterface(const Interface& interface, std::chrono::milliseconds timeout,
                            ResetCallback callback) {
    controlOut(
        {.requestType = LIBUSB_RECIPIENT_INTERFACE,
         .request = LIBUSB_REQUEST_SET_INTERFACE,
         .value = 0,
         .index = interface.number},
        {}, timeout, [this, interface, callback = std::move(callback)](const auto& reply) {
            if (reply)
                callback(resetEndpoints(interface));
            else
                callback(errorFrom(
                    reply.error().code,
                    "reset USB interface " + std::to_string(interface.number) + " of", name()));
        });
}

Result<void> Device::resetEndpoints(const Interface& interface) {
    for (const Endpoint& endpoint :
         {interface.messageIn, interface.messageOut, interface.payloadIn, interface.payloadOut})
        if (auto reset = handle_->resetEndpoint(endpoint.address); !reset)
            return reset;
    return {};
}

std::shared_ptr<Arena> Device::arena() {
    if (!arena_)
        arena_ = transferMemory(handle_, kArenaBytes);
    if (!arena_) {
        // An address range costs nothing until it is used, so this fails only on a system that
        // is beyond help.
        auto heap = Arena::heap(kArenaBytes);
        if (!heap)
            throw std::bad_alloc();
        arena_ = std::move(*heap);
    }
    return arena_;
}

}  // namespace belay::usb
