#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/ring.h"
#include "helper/supervisor/packet.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belay::helper {

// One end of a socket between two of our processes: whole JSON messages, with descriptors.
//
// - SOCK_SEQPACKET: a message is one Packet, which has its limits.
// - The peer may have been taken over (a worker handles bytes from USB): what it sends is parsed
//   strictly, and a message that does not parse, or whose handler finds it wrong, closes the
//   channel.
// - What a full socket does not take waits here, in order. A peer that leaves more than
//   kMostWaitingBytes waiting is treated as gone.
class Channel {
 public:
    static constexpr std::size_t kMostWaitingBytes = 4 << 20;

    // A handler may throw Json::exception for a message that lacks what it needs.
    using MessageHandler = std::function<void(const Json& message, std::vector<Fd> fds)>;
    // The peer is gone, or broke the rules. Called once, from the ring, unless the channel was
    // destroyed before.
    using ClosedHandler = std::function<void(const Error& reason)>;

    // A connected pair, close-on-exec.
    static Result<std::pair<Fd, Fd>> pair();

    Channel(Ring& ring, Fd socket, MessageHandler onMessage, ClosedHandler onClosed);
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    // One that cannot be sent, because it is too long or memory is short, is logged and left out:
    // it says nothing of the peer.
    void send(const Json& message, const std::vector<int>& fds = {});

 private:
    void readable();
    void writable();
    void wait(Packet::Outgoing packet);
    void close(Error reason);

    Ring& ring_;
    Fd socket_;
    MessageHandler onMessage_;
    ClosedHandler onClosed_;
    std::unique_ptr<FdWatch> watch_;
    std::unique_ptr<FdWatch> writeWatch_;  // while something waits
    std::deque<Packet::Outgoing> waiting_;
    std::size_t waitingBytes_ = 0;
    bool closed_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace belay::helper
