#pragma once

#include "core/base/bytes.h"
#include "tests/sim/context.h"

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace belay::sim {

enum class Side : std::uint8_t { Initiator, Target };
constexpr Side other(Side side) {
    return side == Side::Initiator ? Side::Target : Side::Initiator;
}
const char* nameOf(Side side);

// wire::LinkListener, with blocks for bytes.
class CableListener {
 public:
    virtual void messagesReceived(ConstByteSpan transfer) = 0;
    virtual void payloadSent(std::uint64_t cookie) = 0;
    virtual void payloadReceived(std::uint64_t cookie, const Blocks& payload) = 0;
    virtual void linkDown() = 0;

 protected:
    ~CableListener() = default;
};

// One use of the four pipes between two ends: wire::Link for both of them.
//
// - Each pipe keeps its order; the pipes know nothing of each other.
// - What arrives before its end has started, or before a payload's receive is posted, waits.
class Cable : public std::enable_shared_from_this<Cable> {
 public:
    using Transfer = std::vector<std::byte>;

    explicit Cable(Context& context) : context_(context) {}

    void start(Side side, CableListener& listener);
    void sendMessages(Side from, Transfer messages);
    void sendPayload(Side from, Blocks payload, std::uint64_t cookie);
    void receivePayload(Side at, std::size_t blocks, std::uint64_t cookie);
    // Ends this side's use; its linkDown() follows. The other side learns nothing of it.
    void shutDown(Side side);
    // This side's process is dead: it is never called again.
    void abandon(Side side);
    // The cable is cut, or one end resets it. What is under way is lost, but for odd ends of it.
    // Each side notices in its own time.
    void cut();
    // Or is being cut: what still arrives may be anything.
    bool isCut() const { return cutting_ || cut_; }
    // Message transfers to `to` that were lost.
    std::deque<Transfer> takeLost(Side to);
    // Old messages that come before all others.
    void preload(Side to, const std::deque<Transfer>& transfers);

 private:
    struct Message {
        Transfer bytes;
        bool arrived = false;
    };
    struct Payload {
        Blocks blocks;
        std::uint64_t cookie;
        bool arrived = false;
    };
    struct Receive {
        std::size_t blocks;
        std::uint64_t cookie;
    };
    enum class State : std::uint8_t { Waiting, Up, Closing, Gone };
    struct End {
        State state = State::Waiting;
        CableListener* listener = nullptr;
        std::deque<Message> messages;  // to this end
        std::deque<Payload> payloads;
        std::deque<Receive> receives;
        Micros lastMessage = 0;
        Micros lastPayload = 0;
        Transfer lastDelivered;
    };

    End& end(Side side) { return ends_[static_cast<std::size_t>(side)]; }
    void later(Micros delay, Side side, void (Cable::*what)(Side));
    Micros arrival(Micros& last);
    void messageArrived(Side at);
    void payloadArrived(Side at);
    void deliverMessages(Side at);
    void deliverPayloads(Side at);
    void leaveRemains(Side at);
    void goDown(Side side);

    Context& context_;
    std::array<End, 2> ends_;
    bool cutting_ = false;
    bool cut_ = false;
};

}  // namespace belay::sim
