#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"

#include <fcntl.h>
#include <stdio.h>
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

// Replaces a small file in the directory of the records: old or new, never half of it, also after a
// power loss once the directory is synced.
inline Result<void> replaceTextFile(const std::string& name, const std::string& text) {
    constexpr const char* kHint =
        "The record directory must exist and be writable for this process";
    const std::string fresh = name + ".new";
    const Fd file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file)
        return systemError("write the record", name, kHint);
    if (::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file.get()) == 0 && ::rename(fresh.c_str(), name.c_str()) == 0)
        return {};
    auto error = systemError("write the record", name, kHint);
    ::unlink(fresh.c_str());
    return error;
}

}  // namespace belay::store
