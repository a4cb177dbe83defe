#include "helper/supervisor/channel.h"

#include "core/base/log.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

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
                                       [this](std::uint32_t) { readable(); })) {}

Channel::~Channel() {
    *alive_ = false;
}

void Channel::send(const Json& message, const std::vector<int>& fds) {
    if (closed_)
        return;
    auto packet = Packet::pack(message, fds);
    if (!packet) {
        log::error("{}", packet.error().message());
        return;
    }
    if (!waiting_.empty()) {
        wait(std::move(*packet));
        return;
    }
    const auto sent = Packet::send(socket_, *packet);
    if (!sent && sent.error().code == EAGAIN)
        wait(std::move(*packet));
    else if (!sent)
        close(sent.error());
}

void Channel::wait(Packet::Outgoing packet) {
    waitingBytes_ += packet.text.size();
    waiting_.push_back(std::move(packet));
    if (waitingBytes_ > kMostWaitingBytes)
        close({"the other process does not read what it is sent", {}, 0, {}});
    else if (!writeWatch_)
        writeWatch_ = std::make_unique<FdWatch>(ring_, socket_.get(), POLLOUT,
                                                [this](std::uint32_t) { writable(); });
}

void Channel::writable() {
    while (!waiting_.empty() && !closed_) {
        const auto sent = Packet::send(socket_, waiting_.front());
        if (!sent && sent.error().code == EAGAIN)
            return;
        if (!sent) {
            close(sent.error());
            return;
        }
        waitingBytes_ -= waiting_.front().text.size();
        waiting_.pop_front();
    }
    ring_.destroyLater(std::move(writeWatch_));
}

void Channel::readable() {
    auto packet = Packet::receive(socket_);
    if (!packet) {
        close(packet.error());
        return;
    }
    if (!*packet)
        return;
    try {
        onMessage_((*packet)->message, std::move((*packet)->fds));
    } catch (const Json::exception& error) {
        close({"message of the other process lacks something", error.what(), 0, {}});
    }
}

void Channel::close(Error reason) {
    if (closed_)
        return;
    closed_ = true;
    waiting_.clear();
    if (writeWatch_)
        ring_.destroyLater(std::move(writeWatch_));
    // Later, and by a copy: the handler may destroy this channel.
    ring_.callAtEndOfTurn([handler = onClosed_, reason = std::move(reason), alive = alive_] {
        if (*alive)
            handler(reason);
    });
}

}  // namespace belay::helper
