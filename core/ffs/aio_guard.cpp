#include "core/ffs/aio_guard.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>

namespace belay::ffs {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;

// Shared with the guarding task, which reads it when this process is dead.
std::array<std::atomic<io_context_t>, AioGuard::kContexts> contexts;

// Shares errno and everything else with a thread that may be running: system calls that cannot
// fail here, and nothing of the C library beyond them.
int guard(void* argument) {
    const auto alive = static_cast<int>(reinterpret_cast<std::intptr_t>(argument));
    if (alive > 0)
        ::syscall(SYS_close_range, 0, alive - 1, 0);
    ::syscall(SYS_close_range, alive + 1, ~0U, 0);
    ::syscall(SYS_prctl, PR_SET_NAME, "belay-aio-guard");
    char byte = 0;
    while (::syscall(SYS_read, alive, &byte, 1) > 0) {
    }
    for (auto& slot : contexts)
        if (io_context_t context = slot.load())
            ::syscall(SYS_io_destroy, context);
    ::syscall(SYS_exit, 0);
    return 0;
}

}  // namespace

Result<void> AioGuard::start(Fd alive) {
    void* stack = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return systemError("allocate the AIO guard's stack");
    // The task inherits the mask: nothing but SIGKILL is to interrupt it.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    // The stack is the task's for as long as the memory lasts.
    const int task =
        ::clone(guard, static_cast<std::byte*>(stack) + kStackBytes, CLONE_VM | SIGCHLD,
                reinterpret_cast<void*>(std::intptr_t{alive.get()}));
    const int error = errno;
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (task < 0)
        return errorFrom(error, "start the AIO guard");
    return {};
}

void AioGuard::add(io_context_t context) {
    for (auto& slot : contexts) {
        io_context_t none = nullptr;
        if (slot.compare_exchange_strong(none, context))
            return;
    }
    std::abort();
}

void AioGuard::remove(io_context_t context) {
    for (auto& slot : contexts) {
        io_context_t expected = context;
        if (slot.compare_exchange_strong(expected, nullptr))
            return;
    }
}

}  // namespace belay::ffs
