#include "helper/worker/syscall_filter.h"

#include <fcntl.h>
#include <liburing.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <initializer_list>
#include <memory>
#include <type_traits>

namespace belay::helper {
namespace {

// Calls of 32-bit machines are among them; libseccomp leaves out what a machine does not have.

// Memory, but for what makes it executable.
constexpr std::initializer_list<int> kMemory = {SCMP_SYS(munmap), SCMP_SYS(mremap),
                                                SCMP_SYS(madvise), SCMP_SYS(brk)};
// On descriptors there are.
constexpr std::initializer_list<int> kFiles = {
    SCMP_SYS(read),      SCMP_SYS(write),   SCMP_SYS(readv),    SCMP_SYS(writev),
    SCMP_SYS(pread64),   SCMP_SYS(preadv2), SCMP_SYS(pwrite64), SCMP_SYS(close),
    SCMP_SYS(lseek),     SCMP_SYS(_llseek), SCMP_SYS(fcntl),    SCMP_SYS(fcntl64),
    SCMP_SYS(fallocate), SCMP_SYS(fstat),   SCMP_SYS(fstat64)};
// On files that may hang.
constexpr std::initializer_list<int> kStores = {SCMP_SYS(fsync), SCMP_SYS(fdatasync),
                                                SCMP_SYS(fstatfs), SCMP_SYS(fstatfs64)};
// Looking at files by their paths, and at what is in a folder (libusb: /dev/bus/usb).
constexpr std::initializer_list<int> kPaths = {
    SCMP_SYS(stat),      SCMP_SYS(lstat),      SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),
    SCMP_SYS(statx),     SCMP_SYS(statfs),     SCMP_SYS(statfs64),   SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),   SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64)};
// Waiting and being told.
constexpr std::initializer_list<int> kEvents = {SCMP_SYS(io_uring_enter),
                                                SCMP_SYS(poll),
                                                SCMP_SYS(ppoll),
                                                SCMP_SYS(ppoll_time64),
                                                SCMP_SYS(eventfd2),
                                                SCMP_SYS(timerfd_create),
                                                SCMP_SYS(timerfd_settime),
                                                SCMP_SYS(timerfd_settime64),
                                                SCMP_SYS(nanosleep),
                                                SCMP_SYS(clock_nanosleep),
                                                SCMP_SYS(clock_nanosleep_time64),
                                                SCMP_SYS(futex),
                                                SCMP_SYS(futex_time64),
                                                SCMP_SYS(restart_syscall),
                                                SCMP_SYS(sendmsg),
                                                SCMP_SYS(recvmsg)};
// What a process may know of itself and of the time; signals and ends.
constexpr std::initializer_list<int> kProcess = {SCMP_SYS(clock_gettime),
                                                 SCMP_SYS(clock_gettime64),
                                                 SCMP_SYS(gettimeofday),
                                                 SCMP_SYS(time),
                                                 SCMP_SYS(getrandom),
                                                 SCMP_SYS(uname),
                                                 SCMP_SYS(sysinfo),
                                                 SCMP_SYS(getpid),
                                                 SCMP_SYS(gettid),
                                                 SCMP_SYS(getuid),
                                                 SCMP_SYS(geteuid),
                                                 SCMP_SYS(getgid),
                                                 SCMP_SYS(getegid),
                                                 SCMP_SYS(getuid32),
                                                 SCMP_SYS(geteuid32),
                                                 SCMP_SYS(getgid32),
                                                 SCMP_SYS(getegid32),
                                                 SCMP_SYS(sched_yield),
                                                 SCMP_SYS(sched_getaffinity),
                                                 SCMP_SYS(rt_sigaction),
                                                 SCMP_SYS(rt_sigprocmask),
                                                 SCMP_SYS(rt_sigreturn),
                                                 SCMP_SYS(sigreturn),
                                                 SCMP_SYS(sigaltstack),
                                                 SCMP_SYS(exit),
                                                 SCMP_SYS(exit_group)};
constexpr std::initializer_list<int> kAio = {SCMP_SYS(io_setup),
                                             SCMP_SYS(io_destroy),
                                             SCMP_SYS(io_submit),
                                             SCMP_SYS(io_getevents),
                                             SCMP_SYS(io_cancel),
                                             SCMP_SYS(io_pgetevents),
                                             SCMP_SYS(io_pgetevents_time64)};
// A supervisor that comes back.
constexpr std::initializer_list<int> kSupervisors = {SCMP_SYS(accept4), SCMP_SYS(getsockopt)};
// Tried by libraries, and done without.
constexpr std::initializer_list<int> kRefused = {SCMP_SYS(prctl), SCMP_SYS(prlimit64),
                                                 SCMP_SYS(membarrier), SCMP_SYS(rseq)};

// Of a process that has nothing to do but to read, to compute and to end.
constexpr std::initializer_list<int> kReading = {
    SCMP_SYS(read),  SCMP_SYS(pread64),   SCMP_SYS(lseek),        SCMP_SYS(_llseek),
    SCMP_SYS(write), SCMP_SYS(close),     SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn),
    SCMP_SYS(exit),  SCMP_SYS(exit_group)};

// By the second byte of their numbers (linux/ioctl.h): sizes of block devices, names of file
// systems and versions of inodes.
constexpr unsigned kBlockIoctls = 0x12;
constexpr std::initializer_list<unsigned> kStoreIoctls = {kBlockIoctls, 0x15, 'v'};
constexpr std::initializer_list<unsigned> kUsbfsIoctls = {'U'};
constexpr std::initializer_list<unsigned> kFunctionFsIoctls = {'g'};
constexpr unsigned kTerminalIoctls = 'T';  // isatty(3)

// Conditions on an argument; libseccomp's macros for them are C.
scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}
scmp_arg_cmp equal(unsigned argument, scmp_datum_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}

struct Release {
    void operator()(void* filter) const { seccomp_release(filter); }
};

// Rules of one filter; the first that fails is what error() says.
class Rules {
 public:
    explicit Rules(scmp_filter_ctx filter) : filter_(filter) {}

    template <class... Conditions>
    void add(std::uint32_t action, int call, Conditions... conditions) {
        const std::array<scmp_arg_cmp, sizeof...(conditions)> list{conditions...};
        if (error_ == 0)
            error_ = seccomp_rule_add_array(filter_, action, call, list.size(), list.data());
    }
    void allow(std::initializer_list<int> calls) {
        for (const int call : calls)
            add(SCMP_ACT_ALLOW, call);
    }
    void allowIoctls(std::initializer_list<unsigned> kinds) {
        for (const unsigned kind : kinds)
            add(SCMP_ACT_ALLOW, SCMP_SYS(ioctl), masked(1, 0xff00, kind << 8));
    }
    void first(int call) {
        constexpr std::uint8_t kHighest = 255;
        if (error_ == 0)
            error_ = seccomp_syscall_priority(filter_, call, kHighest);
    }
    int error() const { return error_; }

 private:
    scmp_filter_ctx filter_;
    int error_ = 0;
};

void addMemory(Rules& rules) {
    rules.allow(kMemory);
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)})
        rules.add(SCMP_ACT_ALLOW, call, masked(2, PROT_EXEC, 0));
}

void addRules(Rules& rules, Side side, WorkerRole role) {
    addMemory(rules);
    for (const auto& calls : {kFiles, kPaths, kEvents, kProcess})
        rules.allow(calls);
    // Memory for long messages (Packet).
    rules.add(SCMP_ACT_ALLOW, SCMP_SYS(memfd_create), masked(1, MFD_HUGETLB, 0));
    // Aborting.
    rules.add(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), equal(0, static_cast<scmp_datum_t>(::getpid())));
    rules.add(SCMP_ACT_ALLOW, SCMP_SYS(io_uring_register),
              equal(1, IORING_REGISTER_IOWQ_MAX_WORKERS));

    constexpr scmp_datum_t kHow = O_ACCMODE | O_CREAT | O_TRUNC;
    for (const scmp_datum_t how : {O_RDONLY, O_RDWR})
        rules.add(SCMP_ACT_ALLOW, SCMP_SYS(openat), masked(2, kHow, how));

    // Looked for first. Of the calls of the data path only this one is decided on by its arguments,
    // so that the kernel cannot remember the answer (seccomp_cache_check_allow) and runs the
    // filter.
    rules.first(SCMP_SYS(ioctl));
    if (role == WorkerRole::Target) {
        rules.allow(kStores);
        rules.allowIoctls(kStoreIoctls);
        // Stores that come later have write-back states of their own.
        rules.add(SCMP_ACT_ALLOW, SCMP_SYS(openat), masked(2, kHow, O_RDWR | O_CREAT));
    }
    rules.add(SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), masked(1, 0xff00, kTerminalIoctls << 8));
    for (const int call : kRefused)
        rules.add(SCMP_ACT_ERRNO(EPERM), call);

    if (side == Side::Host) {
        rules.allow(kSupervisors);
        rules.allowIoctls(kUsbfsIoctls);
    } else {
        rules.allow(kAio);
        rules.allowIoctls(kFunctionFsIoctls);
    }
}

Result<void> load(std::uint32_t otherwise, const std::function<void(Rules&)>& addRules) {
    const std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release> filter(
        seccomp_init(otherwise));
    if (!filter)
        return errorFrom(ENOMEM, "make the system call filter");
    Rules rules(filter.get());
    addRules(rules);
    int error = rules.error();
    if (error == 0)
        error = seccomp_load(filter.get());
    if (error < 0)
        return errorFrom(error, "load the system call filter", {},
                         error == -EINVAL ? "The kernel needs CONFIG_SECCOMP_FILTER" : "");
    return {};
}

}  // namespace

Result<void> filterSystemCalls(Side side, WorkerRole role) {
    return load(SCMP_ACT_KILL_PROCESS, [=](Rules& rules) { addRules(rules, side, role); });
}

std::span<const std::uint8_t> ringOperations(WorkerRole role) {
    static constexpr std::array<std::uint8_t, 10> kInitiator = {
        IORING_OP_NOP,     IORING_OP_POLL_ADD,       IORING_OP_POLL_REMOVE,
        IORING_OP_TIMEOUT, IORING_OP_TIMEOUT_REMOVE, IORING_OP_ASYNC_CANCEL,
        IORING_OP_READ,    IORING_OP_WRITE,          IORING_OP_URING_CMD,
        IORING_OP_MADVISE};
    static constexpr std::array<std::uint8_t, 10> kTarget = {
        IORING_OP_NOP,      IORING_OP_POLL_ADD,       IORING_OP_POLL_REMOVE,
        IORING_OP_TIMEOUT,  IORING_OP_TIMEOUT_REMOVE, IORING_OP_ASYNC_CANCEL,
        IORING_OP_READ,     IORING_OP_WRITE,          IORING_OP_FSYNC,
        IORING_OP_FALLOCATE};
    if (role == WorkerRole::Initiator)
        return kInitiator;
    return kTarget;
}

Result<void> allowReadingOnly() {
    return load(SCMP_ACT_ERRNO(EPERM), [](Rules& rules) {
        addMemory(rules);
        rules.allow(kReading);
        rules.allowIoctls({kBlockIoctls});
    });
}

}  // namespace belay::helper
