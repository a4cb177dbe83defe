#include "helper/supervisor/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace belay::helper {
namespace {

Result<sockaddr_un> addressOf(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return errorFrom(ENAMETOOLONG, "use the socket", path, "Choose a shorter --run-dir");
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

Result<Fd> newSocket() {
    Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket)
        return systemError("make a socket");
    return socket;
}

}  // namespace

Result<Fd> listenAt(const std::string& path) {
    const auto address = addressOf(path);
    if (!address)
        return tl::make_unexpected(address.error());
    auto socket = newSocket();
    if (!socket)
        return socket;
    ::unlink(path.c_str());
    const mode_t before = ::umask(0077);
    const int bound =
        ::bind(socket->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
    ::umask(before);
    if (bound < 0 || ::listen(socket->get(), 8) < 0)
        return systemError("listen at", path);
    return socket;
}

Result<Fd> connectTo(const std::string& path) {
    const auto address = addressOf(path);
    if (!address)
        return tl::make_unexpected(address.error());
    auto socket = newSocket();
    if (!socket)
        return socket;
    if (::connect(socket->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) < 0)
        return systemError("reach the running program at", path,
                           "Is it running, with the same --run-dir?");
    return socket;
}

Result<Peer> peerOf(const Fd& connection) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return systemError("ask who is at the other end");
    return Peer{credentials.pid, credentials.uid};
}

}  // namespace belay::helper
