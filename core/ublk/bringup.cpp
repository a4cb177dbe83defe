#include "core/ublk/bringup.h"

#include "core/base/stop_point.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace belay::ublk {
namespace {

// The release of a dead server's files takes the kernel 12 to 70 ms (measured).
constexpr std::chrono::milliseconds kRetryInterval{2};

Error errorOf(int result, std::string what, DeviceId id, std::string hint = {}) {
    return errorFrom(result, std::move(what), diskName(id), std::move(hint)).value();
}

}  // namespace

Bringup::Bringup(Ring& ring, ServerControl& control, Queue& queue, DeviceId id, Kind kind)
    : ring_(ring), control_(control), queue_(queue), id_(id), kind_(kind) {}

Bringup::~Bringup() {
    control_.forget(command_);
    if (deadline_)
        ring_.cancel(*deadline_);
    if (retry_)
        ring_.cancel(*retry_);
}

void Bringup::begin(Duration deadline, Callback callback) {
    callback_ = std::move(callback);
    deadline_ = ring_.callAfter(deadline, [this] { expired(); });
    look();
}

void Bringup::enter(Step step) {
    if (std::exchange(step_, step) != step || step == Step::Looking) {
        if (observer_)
            observer_(step);
    }
}

void Bringup::retry(void (Bringup::*action)()) {
    retry_ = ring_.callAfter(kRetryInterval, [this, action] {
        retry_.reset();
        (this->*action)();
    });
}

void Bringup::look() {
    enter(Step::Looking);
    command_ = control_.deviceInfo(id_, [this](const auto& info) { looked(info); });
}

void Bringup::looked(const Result<DeviceInfo>& info) {
    if (!info)
        return end(Outcome::Refused, info.error());
    info_ = *info;
    if (info_.queues != 1 || (info_.flags & kRequiredFlags) != kRequiredFlags)
        return end(Outcome::Refused, errorOf(EINVAL, "serve", id_, "This is not a device of ours"));
    // A refusal must come before the device depends on us.
    if (::faccessat(AT_FDCWD, serverNode(id_).c_str(), R_OK | W_OK, AT_EACCESS) != 0 &&
        errno != ENOENT)
        return end(
            Outcome::Refused,
            systemError("open", serverNode(id_), "Give this node to the server's user").value());
    if (kind_ == Kind::Start) {
        if (info_.state != DeviceState::Dead)
            return end(Outcome::Refused,
                       errorOf(EBUSY, "start", id_, "It is started already: recover it"));
        return open();
    }
    if (info_.state == DeviceState::Dead)
        return end(Outcome::Lost, errorOf(EIO, "recover", id_, "It was stopped: remove it"));
    claim();
}

void Bringup::claim() {
    enter(Step::Claiming);
    stopPoint("before-start-recovery");
    command_ = control_.startRecovery(id_, [this](int result) { claimed(result); });
}

void Bringup::claimed(int result) {
    if (result == -EBUSY) {
        // The death is not noticed yet, or the dead server's files are not all released.
        lastError_ = errorOf(result, "recover", id_);
        return retry(&Bringup::claim);
    }
    // Before 6.16 a second START_USER_RECOVERY is refused so: another server got this far and
    // died. What it left can be gone on with, unless it had mapped the descriptors.
    const bool claimedBefore = result == -EINVAL && info_.noticesDeathLate();
    if (result < 0 && !claimedBefore)
        return end(Outcome::Refused, errorOf(result, "recover", id_));
    stopPoint("after-start-recovery");
    open();
}

void Bringup::open() {
    enter(Step::Opening);
    const auto opened = queue_.open(id_, info_.depth);
    if (opened)
        return fetch();
    lastError_ = opened.error();
    if (lastError_.code == EBUSY || lastError_.code == ENOENT)
        return retry(&Bringup::open);
    // ublk_ch_mmap() compares with the mm_struct that mapped first, which nothing resets.
    const bool otherMapped =
        kind_ == Kind::Recover && lastError_.code == EINVAL && info_.noticesDeathLate();
    end(otherMapped ? Outcome::NotThisProcess : Outcome::Refused, lastError_);
}

void Bringup::fetch() {
    enter(Step::Fetching);
    queue_.fetchAll();
    // At once: until then a death would lose the device on older kernels.
    if (const auto submitted = ring_.submit(); !submitted)
        return end(Outcome::Refused, submitted.error());
    finish();
}

void Bringup::finish() {
    enter(Step::Finishing);
    stopPoint(kind_ == Kind::Start ? "before-start-dev" : "before-end-recovery");
    const auto finished = [this](int result) {
        if (result < 0)
            return end(Outcome::Refused,
                       errorOf(result, kind_ == Kind::Start ? "start" : "recover", id_));
        stopPoint(kind_ == Kind::Start ? "after-start-dev" : "after-end-recovery");
        end(Outcome::Serving);
    };
    command_ = kind_ == Kind::Start ? control_.startDevice(id_, finished)
                                    : control_.endRecovery(id_, finished);
    stopPoint(kind_ == Kind::Start ? "start-dev-sent" : "end-recovery-sent");
}

void Bringup::expired() {
    deadline_.reset();
    if (retry_)
        ring_.cancel(*std::exchange(retry_, std::nullopt));
    control_.forget(command_);
    if (lastError_.code == 0 || step_ == Step::Finishing)
        lastError_ = errorOf(ETIMEDOUT, kind_ == Kind::Start ? "start" : "recover", id_);
    if (step_ == Step::Claiming) {
        command_ = control_.deviceInfo(id_, [this](const auto& info) { judgeUnclaimed(info); });
        return;
    }
    // Before 6.16 a server that died between two FETCHes keeps the node busy for ever.
    const bool heldForEver = kind_ == Kind::Recover && step_ == Step::Opening &&
                             lastError_.code == EBUSY && info_.noticesDeathLate();
    end(heldForEver ? Outcome::Lost : Outcome::Refused, lastError_);
}

void Bringup::judgeUnclaimed(const Result<DeviceInfo>& info) {
    if (!info)
        return end(Outcome::Refused, info.error());
    switch (info->state) {
        case DeviceState::Dead:
            return end(Outcome::Lost, errorOf(EIO, "recover", id_, "It was stopped: remove it"));
        case DeviceState::Live:
            lastError_.hint = "A server still has it, or the kernel has not noticed its death";
            return end(Outcome::Refused, lastError_);
        case DeviceState::Quiesced:
        case DeviceState::FailIo:
            break;
    }
    lastError_.hint = "Something still holds " + serverNode(id_);
    end(info->noticesDeathLate() ? Outcome::Lost : Outcome::Refused, lastError_);
}

void Bringup::end(Outcome outcome, Error error) {
    if (deadline_)
        ring_.cancel(*std::exchange(deadline_, std::nullopt));
    if (outcome == Outcome::Serving)
        enter(Step::Ended);
    // The callback may destroy this object.
    const Callback callback = std::move(callback_);
    callback(outcome, error);
}

}  // namespace belay::ublk
