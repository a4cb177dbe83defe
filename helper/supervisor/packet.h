#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "helper/protocol/json.h"

#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// One JSON message as a packet of a SOCK_SEQPACKET socket, with descriptors. Never blocks.
//
// - A message of more than kMostInPacket bytes, which no socket need take whole (EMSGSIZE above
//   net.core.wmem_max), is handed over in a memfd of its own; the packet only says so.
// - Whoever sends it may have been taken over. What is received is copied before it is looked at,
//   from nothing but memory (only that has seals, F_GET_SEALS), and is at most kMostBytes long.
struct Packet {
    static constexpr std::size_t kMostInPacket = 32 << 10;
    static constexpr std::size_t kMostBytes = 4 << 20;
    static constexpr std::size_t kMostFds = 4;

    // What goes over the socket for a message, made once and sent as often as it takes.
    struct Outgoing {
        std::string text;
        std::vector<Fd> fds;  // of its own: the caller may close his
    };
    // EMSGSIZE for a message beyond kMostBytes; otherwise as memory runs out.
    static Result<Outgoing> pack(const Json& message, const std::vector<int>& fds = {});
    // EAGAIN: the socket is full just now.
    static Result<void> send(const Fd& socket, const Outgoing& packet);
    // Nothing: none is there yet. After an error the peer is gone, or not to be talked with.
    static Result<std::optional<Packet>> receive(const Fd& socket);

    Json message;
    std::vector<Fd> fds;
};

}  // namespace belay::helper
