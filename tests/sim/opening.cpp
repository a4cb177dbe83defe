#include "tests/sim/opening.h"

#include <utility>

namespace belay::sim {
namespace {

constexpr Micros kControlRequest = 300;
constexpr std::uint32_t kChangesWait = 5000;
constexpr Micros kPollDraining = 50'000;
constexpr Micros kRetry = 200'000;
constexpr Micros kStatusPeriod = 2'000'000;

}  // namespace

Opening::Opening(Context& context) : context_(context) {}

void Opening::setEnd(Side side, SessionEnd* end) {
    ends_[static_cast<std::size_t>(side)] = end;
    // A gadget's parent takes it off the bus; of a dead host program the gadget learns nothing.
    if (end == nullptr && cable_ && side != hostSide())
        cable_->cut();
    if (side != hostSide())
        pending_.reset();
    else if (end != nullptr)
        schedule(0);
    else
        ++attempt_;
}

void Opening::ended(Side side) {
    if (side == hostSide())
        schedule(0);
    else
        tryBegin();
}

void Opening::changed() {
    context_.time.after(context_.random.below(kChangesWait), [this] {
        SessionEnd* target = at(Side::Target);
        if (!target || !cable_ || target->epoch() != epoch_)
            return;
        context_.time.after(kControlRequest, [this, list = target->list(), epoch = epoch_] {
            SessionEnd* initiator = at(Side::Initiator);
            if (initiator && initiator->epoch() == epoch)
                initiator->listed(list);
        });
    });
}

void Opening::plug(bool plugged) {
    plugged_ = plugged;
    if (plugged)
        return;
    pending_.reset();
    if (cable_)
        cable_->cut();
}

void Opening::schedule(Micros delay) {
    ++attempt_;
    later(delay, &Opening::attempt);
}

void Opening::later(Micros delay, void (Opening::*what)()) {
    context_.time.after(delay, [this, what, attempt = attempt_] {
        if (attempt == attempt_)
            (this->*what)();
    });
}

void Opening::attempt() {
    if (!host())
        return;
    if (!plugged_ || host()->busy()) {
        schedule(kRetry);
        return;
    }
    reset();
    later(kControlRequest, &Opening::open);
}

// SET_INTERFACE: everything in the pipes is gone, or should be.
void Opening::reset() {
    pending_.reset();
    leftOver_ = {};
    if (!cable_)
        return;
    cable_->cut();
    if (context_.settings.dirtyPipes && context_.random.percent(50))
        for (const Side side : {Side::Initiator, Side::Target})
            leftOver_[static_cast<std::size_t>(side)] = cable_->takeLost(side);
    cable_.reset();
}

void Opening::open() {
    if (!plugged_ || !gadget()) {
        schedule(kRetry);
        return;
    }
    epoch_ = context_.planted(Plant::ReusedEpoch) ? Epoch(77) : Epoch(1000 + ++epochs_);
    if (!context_.settings.hostIsInitiator)
        offered_ = host()->list();
    pending_ = epoch_;
    context_.note("host asks for session {}", epoch_.value);
    gadget()->endSession();
    tryBegin();
    later(kControlRequest, &Opening::poll);
}

void Opening::tryBegin() {
    if (!pending_ || !gadget() || gadget()->busy())
        return;
    pending_.reset();
    cable_ = std::make_shared<Cable>(context_);
    for (const Side side : {Side::Initiator, Side::Target})
        cable_->preload(side, leftOver_[static_cast<std::size_t>(side)]);
    gadget()->begin(epoch_, cable_, offered_);
}

void Opening::poll() {
    if (!plugged_ || !gadget()) {
        schedule(kRetry);
        return;
    }
    tryBegin();
    if (gadget()->epoch() == epoch_)
        later(kControlRequest, &Opening::beginHost);
    else if (pending_)
        later(kPollDraining, &Opening::poll);
    else
        schedule(kRetry);
}

void Opening::beginHost() {
    if (!plugged_ || !gadget() || gadget()->epoch() != epoch_) {
        schedule(kRetry);
        return;
    }
    if (context_.settings.hostIsInitiator)
        offered_ = gadget()->list();
    host()->begin(epoch_, cable_, offered_);
    later(kStatusPeriod, &Opening::keepAlive);
}

void Opening::keepAlive() {
    if (!gadget() || gadget()->epoch() != epoch_) {
        context_.note("host: the gadget is in no such session");
        host()->endSession();
        return;
    }
    later(kStatusPeriod, &Opening::keepAlive);
}

}  // namespace belay::sim
