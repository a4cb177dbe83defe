#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"

#include <libaio.h>

namespace belay::ffs {

// Lets this process be killed with FunctionFS transfers under way without wedging the kernel.
//
// Newer kernels (seen on 7.2) copy a received payload from a kernel thread that holds the process's
// memory while it copies (ffs_user_copy_worker: mmget_not_zero, mmput). If the process is killed
// in that moment, that thread becomes the memory's last user and, in mmput, waits for the
// remaining transfers (exit_aio), whose completions are queued behind itself: for ever, and with
// it the gadget (seen once in 37 kills under load).
//
// The cure is a second task that shares the memory and nothing else, and outlives the process:
// - it sleeps until the descriptor that start() was given reports the end of file, which the
//   supervisor brings about after the process has died and the gadget is off its UDC;
// - then it kills the process, should that live still, for it could not go on; ends every AIO
//   context itself, where waiting does no harm; and exits as the memory's last user.
// It is root's, as nobody else may be able to end it, and can do nothing but that (seccomp(2)).
class AioGuard {
 public:
    // Makes the task. `alive` is the reading end of a pipe whose other end the supervisor alone
    // holds. Once per process, before it opens what must close when it dies: the task closes all
    // its copies of descriptors but this one.
    static Result<void> start(Fd alive);

    // What the task is to end. At most kContexts at once; more are an error of the caller's.
    static void add(io_context_t context);
    static void remove(io_context_t context);
    static constexpr unsigned kContexts = 16;
};

}  // namespace belay::ffs
