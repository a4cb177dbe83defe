#include "core/store/lock.h"

#include "core/store/backing.h"
#include "core/store/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace belay::store {
namespace {

struct flock wholeFile(bool readOnly) {
    struct flock range {};
    range.l_type = readOnly ? F_RDLCK : F_WRLCK;
    range.l_whence = SEEK_SET;
    return range;
}

// The lock in the way of one for `readOnly`, or one of the type F_UNLCK.
struct flock otherLock(int fd, bool readOnly) {
    struct flock other = wholeFile(readOnly);
    if (::fcntl(fd, F_OFD_GETLK, &other) != 0)
        other.l_type = F_UNLCK;
    return other;
}

// The kernel gives no process for a lock of this kind (fcntl(2): l_pid is -1), only for the
// classic kind; so who opened it last is asked as well.
std::string whoHas(const Backing& backing, std::optional<pid_t> lastHolder) {
    const struct flock other = otherLock(backing.fd.get(), backing.readOnly);
    pid_t pid = lastHolder.value_or(0);
    if (other.l_type != F_UNLCK && other.l_pid > 0)
        pid = other.l_pid;
    if (pid > 0)
        if (const auto name = readTextFile(fmt::format("/proc/{}/comm", pid)))
            return fmt::format("Process {} ({}) has it", pid, *name);
    return "See lsof for who has it";
}

bool alreadyLocked(int fd) {
    const auto info = readTextFile(fmt::format("/proc/self/fdinfo/{}", fd));
    return info && info->find("OFDLCK") != std::string::npos;
}

}  // namespace

Result<void> lockDescription(const Backing& backing, std::optional<pid_t> lastHolder) {
    const int fd = backing.fd.get();
    if (alreadyLocked(fd))
        return errorFrom(EBUSY, "lock the store, its descriptor is shared with its holder,",
                         backing.path, "Pass a newly opened one: open /proc/self/fd/N again");
    struct flock range = wholeFile(backing.readOnly);
    if (::fcntl(fd, F_OFD_SETLK, &range) == 0)
        return {};
    if (errno == EAGAIN || errno == EACCES)
        return errorFrom(EBUSY, "lock the store, in use by another daemon,", backing.path,
                         whoHas(backing, lastHolder) +
                             "; if it was just ended, its last writes may still be under way");
    return systemError("lock the store", backing.path,
                       "Its file system must support locks: copy it to another one");
}

bool isLocked(int fd, bool readOnly) {
    return otherLock(fd, readOnly).l_type != F_UNLCK;
}

}  // namespace belay::store
