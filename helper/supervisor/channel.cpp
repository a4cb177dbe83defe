#include "helper/supervisor/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string_view>

namespace belay::helper {

Result<std::pair<Fd, Fd>> Channel::pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) < 0)
        return systemError("make a socket pair");
    return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Channel::Channel(Ring& ring, Fd socket, MessageHandler onMessage, ClosedHandler onClosed)
    : ring_(ring),
      socket_(std::move(socket)),
      onMessage_(std::move(onMessage)),
      onClosed_(std::move(onClosed)),
      watch_(std::make_unique<FdWatch>(ring, socket_.get(), POLLIN,
                                       [this](std::uint32_t) { readable(); })),
      input_(kMaxMessageBytes) {}

Channel::~Channel() {
    *alive_ = false;
}

void Channel::send(const Json& message, const std::vector<int>& fds) {
    if (closed_)
        return;
    const std::string text = message.dump(-1, ' ', false, Json::error_handler_t::replace);
    iovec part{const_cast<char*>(text.data()), text.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control{};
    if (!fds.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
        cmsghdr* first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
        std::memcpy(CMSG_DATA(first), fds.data(), sizeof(int) * fds.size());
    }
    if (::sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        close(systemError("send to the other process").value());
}

void Channel::readable() {
    iovec part{input_.data(), input_.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control{};
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t length = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length < 0) {
        close(systemError("receive from the other process").value());
        return;
    }
    std::vector<Fd> fds;
    for (cmsghdr* part2 = CMSG_FIRSTHDR(&header); part2 != nullptr;
         part2 = CMSG_NXTHDR(&header, part2)) {
        if (part2->cmsg_level != SOL_SOCKET || part2->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t count = (part2->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd;
            std::memcpy(&fd, CMSG_DATA(part2) + i * sizeof(int), sizeof fd);
            fds.emplace_back(fd);
        }
    }
    if (length == 0) {
        close({"the other process is gone", {}, 0, {}});
        return;
    }
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        close({"message of the other process is too long", {}, 0, {}});
        return;
    }
    const auto message =
        parseJson(std::string_view(input_.data(), static_cast<std::size_t>(length)));
    if (!message || !message->is_object()) {
        close({"message of the other process does not parse", {}, 0, {}});
        return;
    }
    try {
        onMessage_(*message, std::move(fds));
    } catch (const Json::exception& error) {
        close({"message of the other process lacks something", error.what(), 0, {}});
    }
}

void Channel::close(Error reason) {
    if (closed_)
        return;
    closed_ = true;
    // Later, and by a copy: the handler may destroy this channel.
    ring_.callAtEndOfTurn([handler = onClosed_, reason = std::move(reason), alive = alive_] {
        if (*alive)
            handler(reason);
    });
}

}  // namespace belay::helper
