#include "core/ublk/holders.h"

#include "core/ublk/control_process.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

namespace belay::ublk {
namespace {

namespace fs = std::filesystem;

// The disk or a partition of it.
struct Node {
    std::string name;    // "ublkb3p1"
    std::string number;  // "259:4"
};

std::string firstLineOf(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// The names in a folder; none if it cannot be read (a process or device that just went).
std::vector<std::string> namesIn(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error))
        names.push_back(entry->path().filename());
    return names;
}

// In ascending order, as procfs lists them.
std::vector<std::string> processIds() {
    std::vector<std::string> ids = namesIn("/proc");
    std::erase_if(ids, [](const std::string& name) {
        return name.find_first_not_of("0123456789") != name.npos;
    });
    return ids;
}

std::string processName(const std::string& pid) {
    return fmt::format("{} ({})", pid, firstLineOf(fs::path("/proc") / pid / "comm"));
}

// "mnt:[4026531841]"; empty if the process is gone or must not be looked at.
std::string mountSpaceOf(const std::string& pid) {
    std::error_code error;
    return fs::read_symlink(fs::path("/proc") / pid / "ns/mnt", error);
}

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned code = 0;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr ==
                text.data() + i + 4) {
            out.push_back(static_cast<char>(code));
            i += 3;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> found;
    while (!line.empty()) {
        const std::size_t space = line.find(' ');
        if (space != 0)
            found.push_back(line.substr(0, space));
        line.remove_prefix(space == line.npos ? line.size() : space + 1);
    }
    return found;
}

// "/dev/NAME" -> "NAME"
std::string_view nameOfNode(std::string_view path) {
    constexpr std::string_view kDev = "/dev/";
    return path.starts_with(kDev) ? path.substr(kDev.size()) : std::string_view{};
}

// None if there is no such disk.
std::vector<Node> nodesOf(DeviceId id) {
    const fs::path disk = fs::path("/sys/block") / diskName(id);
    std::vector<Node> nodes{{diskName(id), firstLineOf(disk / "dev")}};
    if (nodes[0].number.empty())
        return {};
    for (std::string& name : namesIn(disk)) {
        if (std::string number = firstLineOf(disk / name / "partition"); !number.empty()) {
            number = firstLineOf(disk / name / "dev");
            nodes.push_back({std::move(name), std::move(number)});
        }
    }
    return nodes;
}

class Search {
 public:
    explicit Search(std::vector<Node> nodes) : nodes_(std::move(nodes)) {}

    std::vector<Holder> run() {
        mounts();
        swaps();
        stacked();
        processes();
        return std::move(holders_);
    }

    bool findsOwnProcess() {
        return std::ranges::any_of(
            processIds(), [&](const auto& pid) { return hasOpen(pid) && isOwnProcess(pid); });
    }

 private:
    bool isNumber(std::string_view number) const {
        return std::ranges::any_of(nodes_, [&](const Node& n) { return n.number == number; });
    }
    bool isName(std::string_view name) const {
        return std::ranges::any_of(nodes_, [&](const Node& n) { return n.name == name; });
    }
    void add(Holder::Kind kind, std::string name) { holders_.push_back({kind, std::move(name)}); }

    // In every mount namespace that a process is in. Ours may be one that later mounts do not come
    // to, and what is mounted in any of them holds the disk. The system's own, of process 1, comes
    // first; of the others only what is nowhere else counts, as most are full of copies.
    void mounts() {
        std::set<std::string> seen;
        for (const std::string& pid : processIds()) {
            const std::string space = mountSpaceOf(pid);
            if (!space.empty() && seen.insert(space).second)
                mountsOf(pid, seen.size() == 1 ? "" : pid);
        }
        if (seen.insert(mountSpaceOf("self")).second)
            mountsOf("self", "");
    }

    void mountsOf(const std::string& pid, const std::string& onlyFor) {
        std::ifstream file(fs::path("/proc") / pid / "mountinfo");
        for (std::string text; std::getline(file, text);) {
            MountLine line = MountLine::parse(text);
            // btrfs and FUSE show a number of their own, but the source.
            if ((!isNumber(line.device) && !isName(nameOfNode(line.source))) ||
                !mountPoints_.insert(line.point).second)
                continue;
            if (!onlyFor.empty())
                line.point += fmt::format(" (only for {})", processName(onlyFor));
            add(Holder::Kind::Mount, std::move(line.point));
        }
    }

    void swaps() {
        std::ifstream file("/proc/swaps");
        for (std::string text; std::getline(file, text);) {
            const auto fields = words(text);
            if (!fields.empty() && isName(nameOfNode(fields[0])))
                add(Holder::Kind::Swap, std::string(fields[0]));
        }
    }

    void stacked() {
        for (const Node& node : nodes_) {
            for (std::string& name : namesIn(fs::path("/sys/class/block") / node.name / "holders"))
                add(Holder::Kind::Kernel, std::move(name));
        }
        for (const std::string& name : namesIn("/sys/block")) {
            // Loop devices do not register as holders.
            if (name.starts_with("loop") &&
                isName(nameOfNode(
                    firstLineOf(fs::path("/sys/block") / name / "loop" / "backing_file"))))
                add(Holder::Kind::Kernel, name);
        }
    }

    bool isOurs(const std::string& pid, const std::string& fd) {
        std::error_code error;
        const fs::path link = fs::path("/proc") / pid / "fd" / fd;
        const std::string target = fs::read_symlink(link, error);
        // stat() of a file on a dead network mount would block.
        if (nameOfNode(target).empty() && (!target.starts_with('/') || !isLocal(pid, fd)))
            return false;
        struct stat status {};
        return ::stat(link.c_str(), &status) == 0 && S_ISBLK(status.st_mode) &&
               isNumber(fmt::format("{}:{}", major(status.st_rdev), minor(status.st_rdev)));
    }

    // Whether the file is on a file system on which there may be nodes, and which asks nobody else
    // about a file that is open.
    bool isLocal(const std::string& pid, const std::string& fd) {
        constexpr std::array kTypes = {"devtmpfs", "tmpfs", "ramfs", "rootfs",
                                       "overlay",  "ext2",  "ext3",  "ext4",
                                       "xfs",      "btrfs", "f2fs",  "squashfs"};
        // "pos:	0", "flags:	...", "mnt_id:	22" (proc_pid_fdinfo(5))
        std::ifstream info(fs::path("/proc") / pid / "fdinfo" / fd);
        for (std::string key, value; info >> key >> value;)
            if (key == "mnt_id:") {
                const auto& types = mountTypesOf(pid);
                const auto type = types.find(value);
                return type != types.end() && std::ranges::count(kTypes, type->second) > 0;
            }
        return false;
    }

    // By number, of all that the process sees.
    const std::map<std::string, std::string>& mountTypesOf(const std::string& pid) {
        const auto [found, isNew] = mountTypes_.try_emplace(mountSpaceOf(pid));
        if (isNew) {
            std::ifstream file(fs::path("/proc") / pid / "mountinfo");
            for (std::string text; std::getline(file, text);)
                if (MountLine line = MountLine::parse(text); !line.id.empty())
                    found->second.emplace(std::move(line.id), std::move(line.type));
        }
        return found->second;
    }

    // A process of ours that looks at the disk may hang with it open, and is then no user of it.
    static bool isOwnProcess(const std::string& pid) {
        std::ifstream file(fs::path("/proc") / pid / "stat");
        std::string text;
        std::getline(file, text);
        // "pid (name) state ppid ..." (proc_pid_stat(5))
        const auto hasName = [&](const char* name) {
            return text.find(fmt::format("({})", name)) != text.npos;
        };
        const auto fields = words(std::string_view(text).substr(text.rfind(')') + 1));
        return (hasName(kControlProcessName) || hasName(kPartitionProcessName)) &&
               fields.size() > 1 && fields[1] == std::to_string(::getpid());
    }

    static bool hasEnded(const std::string& pid) {
        return firstLineOf(fs::path("/proc") / pid / "comm").empty();
    }

    bool hasOpen(const std::string& pid) {
        return std::ranges::any_of(namesIn(fs::path("/proc") / pid / "fd"),
                                   [&](const auto& fd) { return isOurs(pid, fd); });
    }

    void processes() {
        for (const std::string& pid : processIds()) {
            // In this order: one of ours gives itself its name before it opens the disk.
            if (hasOpen(pid) && !isOwnProcess(pid) && !hasEnded(pid))
                add(Holder::Kind::Process, processName(pid));
        }
    }

    std::vector<Node> nodes_;
    std::set<std::string> mountPoints_;
    // By mount namespace.
    std::map<std::string, std::map<std::string, std::string>> mountTypes_;
    std::vector<Holder> holders_;
};

}  // namespace

std::string_view toString(Holder::Kind kind) {
    switch (kind) {
        case Holder::Kind::Mount:
            return "mount";
        case Holder::Kind::Swap:
            return "swap";
        case Holder::Kind::Kernel:
            return "kernel";
        case Holder::Kind::Process:
            return "process";
    }
    return "";
}

MountLine MountLine::parse(std::string_view line) {
    const auto fields = words(line);
    const auto separator = std::ranges::find(fields, std::string_view("-"));
    if (fields.size() < 6 || fields.end() - separator < 3)
        return {};
    return {.id = std::string(fields[0]),
            .device = std::string(fields[2]),
            .type = std::string(separator[1]),
            .source = unescape(separator[2]),
            .point = unescape(fields[4])};
}

Result<std::vector<Holder>> holdersOf(DeviceId id) {
    auto nodes = nodesOf(id);
    if (nodes.empty())
        return errorFrom(ENODEV, "look for the users of", diskName(id));
    return Search(std::move(nodes)).run();
}

bool isOpenInOwnProcess(DeviceId id) {
    return Search(nodesOf(id)).findsOwnProcess();
}

}  // namespace belay::ublk
