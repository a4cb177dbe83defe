#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"

#include <sys/types.h>

#include <string>

namespace belay::helper {

// Sockets by path between processes of ours: SOCK_SEQPACKET, close-on-exec, non-blocking.

// Listens at `path`, in place of whatever is there; only root can connect.
Result<Fd> listenAt(const std::string& path);
// ECONNREFUSED or ENOENT: nobody is there.
Result<Fd> connectTo(const std::string& path);

// Who is at the other end of a connection, as the kernel saw it connect or listen (SO_PEERCRED).
struct Peer {
    pid_t process = 0;
    uid_t user = 0;
};
Result<Peer> peerOf(const Fd& connection);

}  // namespace belay::helper
