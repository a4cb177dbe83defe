#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/ring.h"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belay::helper {

// A child process running this very program (/proc/self/exe) with other arguments.
//
// - It is killed when its parent dies (PR_SET_PDEATHSIG): nobody serves unsupervised.
// - Watched by a pidfd: a pid is never signalled after it may have been reused.
class Child {
 public:
    // Called once, when the process has ended and been reaped: a waitpid(2) status.
    using EndHandler = std::function<void(int status)>;

    // The descriptors in `fds` become 3, 4, ... in the child; all others are closed on exec.
    static Result<std::unique_ptr<Child>> spawn(Ring& ring, const std::vector<std::string>& args,
                                                std::vector<Fd> fds, EndHandler onEnd);
    // Kills the process if it still runs, and does not wait for it.
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number);

 private:
    Child(pid_t pid, Fd pidfd, EndHandler onEnd)
        : pid_(pid), pidfd_(std::move(pidfd)), onEnd_(std::move(onEnd)) {}
    void ended();

    pid_t pid_;
    Fd pidfd_;
    EndHandler onEnd_;
    std::unique_ptr<FdWatch> watch_;
    bool ended_ = false;
};

// "exit status 1", "killed by signal 9 (Killed)".
std::string describeStatus(int status);

}  // namespace belay::helper
