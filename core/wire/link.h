#pragma once

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace belay::wire {

// Sizes on the message pipes: both ends work them out from the same facts, so they agree.
struct MessageFraming {
    // Length of one message: 28 (v0) or 64 (v1).
    std::size_t messageBytes = 0;
    // Length of every posted receive, the most that one transfer may carry.
    std::size_t transferBytes = 0;

    // v0: exactly one message per transfer; peers drop or fail on anything else.
    static MessageFraming smoo();
    // v1 on a pipe whose endpoint has this wMaxPacketSize: up to 64 messages per transfer, or one
    // when a message fills a packet (full speed).
    static MessageFraming native(std::size_t maxPacketBytes);

    // How many of `waiting` messages the next transfer may carry (at least 1 if any wait). A
    // transfer that is shorter than the receive and fills its last packet would not end the
    // receive (USB 2.0, 5.8.3), and nothing here sends zero-length packets, so such a length is
    // never chosen.
    std::size_t batch(std::size_t waiting, std::size_t maxPacketBytes) const;
};

// Whatever happens on a Link. Called from the event ring, never from inside a Link function.
class LinkListener {
 public:
    // One message transfer as it came: any length up to the receive, any content.
    virtual void messagesReceived(ConstByteSpan transfer) = 0;
    // A payload is wholly sent, its buffer is the caller's again.
    virtual void payloadSent(std::uint64_t cookie) = 0;
    // A payload has arrived with exactly the length asked for.
    virtual void payloadReceived(std::uint64_t cookie) = 0;
    // The link is of no use any more; the last call. No transfer is under way: all buffers are
    // the caller's again.
    virtual void linkDown(const Error& reason) = 0;

 protected:
    ~LinkListener() = default;
};

// The four pipes between two ends, in whichever direction.
//
// - Order: messages arrive in the order sent; payloads likewise; nothing is promised between the
//   two.
// - A payload whose length on the wire differs from the length asked for takes the link down.
// - Buffers passed in stay the caller's and must stay valid until the completion (or linkDown).
// - One Link object is one use of the pipes, from clean to down; a new session has a new one.
// - Must not be destroyed before linkDown was called, except by a process that exits.
class Link {
 public:
    virtual ~Link() = default;

    // wMaxPacketSize of the message endpoints, from which both ends work out the framing.
    virtual std::size_t messagePacketBytes() const = 0;
    // Starts receiving messages. `listener` must outlive the link.
    virtual void start(const MessageFraming& framing, LinkListener& listener) = 0;
    // Sends whole messages; copied before return, split into transfers as the framing says.
    virtual void sendMessages(ConstByteSpan messages) = 0;
    virtual void sendPayload(ConstByteSpan payload, std::uint64_t cookie) = 0;
    virtual void receivePayload(ByteSpan buffer, std::uint64_t cookie) = 0;
    // Large payloads were asked for and more follow in this turn: whatever waits for the end of the
    // turn may start now.
    virtual void submit() = 0;
    // Cancels every transfer; linkDown(reason) follows from the ring. Idempotent.
    virtual void shutDown(Error reason) = 0;

    // Memory that this link moves with the fewest copies.
    virtual std::shared_ptr<Arena> arena() = 0;
};

}  // namespace belay::wire
