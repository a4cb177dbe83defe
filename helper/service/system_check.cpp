#include "helper/service/system_check.h"

#include "core/ublk/control.h"

#include <chrono>

namespace belay::service {
namespace {

constexpr std::chrono::seconds kAgain{3};

SystemState troubled(const Error& error) {
    SystemState state;
    switch (error.code) {
        case ENOENT:
        case ENODEV:
        case ENXIO:
            state.problems = {QStringLiteral("no-ublk")};
            break;
        case EPERM:
        case EACCES:
            state.problems = {QStringLiteral("ublk-not-allowed")};
            break;
        default:
            state.problems = {QStringLiteral("ublk-too-old")};
    }
    state.explanations = {QString::fromStdString(error.message())};
    return state;
}

}  // namespace

SystemCheck::SystemCheck(Ring& ring, Found found) : ring_(ring), found_(std::move(found)) {
    again_.setSingleShot(true);
    again_.setInterval(kAgain);
    QObject::connect(&again_, &QTimer::timeout, [this] { look(); });
}

void SystemCheck::begin() {
    look();
}

void SystemCheck::look() {
    // Cheap, and enough to know as long as there is no driver.
    if (const auto node = ublk::openControlNode(); !node) {
        tell(troubled(node.error()));
        return;
    }
    features_ = std::make_unique<helper::ControlTask>(
        ring_, ublk::ControlRequest{}, std::chrono::seconds(5),
        [this](const Result<ublk::ControlAnswer>& answer) {
            if (!answer) {
                tell(troubled(answer.error()));
                return;
            }
            tell({.ublkFeatures = answer->features, .problems = {}, .explanations = {}});
        });
}

void SystemCheck::tell(const SystemState& state) {
    if (!state.problems.isEmpty())
        again_.start();
    if (!std::exchange(toldOnce_, true) || state.explanations != told_)
        found_(state);
    told_ = state.explanations;
}

}  // namespace belay::service
