#include "core/ffs/sysfs.h"

#include "core/base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <sstream>

namespace belay::ffs {
namespace {

// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string unescape(const std::string& field) {
    std::string text;
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (field[i] == '\\' && i + 3 < field.size()) {
            text += static_cast<char>(std::stoi(field.substr(i + 1, 3), nullptr, 8));
            i += 3;
        } else {
            text += field[i];
        }
    }
    return text;
}

}  // namespace

std::optional<std::string> readAttribute(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return std::nullopt;
    std::array<char, 4096> buffer{};  // an attribute is a page at most
    const ssize_t length = ::read(fd.get(), buffer.data(), buffer.size());
    if (length < 0)
        return std::nullopt;
    std::string text(buffer.data(), static_cast<std::size_t>(length));
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

Result<void> writeAttribute(const std::string& path, std::string_view text) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd)
        return systemError("open", path, errno == EACCES ? "Run it as root" : "");
    if (::write(fd.get(), text.data(), text.size()) < 0)
        return systemError("write \"" + std::string(text.substr(0, text.find('\n'))) + "\" to",
                           path);
    return {};
}

std::vector<std::string> listFolder(const std::string& path) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    if (!folder)
        return names;
    while (const dirent* entry = ::readdir(folder.get())) {
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..")
            names.emplace_back(name);
    }
    std::ranges::sort(names);
    return names;
}

Result<void> ensureFolder(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) < 0 && errno != EEXIST)
        return systemError("make", path, errno == EACCES ? "Run it as root" : "");
    return {};
}

std::vector<Mount> mountsOf(std::string_view type) {
    std::vector<Mount> mounts;
    std::ifstream file("/proc/self/mountinfo");
    for (std::string line; std::getline(file, line);) {
        // id parent dev root target options [optional fields] - type source super-options
        std::istringstream fields(line);
        std::string field;
        std::string target;
        for (int i = 0; i < 5; ++i)
            fields >> target;
        while (fields >> field && field != "-") {
        }
        std::string source;
        if (fields >> field >> source && field == type)
            mounts.push_back({unescape(source), unescape(target)});
    }
    return mounts;
}

}  // namespace belay::ffs
