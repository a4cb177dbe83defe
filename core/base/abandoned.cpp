#include "core/base/abandoned.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <vector>

namespace belay {
namespace {

std::vector<pid_t>& abandoned() {
    static std::vector<pid_t> processes;
    return processes;
}

bool reap(pid_t process) {
    const pid_t ended = ::waitpid(process, nullptr, WNOHANG);
    return ended == process || (ended < 0 && errno == ECHILD);
}

}  // namespace

void abandon(pid_t child) {
    ::kill(child, SIGKILL);
    if (!reap(child))
        abandoned().push_back(child);
}

std::size_t reapAbandoned() {
    std::erase_if(abandoned(), reap);
    return abandoned().size();
}

}  // namespace belay
