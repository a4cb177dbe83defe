#pragma once

#include "helper/supervisor/channel.h"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <vector>

namespace belay::helper {

// A worker's end of the talk with its supervisor.
//
// - Of a worker that dies with its supervisor: one connection, whose end is the worker's.
// - Of one that lasts: a listening socket. Who made this object, before its process gave up its
//   privileges, may connect, and whoever connects last is the
//   supervisor; between two of them nothing is sent.
// - Answers "ping" by itself: that this works is what it says.
class SupervisorLink {
 public:
    // A supervisor is there and knows nothing yet: tell it where things stand.
    using GreetHandler = std::function<void()>;

    // `fd`: a connection, or for a lasting worker the listening socket. `onLost`: the supervisor of
    // one that does not last is gone.
    SupervisorLink(Ring& ring, Fd fd, bool lasting, Channel::MessageHandler onMessage,
                   GreetHandler onGreet, Channel::ClosedHandler onLost);
    ~SupervisorLink();
    SupervisorLink(const SupervisorLink&) = delete;
    SupervisorLink& operator=(const SupervisorLink&) = delete;

    // Everything is set up: greets the supervisor that is there.
    void begin();
    void send(const Json& message, const std::vector<int>& fds = {});

 private:
    void accept();
    void talkOver(Fd connection);

    Ring& ring_;
    Fd fd_;
    const bool lasting_;
    const uid_t user_;
    Channel::MessageHandler onMessage_;
    GreetHandler onGreet_;
    Channel::ClosedHandler onLost_;
    std::unique_ptr<FdWatch> watch_;
    std::unique_ptr<Channel> channel_;
    unsigned connections_ = 0;
};

}  // namespace belay::helper
