#include "core/ffs/gadget_link.h"

#include "core/base/log.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace belay::ffs {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{16} << 20;
// How often a link that goes down looks for the events that nothing is woken for.
constexpr auto kDrainPause = std::chrono::milliseconds(1);
// When to ask again for memory that the kernel did not have.
constexpr auto kMemoryRetry = std::chrono::milliseconds(5);
// How long after the last refusal longer pieces are tried again.
constexpr auto kLongAgain = std::chrono::seconds(10);

}  // namespace

GadgetLink::GadgetLink(Ring& ring, Function& function, std::size_t chunkBytes)
    : ring_(ring),
      kind_(function.kind()),
      chunkBytes_(chunkBytes),
      pieceBytes_(chunkBytes),
      flush_(ring, [this] { flush(); }),
      messageReads_(function.endpointFd(Endpoint::MessageOut), kMessageReads),
      messageWrites_(function.endpointFd(Endpoint::MessageIn), kMessageWrites),
      payloadReads_(function.endpointFd(Endpoint::PayloadOut), kPayloadRequests),
      payloadWrites_(function.endpointFd(Endpoint::PayloadIn), kPayloadRequests) {}

Result<std::unique_ptr<GadgetLink>> GadgetLink::create(Ring& ring, Function& function,
                                                       std::size_t chunkBytes) {
    std::unique_ptr<GadgetLink> link(new GadgetLink(ring, function, chunkBytes));
    const auto packet = function.currentMaxPacket(Endpoint::MessageIn);
    if (!packet)
        return tl::make_unexpected(packet.error());
    link->messagePacketBytes_ = *packet;
    auto aio = Aio::create(kMessageReads + kMessageWrites + 2 * kPayloadRequests);
    if (!aio)
        return tl::make_unexpected(aio.error());
    link->aio_ = std::move(*aio);
    auto arena = Arena::heap(kArenaBytes);
    if (!arena)
        return tl::make_unexpected(arena.error());
    link->arena_ = std::move(*arena);
    return link;
}

GadgetLink::~GadgetLink() {
    for (const auto& timer : {draining_, memoryRetry_})
        if (timer)
            ring_.cancel(*timer);
}

void GadgetLink::start(const wire::MessageFraming& framing, wire::LinkListener& listener) {
    framing_ = framing;
    listener_ = &listener;
    readBuffers_.resize(kMessageReads * framing.transferBytes);
    writeBuffers_.resize(kMessageWrites * framing.transferBytes);
    watch_ = std::make_unique<FdWatch>(
        ring_, aio_->eventFd(), POLLIN, [this](std::uint32_t) { completions(); },
        FdWatch::Trigger::Edge);
    flush_.ask();
}

void GadgetLink::sendMessages(ConstByteSpan messages) {
    if (reason_)
        return;
    // A backlog that never ends must not keep what was sent long ago.
    if (waitingFrom_ > waiting_.size() / 2) {
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<long>(waitingFrom_));
        waitingFrom_ = 0;
    }
    waiting_.insert(waiting_.end(), messages.begin(), messages.end());
    flush_.ask();
}

void GadgetLink::sendPayload(ConstByteSpan payload, std::uint64_t cookie) {
    // Never written to: the queue is the same for both directions.
    sending_.push(const_cast<std::byte*>(payload.data()), payload.size(), cookie);
    flush_.ask();
}

void GadgetLink::receivePayload(ByteSpan buffer, std::uint64_t cookie) {
    receiving_.push(buffer.data(), buffer.size(), cookie);
    flush_.ask();
}

void GadgetLink::shutDown(Error reason) {
    if (reason_)
        return;
    reason_ = std::move(reason);
    for (Pipe* pipe : {&messageReads_, &messageWrites_, &payloadReads_, &payloadWrites_})
        pipe->forEachPending([this](Request& request) { aio_->cancel(request.control); });
    // For the case that nothing was under way.
    flush_.ask();
    drain();
}

void GadgetLink::drain() {
    draining_ = ring_.callAfter(kDrainPause, [this] {
        drain();
        completions();
    });
}

void GadgetLink::submit() {
    if (reason_ || listener_ == nullptr)
        return;
    // Requests before their payloads: a peer may read only what it has been told of.
    if (flushMessages())
        flushPayloads(payloadWrites_, sending_);
    flushPayloads(payloadReads_, receiving_);
}

void GadgetLink::flush() {
    // Not in submit(), which whoever still looks at the bytes of a read may call.
    while (listener_ != nullptr && !messageReads_.full() && postMessageRead()) {
    }
    submit();
    // Payloads without a byte are complete as soon as those before them are.
    if (listener_ != nullptr) {
        deliverPayloads(payloadWrites_, sending_);
        deliverPayloads(payloadReads_, receiving_);
    }
    if (reason_ && aio_->underWay() == 0)
        finish();
}

// What was pushed last was started; if not, it is taken back.
bool GadgetLink::started(Aio::Started outcome, Pipe& pipe) {
    if (outcome == Aio::Started::Yes)
        return true;
    const int code = errno;
    pipe.unpush();
    if (outcome == Aio::Started::NoMemory)
        waitForMemory();
    else
        shutDown({"submit transfers on", std::string(name(kind_)), code, {}});
    return false;
}

void GadgetLink::waitForMemory() {
    if (memoryRetry_)
        return;
    memoryRetry_ = ring_.callAfter(kMemoryRetry, [this] {
        memoryRetry_.reset();
        flush_.ask();
    });
}

void GadgetLink::useSmallerPieces(std::size_t refused) {
    refusedAt_ = Clock::now();
    if (pieceBytes_ == chunkBytes_)
        log::notice("{}: the kernel has no memory for a transfer of {} KiB; smaller ones go on",
                    name(kind_), refused >> 10);
    if (pieceBytes_ / 2 >= kLeastChunkBytes)
        pieceBytes_ /= 2;
}

// False: there is no memory for it now.
bool GadgetLink::postMessageRead() {
    if (reason_)
        return false;
    const std::size_t slot = messageReads_.nextSlot();
    Request& request = messageReads_.push(framing_.transferBytes);
    const ByteSpan buffer =
        ByteSpan(readBuffers_).subspan(slot * framing_.transferBytes, framing_.transferBytes);
    return started(aio_->read(request.control, messageReads_.fd(), buffer, &request),
                   messageReads_);
}

// False: some wait for memory.
bool GadgetLink::flushMessages() {
    while (waitingFrom_ < waiting_.size() && !messageWrites_.full()) {
        const std::size_t count = framing_.batch(
            (waiting_.size() - waitingFrom_) / framing_.messageBytes, messagePacketBytes_);
        const std::size_t length = count * framing_.messageBytes;
        const std::size_t slot = messageWrites_.nextSlot();
        const ByteSpan buffer =
            ByteSpan(writeBuffers_).subspan(slot * framing_.transferBytes, length);
        std::memcpy(buffer.data(), waiting_.data() + waitingFrom_, length);
        // Nobody waits for it to be sent but a message without a slot, and the events of those in
        // the pipe's other half come after this one's.
        const auto signal = messageWrites_.halfFull() ? Aio::Signal::Yes : Aio::Signal::No;
        Request& request = messageWrites_.push(length);
        if (!started(aio_->write(request.control, messageWrites_.fd(), buffer, &request, signal),
                     messageWrites_))
            return false;
        waitingFrom_ += length;
    }
    if (waitingFrom_ == waiting_.size()) {
        waiting_.clear();
        waitingFrom_ = 0;
    }
    return true;
}

void GadgetLink::flushPayloads(Pipe& pipe, PayloadQueue& queue) {
    if (pieceBytes_ != chunkBytes_ && Clock::now() - refusedAt_ > kLongAgain)
        pieceBytes_ = chunkBytes_;
    while (!reason_ && !pipe.full() && pipe.bytes() < kWindowBytes) {
        const ByteSpan piece = queue.cut(pieceBytes_);
        if (piece.empty())
            break;
        Request& request = pipe.push(piece.size());
        const auto outcome = &pipe == &payloadReads_
                                 ? aio_->read(request.control, pipe.fd(), piece, &request)
                                 : aio_->write(request.control, pipe.fd(), piece, &request);
        if (!started(outcome, pipe)) {
            queue.uncut(piece);
            useSmallerPieces(piece.size());
            break;
        }
    }
}

void GadgetLink::completions() {
    while (true) {
        const auto events = aio_->reap();
        if (events.empty())
            break;
        for (const io_event& event : events) {
            auto& request = *static_cast<Request*>(event.data);
            request.result = resultOf(event);
            request.done = true;
            if (!reason_)
                advance(*request.pipe);
        }
    }
    if (reason_) {
        if (aio_->underWay() == 0)
            finish();
        return;
    }
    flush_.ask();
}

void GadgetLink::advance(Pipe& pipe) {
    while (!reason_ && !pipe.empty() && pipe.front().done) {
        const std::size_t slot = pipe.frontSlot();
        const Request& request = pipe.front();
        if (!check(request))
            return;
        pipe.pop();
        if (&pipe == &messageReads_)
            messageRead(request, slot);
        else if (&pipe != &messageWrites_)
            payloadDone(request);
    }
}

bool GadgetLink::check(const Request& request) {
    if (request.result >= 0) {
        const auto got = static_cast<std::size_t>(request.result);
        if (request.pipe == &messageReads_ || got == request.length)
            return true;
        shutDown({"transfer of " + std::to_string(request.length) + " bytes ended after " +
                      std::to_string(got) + " on",
                  std::string(name(kind_)),
                  EPROTO,
                  {}});
        return false;
    }
    // EAGAIN: submitted after the endpoint was disabled (ffs_epfile_io on a non-blocking file).
    // ECONNRESET: the UDC took the transfer off its queue. Both are the same event seen elsewhere.
    const int code = static_cast<int>(-request.result);
    const bool lost = code == ESHUTDOWN || code == EAGAIN || code == ECONNRESET || code == ENODEV;
    shutDown({lost ? "USB connection lost on" : "USB transfer failed on",
              std::string(name(kind_)),
              lost ? ESHUTDOWN : code,
              {}});
    return false;
}

void GadgetLink::messageRead(const Request& request, std::size_t slot) {
    const ConstByteSpan transfer =
        ConstByteSpan(readBuffers_)
            .subspan(slot * framing_.transferBytes, static_cast<std::size_t>(request.result));
    listener_->messagesReceived(transfer);
    // The slot just freed is the next one, and its bytes have been looked at.
    if (!reason_)
        postMessageRead();
}

void GadgetLink::payloadDone(const Request& request) {
    const bool read = request.pipe == &payloadReads_;
    PayloadQueue& queue = read ? receiving_ : sending_;
    queue.advance(request.length);
    deliverPayloads(*request.pipe, queue);
}

void GadgetLink::deliverPayloads(Pipe& pipe, PayloadQueue& queue) {
    while (!reason_ && queue.hasComplete()) {
        const std::uint64_t cookie = queue.popComplete();
        if (&pipe == &payloadReads_)
            listener_->payloadReceived(cookie);
        else
            listener_->payloadSent(cookie);
    }
}

void GadgetLink::finish() {
    if (std::exchange(finished_, true))
        return;
    watch_.reset();
    for (auto* timer : {&draining_, &memoryRetry_})
        if (*timer)
            ring_.cancel(*std::exchange(*timer, std::nullopt));
    // Last, and with a copy: the listener may destroy the link.
    const Error reason = *reason_;
    if (listener_ != nullptr)
        listener_->linkDown(reason);
}

}  // namespace belay::ffs
