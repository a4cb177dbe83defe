#include "core/ffs/aio_guard.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>

namespace belay::ffs {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;

// Shared with the guarding task, which reads it when this process is dead.
std::array<std::atomic<io_context_t>, AioGuard::kContexts> contexts;

#if defined(__x86_64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
#elif defined(__arm__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_ARM;
#elif defined(__i386__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_I386;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t kMachine = AUDIT_ARCH_RISCV64;
#else
#error "Say which AUDIT_ARCH_ this machine is (linux/audit.h)"
#endif

// The task is root's and its stack is the worker's to write to: whoever has taken over the worker
// must not be able to do anything with it. So these calls are all that it can make.
// The one process that it can signal is the worker: it has no other pidfd.
constexpr std::array kOnlyCalls = {SYS_read, SYS_pidfd_send_signal, SYS_io_destroy, SYS_exit};

constexpr auto filterProgram() {
    constexpr std::size_t kBefore = 3;
    std::array<sock_filter, kBefore + kOnlyCalls.size() + 2> program{};
    const auto calls = static_cast<std::uint8_t>(kOnlyCalls.size());
    program[0] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    // To the refusal, which is last but one.
    program[1] =
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kMachine, 0, static_cast<std::uint8_t>(calls + 1));
    program[2] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    for (std::uint8_t i = 0; i < calls; ++i)
        program[kBefore + i] =
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(kOnlyCalls[i]),
                     static_cast<std::uint8_t>(calls - i), 0);
    program[kBefore + calls] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    program[kBefore + calls + 1] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return program;
}

std::array filter = filterProgram();
const sock_fprog filterToLoad = {static_cast<unsigned short>(filter.size()), filter.data()};

enum class Confined : std::uint8_t { NotYet, Yes, Failed };
std::atomic<Confined> confined = Confined::NotYet;

bool confine() {
    return ::syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filterToLoad) == 0;
}

// The task's descriptors, which are copies: it has a table of its own.
struct Descriptors {
    int alive;
    int worker;  // a pidfd
};

void closeAllBut(Descriptors kept) {
    const int low = std::min(kept.alive, kept.worker);
    const int high = std::max(kept.alive, kept.worker);
    if (low > 0)
        ::syscall(SYS_close_range, 0, low - 1, 0);
    if (high - low > 1)
        ::syscall(SYS_close_range, low + 1, high - 1, 0);
    ::syscall(SYS_close_range, high + 1, ~0U, 0);
}

// Shares errno and everything else with a thread that waits or, later, runs: system calls that
// cannot fail by then, and nothing of the C library beyond them.
int guard(void* argument) {
    const auto [alive, worker] = *static_cast<const Descriptors*>(argument);
    closeAllBut({alive, worker});
    ::syscall(SYS_prctl, PR_SET_NAME, "belay-aio-guard");
    const bool done = confine();
    confined = done ? Confined::Yes : Confined::Failed;
    if (!done)
        ::syscall(SYS_exit, 0);
    char byte = 0;
    while (::syscall(SYS_read, alive, &byte, 1) > 0) {
    }
    // A supervisor that is killed takes the pipe with it a moment before its worker dies.
    ::syscall(SYS_pidfd_send_signal, worker, SIGKILL, nullptr, 0);
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
    const Fd worker(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    if (!worker)
        return systemError("watch this process");
    Descriptors descriptors{alive.get(), worker.get()};
    // The task inherits the mask: nothing but SIGKILL is to interrupt it.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    // The stack is the task's for as long as the memory lasts.
    const int task = ::clone(guard, static_cast<std::byte*>(stack) + kStackBytes,
                             CLONE_VM | SIGCHLD, &descriptors);
    const int error = errno;
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (task < 0)
        return errorFrom(error, "start the AIO guard");
    const timespec moment{.tv_sec = 0, .tv_nsec = 1'000'000};
    while (confined == Confined::NotYet)
        ::nanosleep(&moment, nullptr);
    if (confined == Confined::Failed)
        return failure("confine the AIO guard", {}, "The kernel needs CONFIG_SECCOMP_FILTER");
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
