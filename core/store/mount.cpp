#include "core/store/mount.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

namespace belay::store {
namespace {

// proc(5) writes space, tab, line end and backslash as \ and three octal digits.
std::string unescaped(std::string_view text) {
    std::string plain;
    const auto isOctal = [](char c) { return c >= '0' && c <= '7'; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && isOctal(text[i + 1]) &&
            isOctal(text[i + 2]) && isOctal(text[i + 3])) {
            plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                       (text[i + 3] - '0'));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

struct Mount {
    std::string root;
    std::string point;
    std::string type;
    std::string source;
};

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw"
std::optional<Mount> mountOf(int fd) {
    struct statx stat {};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stat) != 0 ||
        (stat.stx_mask & STATX_MNT_ID) == 0)
        return std::nullopt;
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::uint64_t id = 0;
        std::string parent, device, options, word;
        Mount mount;
        if (!(words >> id) || id != stat.stx_mnt_id)
            continue;
        words >> parent >> device >> mount.root >> mount.point >> options;
        while (words >> word && word != "-") {
        }
        words >> mount.type >> mount.source;
        return Mount{unescaped(mount.root), unescaped(mount.point), mount.type,
                     unescaped(mount.source)};
    }
    return std::nullopt;
}

}  // namespace

MountedFile mountedFile(int fd) {
    std::error_code error;
    MountedFile file;
    file.path = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), error).string();
    const auto mount = mountOf(fd);
    if (!mount)
        return file;
    file.type = mount->type;
    file.source = mount->source;
    const std::string point = mount->point == "/" ? std::string() : mount->point;
    const std::string root = mount->root == "/" ? std::string() : mount->root;
    if (file.path.starts_with(point + "/"))
        file.path = root + file.path.substr(point.size());
    else if (file.path == point)
        file.path = root;  // the file itself is mounted
    return file;
}

}  // namespace belay::store
