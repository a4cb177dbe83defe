#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace belay::log {

// syslog's severities, as journald reads them from a "<N>" prefix on stderr (sd-daemon(3)).
enum class Level { Error = 3, Warning = 4, Notice = 5, Info = 6, Debug = 7 };

// What each line starts with, e.g. "belay-hostd[worker]"; and the least severe level written.
void setup(std::string program, Level threshold);
// True when a line of this level would be written: lets a caller skip the work of making it.
bool enabled(Level level);
// Writes one line to stderr. With journald behind stderr ($JOURNAL_STREAM) the level goes along.
void write(Level level, std::string_view text);

template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::Error, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::Warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void notice(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::Notice, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::Info))
        write(Level::Info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::Debug))
        write(Level::Debug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace belay::log
