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

// A process that is looked after: a child of ours, or one that an earlier life of ours left.
//
// - Watched and signalled by a pidfd: a pid is never used after it may have been reused.
class Child {
 public:
    struct Program {
        std::string path;  // empty: this very program (/proc/self/exe)
        std::vector<std::string> args;
        // They become 3, 4, ... in the child; all others are closed on exec.
        std::vector<Fd> fds;
        // Outlives its parent, in a session of its own, and the first of `fds` is a socket at
        // which it listens. Else it is killed when its parent dies
        // (PR_SET_PDEATHSIG): nobody serves unsupervised.
        bool lasting = false;
    };
    // Of a process that is no child of ours.
    static constexpr int kUnknownStatus = -1;
    // Called once, when the process has ended and, if it is our child, been reaped: a waitpid(2)
    // status, or kUnknownStatus.
    using EndHandler = std::function<void(int status)>;

    static Result<std::unique_ptr<Child>> spawn(Ring& ring, Program program, EndHandler onEnd);
    // Takes over a running process. The caller knows that `pid` is the right one and runs.
    static Result<std::unique_ptr<Child>> adopt(Ring& ring, pid_t pid, EndHandler onEnd);
    // Kills the process if it still runs and is not lasting, and does not wait for it
    // (core/base/abandoned.h).
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number);
    // It is on its way out, as the kernel has it (PF_EXITING): one that stays so hangs in there.
    bool isDying() const;

 private:
    Child(pid_t pid, bool lasting, bool ours, EndHandler onEnd)
        : pid_(pid), lasting_(lasting), ours_(ours), onEnd_(std::move(onEnd)) {}
    Result<void> watch(Ring& ring);
    void ended();

    pid_t pid_;
    bool lasting_;
    bool ours_;
    Fd pidfd_;
    EndHandler onEnd_;
    std::unique_ptr<FdWatch> watch_;
    bool ended_ = false;
};

// "exit status 1", "killed by signal 9 (Killed)"; "ended" for kUnknownStatus.
std::string describeStatus(int status);

}  // namespace belay::helper
