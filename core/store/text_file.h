#pragma once

#include "core/base/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>

namespace belay::store {

// The content of a small file (up to 4 KiB: a sysfs attribute, a record) without white space at
// the end; nothing, with errno set, when it cannot be read.
inline std::optional<std::string> readTextFile(const std::string& name) {
    const Fd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return std::nullopt;
    std::array<char, 4096> buffer;
    const ssize_t length = ::read(fd.get(), buffer.data(), buffer.size());
    if (length < 0)
        return std::nullopt;
    std::string text(buffer.data(), static_cast<std::size_t>(length));
    text.erase(text.find_last_not_of(" \t\n") + 1);
    return text;
}

}  // namespace belay::store
