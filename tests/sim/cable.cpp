#include "tests/sim/cable.h"

#include <algorithm>

namespace belay::sim {
namespace {

constexpr std::uint32_t kUsualDelay = 200;
constexpr std::uint32_t kLongDelay = 4000;
constexpr std::uint32_t kMostUnawareness = 3000;

template <class Queue>
void firstArrives(Queue& queue) {
    const auto first = std::ranges::find_if(queue, [](const auto& item) { return !item.arrived; });
    if (first != queue.end())
        first->arrived = true;
}

}  // namespace

const char* nameOf(Side side) {
    return side == Side::Initiator ? "initiator" : "target";
}

void Cable::later(Micros delay, Side side, void (Cable::*what)(Side)) {
    context_.time.after(delay, [self = shared_from_this(), side, what] { (*self.*what)(side); });
}

Micros Cable::arrival(Micros& last) {
    Random& random = context_.random;
    const Micros delay = 10 + random.below(random.percent(10) ? kLongDelay : kUsualDelay);
    last = std::max(last, context_.time.now() + delay);
    return last - context_.time.now();
}

void Cable::start(Side side, CableListener& listener) {
    end(side).listener = &listener;
    if (cut_) {
        end(side).state = State::Closing;
        later(1, side, &Cable::goDown);
        return;
    }
    end(side).state = State::Up;
    later(0, side, &Cable::deliverMessages);
}

void Cable::sendMessages(Side from, Transfer messages) {
    if (cut_)
        return;
    const Side to = other(from);
    end(to).messages.push_back({std::move(messages)});
    later(arrival(end(to).lastMessage), to, &Cable::messageArrived);
}

void Cable::sendPayload(Side from, Blocks payload, std::uint64_t cookie) {
    if (cut_)
        return;
    const Side to = other(from);
    end(to).payloads.push_back({std::move(payload), cookie});
    later(arrival(end(to).lastPayload), to, &Cable::payloadArrived);
}

void Cable::receivePayload(Side at, std::size_t blocks, std::uint64_t cookie) {
    end(at).receives.push_back({blocks, cookie});
    later(0, at, &Cable::deliverPayloads);
}

void Cable::messageArrived(Side at) {
    firstArrives(end(at).messages);
    deliverMessages(at);
}

void Cable::payloadArrived(Side at) {
    firstArrives(end(at).payloads);
    deliverPayloads(at);
}

void Cable::deliverMessages(Side at) {
    End& to = end(at);
    while (to.state == State::Up && !cut_ && !to.messages.empty() && to.messages.front().arrived) {
        to.lastDelivered = std::move(to.messages.front().bytes);
        to.messages.pop_front();
        to.listener->messagesReceived(to.lastDelivered);
    }
}

void Cable::deliverPayloads(Side at) {
    End& to = end(at);
    while (to.state == State::Up && !cut_ && !to.payloads.empty() && !to.receives.empty() &&
           to.payloads.front().arrived) {
        const Payload payload = std::move(to.payloads.front());
        const Receive receive = to.receives.front();
        to.payloads.pop_front();
        to.receives.pop_front();
        if (payload.blocks.size() != receive.blocks) {
            context_.note("payload of a wrong length at the {}", nameOf(at));
            shutDown(at);
            return;
        }
        // The sender may hear of it later than of the answer.
        const Side from = other(at);
        context_.time.after(context_.random.below(kUsualDelay),
                            [self = shared_from_this(), from, cookie = payload.cookie] {
                                End& sender = self->end(from);
                                if (sender.state == State::Up)
                                    sender.listener->payloadSent(cookie);
                            });
        to.listener->payloadReceived(receive.cookie, payload.blocks);
    }
}

void Cable::shutDown(Side side) {
    if (end(side).state != State::Up)
        return;
    end(side).state = State::Closing;
    later(1 + context_.random.below(kUsualDelay), side, &Cable::goDown);
}

void Cable::abandon(Side side) {
    end(side).state = State::Gone;
}

void Cable::cut() {
    if (cut_)
        return;
    cutting_ = true;
    for (const Side side : {Side::Initiator, Side::Target})
        if (end(side).state == State::Up && context_.random.percent(30))
            leaveRemains(side);
    cut_ = true;
    for (const Side side : {Side::Initiator, Side::Target})
        later(context_.random.below(kMostUnawareness), side, &Cable::goDown);
}

// A transfer that was under way may arrive in part, and the last one twice.
void Cable::leaveRemains(Side at) {
    End& to = end(at);
    Transfer remains;
    if (context_.random.percent(50) && !to.messages.empty()) {
        remains = to.messages.front().bytes;
        remains.resize(context_.random.below(remains.size()));
    } else {
        remains = to.lastDelivered;
    }
    if (remains.empty())
        return;
    context_.note("the cut leaves {} bytes to the {}", remains.size(), nameOf(at));
    to.listener->messagesReceived(remains);
}

void Cable::goDown(Side side) {
    End& down = end(side);
    if (down.state != State::Up && down.state != State::Closing)
        return;
    down.state = State::Gone;
    down.listener->linkDown();
}

std::deque<Cable::Transfer> Cable::takeLost(Side to) {
    std::deque<Transfer> lost;
    for (Message& message : end(to).messages)
        lost.push_back(std::move(message.bytes));
    end(to).messages.clear();
    return lost;
}

void Cable::preload(Side to, const std::deque<Transfer>& transfers) {
    for (const Transfer& transfer : transfers)
        sendMessages(other(to), transfer);
}

}  // namespace belay::sim
