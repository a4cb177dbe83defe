#include "helper/worker/supervisor_link.h"

#include "core/base/log.h"
#include "helper/supervisor/unix_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace belay::helper {
SupervisorLink::SupervisorLink(Ring& ring, Fd fd, bool lasting, Channel::MessageHandler onMessage,
                               GreetHandler onGreet, Channel::ClosedHandler onLost)
    : ring_(ring),
      fd_(std::move(fd)),
      lasting_(lasting),
      user_(::geteuid()),
      onMessage_(std::move(onMessage)),
      onGreet_(std::move(onGreet)),
      onLost_(std::move(onLost)) {}

SupervisorLink::~SupervisorLink() = default;

void SupervisorLink::begin() {
    if (lasting_) {
        watch_ = std::make_unique<FdWatch>(ring_, fd_.get(), POLLIN,
                                           [this](std::uint32_t) { accept(); });
        return;
    }
    talkOver(std::move(fd_));
}

void SupervisorLink::send(const Json& message, const std::vector<int>& fds) {
    if (channel_)
        channel_->send(message, fds);
}

void SupervisorLink::accept() {
    Fd connection(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection)
        return;
    if (const auto peer = peerOf(connection); !peer || peer->user != user_) {
        log::warning("another user tried to be the supervisor");
        return;
    }
    talkOver(std::move(connection));
}

void SupervisorLink::talkOver(Fd connection) {
    // The old one may be calling just now.
    if (channel_)
        ring_.destroyLater(std::move(channel_));
    const unsigned number = ++connections_;
    channel_ = std::make_unique<Channel>(
        ring_, std::move(connection),
        [this](const Json& message, std::vector<Fd> fds) {
            if (message.at("type").get<std::string>() == "ping")
                send({{"type", "pong"}});
            else
                onMessage_(message, std::move(fds));
        },
        [this, number](const Error& reason) {
            if (number != connections_)
                return;
            if (!lasting_) {
                onLost_(reason);
                return;
            }
            log::notice("the supervisor is gone; serving goes on");
            ring_.destroyLater(std::move(channel_));
        });
    onGreet_();
}

}  // namespace belay::helper
