#include "core/base/log.h"

#include <unistd.h>

#include <cstdlib>

namespace belay::log {
namespace {

struct State {
    std::string program = "belay";
    Level threshold = Level::Notice;
    bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
};

State& state() {
    static State instance;
    return instance;
}

}  // namespace

void setup(std::string program, Level threshold) {
    state().program = std::move(program);
    state().threshold = threshold;
}

bool enabled(Level level) {
    return level <= state().threshold;
}

void write(Level level, std::string_view text) {
    if (!enabled(level))
        return;
    std::string line = state().journal ? fmt::format("<{}>{}\n", static_cast<int>(level), text)
                                       : fmt::format("{}: {}\n", state().program, text);
    // One write per line keeps lines of several processes whole; a log that cannot be written is
    // no reason to stop serving.
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0)
        return;
}

}  // namespace belay::log
