#include "helper/supervisor/run_dir.h"

#include "core/base/crc32c.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <span>

namespace belay::helper {
namespace {

// A socket's path has 107 characters in all.
constexpr std::size_t kLongestFolder = 64;

bool isPlain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

}  // namespace

Result<RunDir> RunDir::open(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error)
        return errorFrom(error.value(), "make the directory", path,
                         "Run as root, or choose another --run-dir");
    Fd lock(::open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock)
        return systemError("open", path + "/lock", "Run as root, or choose another --run-dir");
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) < 0)
        return systemError(
            "lock", path, errno == EWOULDBLOCK ? "Another one is running with this --run-dir" : "");
    return RunDir(path, std::move(lock));
}

Result<std::string> RunDir::workerDir(uid_t uid, gid_t gid) const {
    const std::string path = file("worker");
    if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST)
        return systemError("make the directory", path);
    if (::chown(path.c_str(), uid, gid) < 0 || ::chmod(path_.c_str(), 0711) < 0)
        return systemError("give away", path);
    return path;
}

Result<Uuid> RunDir::uuid() const {
    const std::string path = file("uuid");
    std::string text;
    std::ifstream(path) >> text;
    if (const auto known = Uuid::parse(text))
        return *known;
    const Uuid made = Uuid::random();
    std::ofstream out(path, std::ios::trunc);
    out << made.toString() << '\n';
    if (!out.flush())
        return systemError("write", path);
    return made;
}

std::string folderFor(std::string_view serial) {
    std::string folder;
    for (const char c : serial) {
        const bool first = folder.empty();
        const bool special = !isPlain(c) || (first && (c == '.' || serial == "default"));
        folder += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string{c};
    }
    if (folder.size() > kLongestFolder)
        folder = fmt::format("{}%{:08X}", folder.substr(0, kLongestFolder),
                             crc32c(std::as_bytes(std::span(serial))));
    return folder;
}

}  // namespace belay::helper
