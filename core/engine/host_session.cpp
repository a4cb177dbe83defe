#include "core/engine/host_session.h"

#include "core/base/log.h"
#include "core/base/stop_point.h"
#include "core/usb/host_link.h"
#include "core/wire/control_codec.h"

#include <algorithm>
#include <array>

namespace belay::engine {
namespace {

using namespace std::chrono_literals;

// ep0 answers come within milliseconds from a gadget whose process runs.
constexpr auto kControlTimeout = 1s;
constexpr auto kPollDraining = 20ms;
// A store that does not finish its I/O for so long makes us ask anew, from the reset on.
constexpr auto kDrainingPatience = 30s;
// A session that ends sooner counts as a failed attempt: whoever breaks each one as soon as it is
// open must not keep us busy.
constexpr auto kLastingSession = 5s;
constexpr Duration kLongestPause = 5s;
// After so many attempts without any answer the whole port is reset.
constexpr unsigned kSilentAttempts = 3;
// By wire::ControlRequest, from Hello on.
constexpr std::array<const char*, 5> kRequestNames = {"HELLO", "OPEN", "OPENED", "EXPORTS",
                                                      "STATUS"};

std::string reasonText(wire::RefusedReason reason) {
    switch (reason) {
        case wire::RefusedReason::Version:
            return "it speaks another version";
        case wire::RefusedReason::Features:
            return "it lacks a feature that was asked for";
        case wire::RefusedReason::Limits:
            return "the limits do not fit";
        case wire::RefusedReason::BadMessage:
            return "it did not understand the proposal";
        case wire::RefusedReason::BadExports:
            return "it does not accept the export list";
        case wire::RefusedReason::NoStore:
            return "it has no store to serve";
        case wire::RefusedReason::Internal:
        case wire::RefusedReason::None:
            break;
    }
    return "it has a problem of its own: see its log";
}

// What went wrong with a question on ep0, for people. The code stays: it says how to go on.
Error inWords(Error error, std::uint8_t type, std::uint8_t request) {
    if (type == wire::kControlIn || type == wire::kControlOut) {
        const std::size_t number = request - static_cast<std::size_t>(wire::ControlRequest::Hello);
        if (number < kRequestNames.size()) {
            error.what = "ask for";
            error.object = kRequestNames[number];
        }
    }
    if (error.code == EPIPE)
        error.hint = "The gadget refuses it: is Belay there as new as here?";
    else if (error.code == ETIMEDOUT)
        error.hint = "Belay on the gadget does not answer: look there whether it runs";
    return error;
}

}  // namespace

HostSession::HostSession(std::shared_ptr<usb::Device> device, const usb::Interface& interface,
                         const HostTerms& terms)
    : ring_(device->ring()), device_(std::move(device)), interface_(interface), terms_(terms) {}

HostSession::~HostSession() {
    *alive_ = false;
    if (timer_)
        ring_.cancel(*timer_);
}

void HostSession::start() {
    schedule(0s);
}

void HostSession::stop() {
    stopped_ = true;
    ++attemptNumber_;
    if (timer_)
        ring_.cancel(*std::exchange(timer_, std::nullopt));
    endSession({"the gadget is unplugged", {}, ENODEV, {}});
}

void HostSession::stop(std::function<void()> done) {
    if (hasLink()) {
        onStopped_ = std::move(done);
        endSession({"the port is being reset", {}, 0, {}});
    } else {
        ring_.callAfter(0s, std::move(done));
    }
    stop();
}

void HostSession::restart() {
    portReset_ = true;
    renew();
}

void HostSession::renew() {
    asked_ = true;
    if (hasLink()) {
        endSession({"asked to begin anew", {}, 0, {}});
        return;
    }
    schedule(0s);
}

void HostSession::stand(Standing standing, const std::string& reason) {
    if (standing_ == standing && reason_ == reason)
        return;
    standing_ = standing;
    reason_ = reason;
    onStanding_(standing, reason);
}

void HostSession::schedule(Duration delay) {
    if (stopped_)
        return;
    ++attemptNumber_;
    state_ = State::Waiting;
    if (timer_)
        ring_.cancel(*timer_);
    timer_ = ring_.callAfter(delay, [this] {
        timer_.reset();
        attempt();
    });
}

void HostSession::sessionEnded(const Error& reason) {
    log::notice("{}: session ended: {}", device_->name(), reason.message());
    stand(Standing::Lost, reason.message());
    const TimePoint now = Clock::now();
    const bool brief = state_ == State::Running && now - begun_ < kLastingSession;
    if (!brief)
        backoff_.reset();
    const bool pause = brief && !std::exchange(asked_, false);
    schedule(pause ? std::min(backoff_.next(now), kLongestPause) : Duration(0));
    // The link itself goes at the end of this turn.
    if (onStopped_)
        ring_.callAfter(0s, std::exchange(onStopped_, nullptr));
}

void HostSession::sessionDrained() {
    if (state_ == State::Waiting && !timer_)
        schedule(0s);
}

void HostSession::failed(const Error& reason) {
    const std::string text = reason.message();
    if (text != lastFailure_)
        log::warning("{}: cannot open a session: {}", device_->name(), text);
    lastFailure_ = text;
    // What the kernel has no number for was said by the gadget.
    stand(reason.code == 0 ? Standing::Refused : Standing::Lost, text);
    if (reason.code == ETIMEDOUT && ++silentAttempts_ >= kSilentAttempts)
        portReset_ = true;
    schedule(std::min(backoff_.next(Clock::now()), kLongestPause));
}

void HostSession::attempt() {
    if (hasLink())
        return;  // sessionEnded() comes
    state_ = State::Opening;
    if (std::exchange(portReset_, false)) {
        silentAttempts_ = 0;
        resetPort_(asked_);
    }
    if (auto claimed = device_->claim(interface_.number); !claimed) {
        failed(claimed.error());
        return;
    }
    device_->resetInterface(
        interface_, kControlTimeout,
        [this, alive = alive_, attempt = attemptNumber_](const Result<void>& reset) {
            if (!*alive || attempt != attemptNumber_)
                return;
            if (reset)
                sayHello();
            else
                failed(reset.error());
        });
}

void HostSession::sayHello() {
    stopPoint("before-hello");
    askIn(wire::kControlIn, static_cast<std::uint8_t>(wire::ControlRequest::Hello), 0,
          wire::HelloLayout::kBytes, [this](auto reply) { helloReceived(reply); });
}

void HostSession::askIn(std::uint8_t type, std::uint8_t request, std::uint16_t value,
                        std::size_t length, Next next) {
    device_->controlIn({type, request, value, interface_.number},
                       static_cast<std::uint16_t>(length), kControlTimeout,
                       [this, type, request, alive = alive_, attempt = attemptNumber_,
                        next = std::move(next)](Result<Bytes> reply) {
                           if (!reply)
                               reply = tl::make_unexpected(inWords(reply.error(), type, request));
                           if (*alive && attempt == attemptNumber_)
                               next(std::move(reply));
                       });
}

void HostSession::askOut(std::uint8_t type, std::uint8_t request, std::uint16_t value,
                         ConstByteSpan data, Next next) {
    device_->controlOut({type, request, value, interface_.number}, data, kControlTimeout,
                        [this, type, request, alive = alive_, attempt = attemptNumber_,
                         next = std::move(next)](Result<Bytes> reply) {
                            if (!reply)
                                reply = tl::make_unexpected(inWords(reply.error(), type, request));
                            if (*alive && attempt == attemptNumber_)
                                next(std::move(reply));
                        });
}

void HostSession::later(Duration delay, std::function<void()> action) {
    ring_.callAfter(delay,
                    [this, alive = alive_, attempt = attemptNumber_, action = std::move(action)] {
                        if (*alive && attempt == attemptNumber_)
                            action();
                    });
}

void HostSession::helloReceived(const Result<Bytes>& reply) {
    if (!reply && reply.error().code == EPIPE) {
        if (!helloUnknown())
            failed({"the gadget does not know HELLO", {}, 0, "Is Belay there as new as here?"});
        return;
    }
    const auto hello = reply.and_then([](const Bytes& bytes) { return wire::decodeHello(bytes); });
    if (!hello) {
        failed(hello.error());
        return;
    }
    stopPoint("after-hello");
    silentAttempts_ = 0;
    const std::uint16_t role =
        interface_.role == usb::Role::Attach ? wire::kRoleAttach : wire::kRoleLend;
    if ((hello->roles & role) == 0) {
        failed({"the gadget does not offer this direction", {}, 0, {}});
        return;
    }
    open_ = wire::Open{};
    open_.features = hello->features &
                     ((terms_.payloadCrc ? wire::kFeaturePayloadCrc : 0) | wire::kFeaturePerExport);
    open_.maxTransfer = std::min(hello->maxTransfer, terms_.maxTransfer);
    open_.maxOutstanding = std::min(hello->maxOutstanding, terms_.maxOutstanding);
    open_.epoch = Epoch(randomNonZero64());
    open_.host = terms_.host;
    const auto bytes = wire::encode(open_);
    askOut(wire::kControlOut, static_cast<std::uint8_t>(wire::ControlRequest::Open), 0, bytes,
           [this](const Result<Bytes>& sent) {
               if (!sent) {
                   failed(sent.error());
                   return;
               }
               openedDeadline_ = Clock::now() + kDrainingPatience;
               const auto list = exportsToSend(open_);
               sentExports_ = list.has_value();
               if (!list) {
                   pollOpened();
                   return;
               }
               sendExports(*list, [this](const Result<void>& listed) {
                   // Refused with a STALL when the OPEN was: OPENED says why.
                   if (!listed && listed.error().code != EPIPE)
                       failed(listed.error());
                   else
                       pollOpened();
               });
           });
}

void HostSession::sendExports(const wire::ExportList& list,
                              std::function<void(const Result<void>&)> done) {
    sendPage(std::make_shared<const wire::ExportList>(list), 0, std::move(done));
}

void HostSession::sendPage(std::shared_ptr<const wire::ExportList> list, std::size_t page,
                           std::function<void(const Result<void>&)> done) {
    if (page == wire::pageCount(list->exports.size())) {
        done({});
        return;
    }
    const auto bytes = wire::encodeExportsPage(open_.epoch, list->exports, page, list->memory);
    askOut(wire::kControlOut, static_cast<std::uint8_t>(wire::ControlRequest::Exports),
           static_cast<std::uint16_t>(page), bytes,
           [this, list, page, done = std::move(done)](const Result<Bytes>& sent) {
               if (!sent)
                   done(tl::make_unexpected(sent.error()));
               else
                   sendPage(list, page + 1, done);
           });
}

void HostSession::pollOpened() {
    askIn(wire::kControlIn, static_cast<std::uint8_t>(wire::ControlRequest::Opened), 0,
          wire::OpenedLayout::kBytes, [this](auto reply) { openedReceived(reply); });
}

void HostSession::openedReceived(const Result<Bytes>& reply) {
    const auto opened =
        reply.and_then([](const Bytes& bytes) { return wire::decodeOpened(bytes); });
    if (!opened) {
        failed(opened.error());
        return;
    }
    if (opened->state == wire::OpenState::Refused) {
        failed({"the gadget refuses:", reasonText(opened->reason), 0, {}});
    } else if (opened->epoch != open_.epoch) {
        failed({"the gadget opened another session", {}, 0, {}});
    } else if (opened->state == wire::OpenState::Ready) {
        if (sentExports_) {
            beginWith({});
            return;
        }
        askExports([this](const Result<wire::ExportList>& list) {
            if (list)
                beginWith(*list);
            else
                failed(list.error());
        });
    } else if (Clock::now() > openedDeadline_) {
        failed({"the gadget's store does not finish earlier requests", {}, ETIMEDOUT, {}});
    } else {
        later(kPollDraining, [this] { pollOpened(); });
    }
}

void HostSession::beginWith(const wire::ExportList& offered) {
    stopPoint("after-exports");
    begin(open_, makeLink(), offered);
    running();
}

void HostSession::askExports(std::function<void(const Result<wire::ExportList>&)> done) {
    askPage(std::make_shared<wire::ExportListDecoder>(open_.epoch, open_.features),
            std::move(done));
}

void HostSession::askPage(std::shared_ptr<wire::ExportListDecoder> list,
                          std::function<void(const Result<wire::ExportList>&)> done) {
    askIn(wire::kControlIn, static_cast<std::uint8_t>(wire::ControlRequest::Exports),
          list->nextPage(), wire::kMaxPageBytes,
          [this, list, done = std::move(done)](const Result<Bytes>& page) {
              const auto added =
                  page.and_then([&](const Bytes& bytes) { return list->add(bytes); });
              if (!added)
                  done(tl::make_unexpected(added.error()));
              else if (list->isComplete())
                  done(list->list());
              else
                  askPage(list, done);
          });
}

std::unique_ptr<wire::Link> HostSession::makeLink() {
    return std::make_unique<usb::HostLink>(device_, interface_);
}

void HostSession::running() {
    state_ = State::Running;
    asked_ = false;
    lastFailure_.clear();
    stand(Standing::Open, {});
    begun_ = Clock::now();
    keepalive_.emplace(begun_);
    lastSigns_ = signsOfLife();
    if (!checksItself())
        keepAlive();
}

void HostSession::keepAlive() {
    const TimePoint now = Clock::now();
    if (signsOfLife() != std::exchange(lastSigns_, signsOfLife()))
        keepalive_->alive(now);
    switch (keepalive_->poll(now)) {
        case lifecycle::Keepalive::Action::Dead:
            endSession({"the gadget does not answer", {}, ETIMEDOUT, {}});
            return;
        case lifecycle::Keepalive::Action::Ask:
            askIn(wire::kControlIn, static_cast<std::uint8_t>(wire::ControlRequest::Status), 0,
                  wire::StatusLayout::kBytes, [this](auto reply) { statusReceived(reply); });
            break;
        case lifecycle::Keepalive::Action::None:
            break;
    }
    later(keepalive_->deadline() - now, [this] { keepAlive(); });
}

void HostSession::statusReceived(const Result<Bytes>& reply) {
    const auto status =
        reply.and_then([](const Bytes& bytes) { return wire::decodeStatus(bytes); });
    if (!status)
        keepalive_->failed();
    else if (status->epoch != open_.epoch)
        endSession({"the gadget has started over", {}, 0, {}});
    else
        keepalive_->alive(Clock::now());
}

}  // namespace belay::engine
