#include "core/base/stop_point.h"

#ifdef BELAY_STOP_POINTS

#include "core/base/fd.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace belay::detail {
namespace {

struct Place {
    std::string name;
    long times = 1;
    int signal = SIGKILL;
    bool once = false;
    Fd tokens;
};

Place readEnvironment() {
    Place place;
    const char* const at = ::getenv("BELAY_STOP_AT");
    if (at == nullptr || *at == '\0')
        return place;
    const std::string_view text = at;
    const auto colon = text.find(':');
    place.name = text.substr(0, colon);
    if (colon != std::string_view::npos)
        place.times = std::strtol(at + colon + 1, nullptr, 10);
    if (const char* const signal = ::getenv("BELAY_STOP_SIGNAL"))
        place.signal = static_cast<int>(std::strtol(signal, nullptr, 10));
    if (const char* const path = ::getenv("BELAY_STOP_ONCE")) {
        place.once = true;
        place.tokens = Fd(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    }
    return place;
}

Place place = readEnvironment();

}  // namespace

bool stopPointsAreSet = !place.name.empty();

bool atStopPoint(const char* name) {
    if (place.name != name || --place.times > 0)
        return false;
    if (!place.once)
        return place.times == 0;
    char token = 0;
    return ::read(place.tokens.get(), &token, 1) == 1;
}

void stopHere() {
    // By tgkill(2), which the filter lets a process send to itself.
    ::raise(place.signal);
}

}  // namespace belay::detail

#endif
