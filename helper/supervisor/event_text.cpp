#include "helper/supervisor/event_text.h"

#include <fmt/format.h>

namespace belay::helper {
namespace {

std::string withReason(std::string text, const std::string& why) {
    return why.empty() ? text : fmt::format("{}: {}", text, why);
}

std::string textOf(const events::StateChanged& event) {
    return withReason(event.from.empty() ? fmt::format("State {}", event.to)
                                         : fmt::format("State {} (was {})", event.to, event.from),
                      event.why);
}

std::string textOf(const events::ProblemFound& event) {
    return withReason(event.file.empty() ? fmt::format("Problem {}", event.problem)
                                         : fmt::format("Problem {} {}", event.problem, event.file),
                      event.why);
}

std::string textOf(const events::TakenOver& event) {
    return fmt::format("A new worker has taken over (recoveries: {})", event.recoveries);
}

std::string textOf(const events::GadgetSeen& event) {
    return fmt::format("{} (port {})",
                       event.change == events::GadgetSeen::kPluggedIn ? "Plugged in" : "Unplugged",
                       event.port);
}

std::string textOf(const events::Asked& event) {
    std::string text = fmt::format("User {}: {}", event.user, event.action);
    for (const std::string& object : {event.share, event.file, event.policy})
        if (!object.empty())
            text += " " + object;
    if (!event.seconds.empty())
        text += fmt::format(" {} s", event.seconds);
    if (!event.readOnly.empty())
        text += ", read-only";
    if (!event.blockSize.empty())
        text += fmt::format(", with blocks of {} bytes", event.blockSize);
    return text;
}

std::string textOf(const events::WorkerEnded& event) {
    return fmt::format("The {}'s worker of this gadget has ended ({})", event.worker, event.how);
}

}  // namespace

std::string inEnglish(const events::Any& event) {
    return std::visit([](const auto& each) { return textOf(each); }, event);
}

}  // namespace belay::helper
