#include "core/engine/gadget_session.h"

#include "core/base/log.h"
#include "core/base/stop_point.h"
#include "core/ffs/gadget_link.h"
#include "core/wire/control_codec.h"

namespace belay::engine {

GadgetSession::GadgetSession(Ring& ring, const wire::Hello& offer, GadgetListener& listener)
    : ring_(ring), offer_(offer), listener_(listener) {}

Result<void> GadgetSession::open(const std::string& mount, ffs::Kind kind, ffs::LendTriple triple) {
    auto function = ffs::Function::open(ring_, mount, kind, *this, triple);
    if (!function)
        return tl::make_unexpected(function.error());
    function_ = std::move(*function);
    return {};
}

void GadgetSession::sessionEnded(const Error& reason) {
    log::notice("session ended: {}", reason.message());
    if (!pending_)
        opened_ = {};
    tryBegin();
}

void GadgetSession::sessionDrained() {
    tryBegin();
}

// The interface was reset or the cable pulled. The link finds out by itself (ESHUTDOWN).
void GadgetSession::disabled() {
    pending_.reset();
    opened_ = {};
}

ffs::SetupAnswer GadgetSession::setup(const ffs::SetupRequest& request) {
    using wire::ControlRequest;
    const auto number = static_cast<ControlRequest>(request.request);
    if (request.requestType == wire::kControlIn) {
        switch (number) {
            case ControlRequest::Hello:
                stopPoint("before-hello");
                return ffs::SetupAnswer::reply(wire::encode(offer_));
            case ControlRequest::Opened:
                return ffs::SetupAnswer::reply(wire::encode(opened_));
            case ControlRequest::Status:
                return ffs::SetupAnswer::reply(wire::encode(status()));
            case ControlRequest::Exports:
                stopPoint("after-exports");
                if (auto page = exportsPage(request.value); page && !page->empty())
                    return ffs::SetupAnswer::reply(std::move(*page));
                break;
            case ControlRequest::Open:
                break;
        }
    } else if (request.requestType == wire::kControlOut) {
        if (number == ControlRequest::Open ||
            (number == ControlRequest::Exports && (pending_ ? takesExports() : takesChanges())))
            return ffs::SetupAnswer::accept();
    }
    return ffs::SetupAnswer::stall();
}

void GadgetSession::setupData(const ffs::SetupRequest& request, ConstByteSpan data) {
    if (static_cast<wire::ControlRequest>(request.request) == wire::ControlRequest::Open) {
        openRequested(data);
    } else if (pending_) {
        if (auto taken = takeExports(data); !taken)
            return refuse(wire::RefusedReason::BadExports, taken.error().message());
        stopPoint("after-exports");
        tryBegin();
    } else if (takesChanges()) {
        takeChanges(request.value, data);
    }
}

void GadgetSession::openRequested(ConstByteSpan data) {
    if (const auto reason = wire::judgeOpen(data, offer_); reason != wire::RefusedReason::None) {
        refuse(reason, "the host's proposal does not fit");
        return;
    }
    stopPoint("after-hello");
    pending_ = *wire::decodeOpen(data);
    opened_ = {pending_->epoch, wire::OpenState::Draining, wire::RefusedReason::None};
    opening(*pending_);
    endSession({"the host opens a new session", {}, 0, {}});
    tryBegin();
}

void GadgetSession::refuse(wire::RefusedReason reason, const std::string& why) {
    log::warning("refusing a session: {}", why);
    opened_ = {pending_ ? pending_->epoch : Epoch(), wire::OpenState::Refused, reason};
    pending_.reset();
}

void GadgetSession::tryBegin() {
    if (!pending_ || busy() || !complete() || !function_->isEnabled())
        return;
    auto link = makeLink();
    if (!link) {
        refuse(wire::RefusedReason::Internal, link.error().message());
        return;
    }
    const wire::Open terms = *pending_;
    pending_.reset();
    opened_ = {terms.epoch, wire::OpenState::Ready, wire::RefusedReason::None};
    begin(terms, std::move(*link));
}

Result<std::unique_ptr<wire::Link>> GadgetSession::makeLink() {
    auto link = ffs::GadgetLink::create(ring_, *function_);
    if (!link)
        return tl::make_unexpected(link.error());
    return std::move(*link);
}

}  // namespace belay::engine
