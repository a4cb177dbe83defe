#include "helper/supervisor/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstring>

namespace belay::helper {
namespace {

constexpr int kFirstPassedFd = 3;

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void becomeProgram(const std::vector<char*>& argv, const std::vector<int>& fds,
                                pid_t parent) {
    // First out of the way of the numbers they are to have, then onto them.
    const int above = kFirstPassedFd + static_cast<int>(fds.size());
    std::array<int, 16> parked{};
    for (std::size_t i = 0; i < fds.size(); ++i)
        parked[i] = ::fcntl(fds[i], F_DUPFD_CLOEXEC, above);
    for (std::size_t i = 0; i < fds.size(); ++i)
        if (parked[i] < 0 || ::dup2(parked[i], kFirstPassedFd + static_cast<int>(i)) < 0)
            ::_exit(127);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
        ::_exit(127);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execv("/proc/self/exe", argv.data());
    ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<Child>> Child::spawn(Ring& ring, const std::vector<std::string>& args,
                                            std::vector<Fd> fds, EndHandler onEnd) {
    std::vector<char*> argv;
    for (const std::string& arg : args)
        argv.push_back(const_cast<char*>(arg.c_str()));
    argv.push_back(nullptr);
    std::vector<int> numbers;
    for (const Fd& fd : fds)
        numbers.push_back(fd.get());
    if (numbers.size() > 16)
        return errorFrom(EINVAL, "start", args.front());

    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0)
        return systemError("start", args.front());
    if (pid == 0)
        becomeProgram(argv, numbers, parent);
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (pidfd < 0) {
        auto error = systemError("watch", args.front());
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return error;
    }
    std::unique_ptr<Child> child(new Child(pid, Fd(pidfd), std::move(onEnd)));
    child->watch_ = std::make_unique<FdWatch>(ring, pidfd, POLLIN,
                                              [c = child.get()](std::uint32_t) { c->ended(); });
    return child;
}

Child::~Child() {
    signal(SIGKILL);
}

void Child::signal(int number) {
    if (!ended_)
        ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
}

void Child::ended() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_)
        return;
    ended_ = true;
    watch_.reset();
    // By a copy: the handler may destroy this object.
    const EndHandler handler = onEnd_;
    handler(status);
}

std::string describeStatus(int status) {
    if (WIFSIGNALED(status))
        return fmt::format("killed by signal {} ({})", WTERMSIG(status),
                           ::strsignal(WTERMSIG(status)));
    return fmt::format("exit status {}", WEXITSTATUS(status));
}

}  // namespace belay::helper
