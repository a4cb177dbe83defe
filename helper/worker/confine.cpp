#include "helper/worker/confine.h"

#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/ublk/holders.h"

#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace belay::helper {
namespace {

constexpr uid_t kNobody = 65534;  // the kernel's overflow uid

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57  // linux/prctl.h since 5.6
#endif

// What a worker allocates besides its large buffers, while it serves: all of that comes out of
// memory that is there, and none of it goes back.
constexpr std::size_t kHeapReserve = std::size_t{512} << 10;

void reserveHeap() {
    // Neither mappings of their own for large blocks, nor trimming (mallopt(3)).
    ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
    ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    const std::unique_ptr<char, decltype(&std::free)> block(
        static_cast<char*>(std::malloc(kHeapReserve)), &std::free);
    // By way of a volatile pointer, or the compiler would see that nobody reads it.
    if (volatile char* bytes = block.get())
        for (std::size_t i = 0; i < kHeapReserve; i += 4096)
            bytes[i] = 1;
}

void protectFromOomKiller() {
    const Fd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), "-1000", 5) < 0)
        log::warning("not protected from the out-of-memory killer: {}",
                     systemError("write", "/proc/self/oom_score_adj").value().message());
}

// What a worker still finds by its path: /dev/ublkcN.
constexpr std::array<std::string_view, 5> kKeptMounts = {"/", "/dev", "/proc", "/sys", "/run"};

std::vector<std::string> mountPoints() {
    std::ifstream mounts("/proc/self/mountinfo");
    std::vector<std::string> points;
    for (std::string line; std::getline(mounts, line);)
        points.push_back(ublk::MountLine::parse(line).point);
    return points;
}

// A new namespace starts with a copy of every mount. A copy of the file system on one of our own
// devices would be unmounted at our exit, through ourselves; a copy of any other keeps that file
// system in use (a disk, a gadget's FunctionFS) after everybody else has unmounted it.
void leaveOtherMounts() {
    const auto points = mountPoints();
    // The last mounted goes first. MNT_DETACH does not wait for anything.
    for (auto point = points.rbegin(); point != points.rend(); ++point)
        if (std::ranges::find(kKeptMounts, *point) == kKeptMounts.end())
            ::umount2(point->c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
}

Result<void> setMounts(const char* top, unsigned int flags, std::uint64_t set,
                       std::uint64_t clear) {
    mount_attr attributes{};
    attributes.attr_set = set;
    attributes.attr_clr = clear;
    if (::mount_setattr(AT_FDCWD, top, flags, &attributes, sizeof attributes) < 0)
        return systemError("set mount attributes", top);
    return {};
}

// All at once, for a mount that another one covers has no path of its own (mount_setattr(2)).
// Device nodes are exempt from a mount being read-only (sb_permission), and needed.
Result<void> makeMountsReadOnly(const std::string& writable) {
    if (!writable.empty() &&
        ::mount(writable.c_str(), writable.c_str(), nullptr, MS_BIND, nullptr) < 0)
        return systemError("keep writable", writable,
                           "Choose a --run-dir below /run that is no mount of its own");
    auto set =
        setMounts("/", AT_RECURSIVE,
                  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV, 0);
    for (const std::string& point : mountPoints())
        if (set && (point == "/" || point == "/dev"))
            set = setMounts(point.c_str(), 0, 0, MOUNT_ATTR_NODEV);
    if (set && !writable.empty())
        set = setMounts(writable.c_str(), 0, 0, MOUNT_ATTR_RDONLY);
    return set;
}

}  // namespace

void nameProcess(const char* name) {
    ::prctl(PR_SET_NAME, name);
}

Result<Identity> identityOf(const std::string& user) {
    errno = 0;
    if (const passwd* entry = ::getpwnam(user.c_str()))
        return Identity{entry->pw_uid, entry->pw_gid};
    log::notice("there is no user \"{}\": the worker runs as nobody", user);
    return Identity{kNobody, kNobody};
}

void joinWriteBackPath() {
    if (::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) < 0)
        log::warning("{}", systemError("join the memory write-back path").value().message());
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0 ||
        ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
        log::warning("{}", systemError("lock memory").value().message());
    reserveHeap();
    protectFromOomKiller();
}

Result<void> giveUpPrivileges(const Identity& identity, const std::string& writable, bool lasting) {
    if (::unshare(CLONE_NEWNS) < 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
        return systemError("make a mount namespace");
    leaveOtherMounts();
    if (auto frozen = makeMountsReadOnly(writable); !frozen)
        return frozen;
    if (::setgroups(0, nullptr) < 0 || ::setresgid(identity.gid, identity.gid, identity.gid) < 0 ||
        ::setresuid(identity.uid, identity.uid, identity.uid) < 0)
        return systemError("give up privileges");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return systemError("set no_new_privs");
    // Changing identity clears it (prctl(2)).
    if (!lasting && ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return systemError("set the parent death signal");
    return {};
}

}  // namespace belay::helper
