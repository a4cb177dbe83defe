#pragma once

#include "core/base/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belay::ffs {

// Reads an attribute of sysfs or configfs, without the newline at its end; nothing if it cannot be
// read.
std::optional<std::string> readAttribute(const std::string& path);
// Writes `text` in one write(2), as attributes want it.
Result<void> writeAttribute(const std::string& path, std::string_view text);
// Names in a folder, sorted, without "." and ".."; empty if there is no such folder.
std::vector<std::string> listFolder(const std::string& path);
// Makes a folder unless it is there.
Result<void> ensureFolder(const std::string& path);

// A mount of a file system type, as /proc/self/mountinfo has it (proc(5)).
struct Mount {
    std::string source;
    std::string target;
};
// All mounts of `type`, the youngest last.
std::vector<Mount> mountsOf(std::string_view type);

}  // namespace belay::ffs
