#include "core/usb/host_link.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace belay::usb {
namespace {

// Message transfers of each direction: while one is being handled the others keep the pipe busy.
constexpr std::size_t kMessageSlots = 4;
// Payload transfers of each direction made in advance; more are made when needed, and kept.
constexpr std::size_t kPayloadSlots = 32;
// When to ask again for usbfs memory that others hold; our own transfers ask as they end.
constexpr auto kMemoryRetry = std::chrono::milliseconds(5);

// What a failed transfer means to the user.
struct Hint {
    int code;
    const char* text;
};
constexpr std::array kHints = {
    Hint{EIO, "The transfer failed on the cable: it was pulled out, or is bad."},
    Hint{ENODEV, "The gadget was unplugged."},
    Hint{EPIPE, "The gadget has halted the endpoint."},
    Hint{EOVERFLOW, "The gadget sent more than was asked for."},
    Hint{ECANCELED, "The interface was reset or taken away."},
};

}  // namespace

// One transfer of one pipe, and what it carries at the moment.
struct HostLink::Slot final : Transfer {
    Kind kind;
    ByteSpan memory;  // message slots: their own
    ByteSpan data;
    std::uint64_t cookie = 0;
    std::uint64_t order = 0;
    bool inFlight = false;

    Slot(Device& device, TransferOwner& owner, Kind k) : Transfer(device, owner), kind(k) {}
};

HostLink::HostLink(std::shared_ptr<Device> device, const Interface& interface)
    : device_(std::move(device)), endOfTurn_(device_->ring(), [this] { endOfTurn(); }) {
    pipe(Kind::MessageIn) = {.endpoint = interface.messageIn, .name = "receive messages from"};
    pipe(Kind::MessageOut) = {.endpoint = interface.messageOut, .name = "send messages to"};
    pipe(Kind::PayloadIn) = {.endpoint = interface.payloadIn, .name = "receive a payload from"};
    pipe(Kind::PayloadOut) = {.endpoint = interface.payloadOut, .name = "send a payload to"};
}

HostLink::~HostLink() {
    if (retry_)
        device_->ring().cancel(*retry_);
}

void HostLink::addSlot(Kind kind) {
    Pipe& p = pipe(kind);
    p.owned.push_back(std::make_unique<Slot>(*device_, static_cast<TransferOwner&>(*this), kind));
    p.free.reserve(p.owned.capacity());
    p.free.push_back(p.owned.back().get());
}

HostLink::Slot& HostLink::takeSlot(Kind kind) {
    Pipe& p = pipe(kind);
    if (p.free.empty())
        addSlot(kind);
    Slot* slot = p.free.back();
    p.free.pop_back();
    return *slot;
}

void HostLink::giveBack(Slot& slot) {
    pipe(slot.kind).free.push_back(&slot);
}

void HostLink::start(const wire::MessageFraming& framing, wire::LinkListener& listener) {
    framing_ = framing;
    listener_ = &listener;
    if (reason_) {
        endOfTurn_.ask();
        return;
    }
    messageMemory_.resize(2 * kMessageSlots * framing.transferBytes);
    ByteSpan left(messageMemory_);
    for (const Kind kind : {Kind::MessageIn, Kind::MessageOut}) {
        for (std::size_t i = 0; i < kMessageSlots; ++i) {
            addSlot(kind);
            pipe(kind).owned.back()->memory = left.first(framing.transferBytes);
            left = left.subspan(framing.transferBytes);
        }
    }
    for (const Kind kind : {Kind::PayloadIn, Kind::PayloadOut}) {
        for (std::size_t i = 0; i < kPayloadSlots; ++i)
            addSlot(kind);
    }
    for (std::size_t i = 0; i < kMessageSlots && !reason_; ++i) {
        Slot& slot = takeSlot(Kind::MessageIn);
        slot.data = slot.memory;
        submit(slot);
    }
}

void HostLink::sendMessages(ConstByteSpan messages) {
    if (reason_)
        return;
    queue_.insert(queue_.end(), messages.begin(), messages.end());
    endOfTurn_.ask();
}

void HostLink::sendPayload(ConstByteSpan payload, std::uint64_t cookie) {
    if (reason_)
        return;
    Slot& slot = takeSlot(Kind::PayloadOut);
    // libusb has one type for both directions; what goes out is only read.
    slot.data = ByteSpan(const_cast<std::byte*>(payload.data()), payload.size());
    slot.cookie = cookie;
    submit(slot);
}

void HostLink::receivePayload(ByteSpan buffer, std::uint64_t cookie) {
    if (reason_)
        return;
    Slot& slot = takeSlot(Kind::PayloadIn);
    slot.data = buffer;
    slot.cookie = cookie;
    submit(slot);
}

void HostLink::submit(Slot& slot) {
    Pipe& p = pipe(slot.kind);
    if (p.waiting.empty() && trySubmit(slot))
        return;
    p.waiting.push_back(&slot);
    retryLater();
}

bool HostLink::trySubmit(Slot& slot) {
    const Endpoint& endpoint = pipe(slot.kind).endpoint;
    const int error =
        slot.submitData(endpoint.address, endpoint.interrupt, slot.data.data(), slot.data.size());
    if (error == LIBUSB_ERROR_NO_MEM)
        return false;
    if (error != 0) {
        failed(slot, errnoOf(error), "");
        return true;
    }
    slot.inFlight = true;
    slot.order = ++submissions_;
    ++inFlight_;
    return true;
}

void HostLink::submitWaiting() {
    bool left = false;
    for (Pipe& p : pipes_) {
        while (!reason_ && !p.waiting.empty() && trySubmit(*p.waiting.front()))
            p.waiting.pop_front();
        left = left || !p.waiting.empty();
    }
    if (left)
        retryLater();
}

void HostLink::retryLater() {
    if (retry_ || reason_)
        return;
    retry_ = device_->ring().callAfter(kMemoryRetry, [this] {
        retry_.reset();
        submitWaiting();
    });
}

void HostLink::transferDone(Transfer& transfer) {
    auto& slot = static_cast<Slot&>(transfer);
    slot.inFlight = false;
    --inFlight_;
    if (!reason_) {
        const std::size_t moved = slot.actualBytes();
        if (slot.status() != LIBUSB_TRANSFER_COMPLETED)
            failed(slot, errnoOf(slot.status()), "");
        else if (moved == 0)
            // Nobody sends empty transfers here. libusb calls one completed that the kernel has
            // killed (status ENOENT in handle_bulk_completion).
            failed(slot, ECANCELED, "");
        else if (moved != slot.data.size() && slot.kind != Kind::MessageIn)
            failed(slot, EPROTO,
                   "Only " + std::to_string(moved) + " of " + std::to_string(slot.data.size()) +
                       " bytes came across.");
        else
            succeeded(slot);
    }
    if (reason_)
        endOfTurn_.ask();
    else
        submitWaiting();
}

void HostLink::succeeded(Slot& slot) {
    switch (slot.kind) {
        case Kind::MessageIn:
            listener_->messagesReceived(slot.data.first(slot.actualBytes()));
            // Behind those still posted: a pipe's transfers end in the order of submission.
            if (!reason_)
                submit(slot);
            break;
        case Kind::MessageOut:
            giveBack(slot);
            if (!queue_.empty())
                endOfTurn_.ask();
            break;
        case Kind::PayloadIn:
            giveBack(slot);
            listener_->payloadReceived(slot.cookie);
            break;
        case Kind::PayloadOut:
            giveBack(slot);
            listener_->payloadSent(slot.cookie);
            break;
    }
}

void HostLink::failed(const Slot& slot, int code, std::string hint) {
    if (hint.empty()) {
        const auto* known = std::ranges::find(kHints, code, &Hint::code);
        hint = known != kHints.end() ? known->text : "";
    }
    shutDown(Error{.what = pipe(slot.kind).name,
                   .object = device_->name(),
                   .code = code,
                   .hint = std::move(hint)});
}

void HostLink::shutDown(Error reason) {
    if (reason_)
        return;
    reason_ = std::move(reason);
    if (retry_)
        device_->ring().cancel(*retry_);
    retry_.reset();
    // The newest first: with an older one out of the way, the next would still move bytes.
    std::vector<Slot*> flying;
    for (const Pipe& p : pipes_) {
        for (const auto& slot : p.owned) {
            if (slot->inFlight)
                flying.push_back(slot.get());
        }
    }
    std::ranges::sort(flying, std::ranges::greater(), &Slot::order);
    for (Slot* slot : flying)
        slot->cancel();
    endOfTurn_.ask();
}

void HostLink::endOfTurn() {
    if (!reason_) {
        flushMessages();
        return;
    }
    if (inFlight_ > 0 || listener_ == nullptr)
        return;
    // The last thing done here: the link may be destroyed in it.
    const Error reason = *reason_;
    std::exchange(listener_, nullptr)->linkDown(reason);
}

void HostLink::flushMessages() {
    Pipe& p = pipe(Kind::MessageOut);
    std::size_t sent = 0;
    while (!reason_ && !p.free.empty()) {
        const std::size_t waiting = (queue_.size() - sent) / framing_.messageBytes;
        const std::size_t bytes =
            framing_.batch(waiting, p.endpoint.maxPacketBytes) * framing_.messageBytes;
        if (bytes == 0)
            break;
        Slot& slot = takeSlot(Kind::MessageOut);
        slot.data = slot.memory.first(bytes);
        copyBytes(ConstByteSpan(queue_).subspan(sent, bytes), slot.data);
        sent += bytes;
        submit(slot);
    }
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(sent));
}

}  // namespace belay::usb
