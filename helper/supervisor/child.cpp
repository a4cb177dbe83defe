#include "helper/supervisor/child.h"

#include "core/base/abandoned.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace belay::helper {
namespace {

constexpr int kFirstPassedFd = 3;
constexpr int kBacklog = 8;

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void becomeProgram(const char* path, const std::vector<char*>& argv,
                                std::vector<int>& fds, bool lasting, pid_t parent) {
    // First out of the way of the numbers they are to have, then onto them.
    const int above = kFirstPassedFd + static_cast<int>(fds.size());
    for (int& fd : fds)
        fd = ::fcntl(fd, F_DUPFD_CLOEXEC, above);
    for (std::size_t i = 0; i < fds.size(); ++i)
        if (fds[i] < 0 || ::dup2(fds[i], kFirstPassedFd + static_cast<int>(i)) < 0)
            ::_exit(127);
    // From now on whoever connects is told by the kernel that it is us who listen (unix_listen),
    // not our parent, who may be gone by then.
    if (lasting && (::setsid() < 0 || ::listen(kFirstPassedFd, kBacklog) < 0))
        ::_exit(127);
    if (!lasting)
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!lasting && ::getppid() != parent)
        ::_exit(127);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execv(path, argv.data());
    ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<Child>> Child::spawn(Ring& ring, Program program, EndHandler onEnd) {
    std::vector<char*> argv;
    for (std::string& arg : program.args)
        argv.push_back(arg.data());
    argv.push_back(nullptr);
    std::vector<int> numbers;
    for (const Fd& fd : program.fds)
        numbers.push_back(fd.get());
    const std::string& name = program.args.front();
    const char* path = program.path.empty() ? "/proc/self/exe" : program.path.c_str();

    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0)
        return systemError("start", name);
    if (pid == 0)
        becomeProgram(path, argv, numbers, program.lasting, parent);
    std::unique_ptr<Child> child(new Child(pid, program.lasting, true, std::move(onEnd)));
    if (auto watched = child->watch(ring); !watched) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        child->ended_ = true;
        return tl::make_unexpected(watched.error());
    }
    return child;
}

Result<std::unique_ptr<Child>> Child::adopt(Ring& ring, pid_t pid, EndHandler onEnd) {
    std::unique_ptr<Child> child(new Child(pid, true, false, std::move(onEnd)));
    if (auto watched = child->watch(ring); !watched)
        return tl::make_unexpected(watched.error());
    return child;
}

Result<void> Child::watch(Ring& ring) {
    pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_)
        return systemError("watch process", std::to_string(pid_));
    watch_ =
        std::make_unique<FdWatch>(ring, pidfd_.get(), POLLIN, [this](std::uint32_t) { ended(); });
    return {};
}

Child::~Child() {
    if (lasting_ || ended_)
        return;
    if (ours_)
        abandon(pid_);
    else
        signal(SIGKILL);
}

void Child::signal(int number) {
    if (!ended_ && pidfd_)
        ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
}

// proc_pid_stat(5): the flags are the seventh field after the name, which may hold anything.
bool Child::isDying() const {
    constexpr unsigned kExiting = 0x4;
    std::ifstream file(fmt::format("/proc/{}/stat", pid_));
    std::string line;
    std::getline(file, line);
    std::istringstream fields(line.substr(std::min(line.rfind(')') + 1, line.size())));
    std::string skipped;
    for (int i = 0; i < 6; ++i)
        fields >> skipped;
    unsigned flags = 0;
    fields >> flags;
    return !ended_ && (flags & kExiting) != 0;
}

void Child::ended() {
    int status = kUnknownStatus;
    if (ours_ && ::waitpid(pid_, &status, WNOHANG) != pid_)
        return;
    ended_ = true;
    watch_.reset();
    // By a copy: the handler may destroy this object.
    const EndHandler handler = onEnd_;
    handler(status);
}

std::string describeStatus(int status) {
    if (status == Child::kUnknownStatus)
        return "ended";
    if (WIFSIGNALED(status))
        return fmt::format("killed by signal {} ({})", WTERMSIG(status),
                           ::strsignal(WTERMSIG(status)));
    return fmt::format("exit status {}", WEXITSTATUS(status));
}

}  // namespace belay::helper
