#include "helper/supervisor/removal.h"

#include "core/base/stop_point.h"

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
constexpr auto kStopPatience = 1500ms;
// Without its server the kernel takes every request back by itself; to see that the server is dead,
// a busy machine needs a while.
constexpr auto kServerlessPatience = 10s;
constexpr auto kRemovePatience = 3s;
constexpr int kMostTries = 3;

}  // namespace

Removal::Removal(Ring& ring, DeviceId device, KillWorker killWorker, Callback callback)
    : ring_(ring),
      device_(device),
      killWorker_(std::move(killWorker)),
      callback_(std::move(callback)) {
    hung_ = ring_.callAfter(kStopPatience, [this] {
        hung_.reset();
        killWorker_();
    });
    stop();
}

Removal::~Removal() {
    if (hung_)
        ring_.cancel(*hung_);
}

void Removal::stop() {
    stopPoint("removal-begun");
    task_ = std::make_unique<ControlTask>(
        ring_,
        ublk::ControlRequest{.operation = ublk::ControlRequest::Operation::Stop, .id = device_},
        kStopPatience + kServerlessPatience, [this](const auto& answer) { stopped(answer); });
}

void Removal::stopped(const Result<ublk::ControlAnswer>& answer) {
    if (!answer && mayTryAgain(answer.error())) {
        stop();
        return;
    }
    if (hung_)
        ring_.cancel(*std::exchange(hung_, std::nullopt));
    if (answer) {
        remove();
    } else if (answer.error().code == ENODEV) {
        finish({});
    } else {
        finish(tl::make_unexpected(answer.error()));
    }
}

void Removal::remove() {
    stopPoint("removal-stopped");
    task_ = std::make_unique<ControlTask>(
        ring_,
        ublk::ControlRequest{.operation = ublk::ControlRequest::Operation::RemoveAsync,
                             .id = device_},
        kRemovePatience, [this](const Result<ublk::ControlAnswer>& answer) {
            stopPoint("removal-done");
            if (answer || answer.error().code == ENODEV)
                finish({});
            else if (mayTryAgain(answer.error()))
                remove();
            else
                finish(tl::make_unexpected(answer.error()));
        });
}

// Without an errno it was not the kernel that refused: the control process died.
bool Removal::mayTryAgain(const Error& error) {
    return error.code == 0 && tries_++ < kMostTries;
}

void Removal::finish(Result<void> result) {
    const Callback callback = callback_;
    callback(std::move(result));
}

}  // namespace belay::helper
