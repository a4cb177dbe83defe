#include "core/ublk/server_control.h"

#include "core/base/address.h"
#include "core/ublk/control.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace belay::ublk {
namespace {

constexpr unsigned kEntries = 64;
// A START or END that waits occupies a kernel worker; with the default limit (4 per processor)
// the trouble of a few devices would stop the commands of all others.
constexpr unsigned kWorkers = 32;

// liburing 2.3 does not export the calls for restrictions.
int registerWith(const io_uring& ring, unsigned operation, void* argument, unsigned count) {
    const long result = ::syscall(__NR_io_uring_register, ring.ring_fd, operation, argument, count);
    return result < 0 ? -errno : static_cast<int>(result);
}

}  // namespace

Result<std::unique_ptr<ServerControl>> ServerControl::create() {
    std::unique_ptr<ServerControl> control(new ServerControl);
    if (auto ready = control->setUp(); !ready)
        return tl::make_unexpected(ready.error());
    return control;
}

Result<void> ServerControl::setUp() {
    const auto node = openControlNode();
    if (!node)
        return tl::make_unexpected(node.error());
    io_uring_params params{};
    params.flags = IORING_SETUP_SQE128 | IORING_SETUP_R_DISABLED;
    int error = io_uring_queue_init_params(kEntries, &ring_, &params);
    if (error < 0)
        return errorFrom(error, "set up the control ring", {},
                         error == -EPERM ? "Allow it with: sysctl kernel.io_uring_disabled=0" : "");
    open_ = true;
    io_uring_ring_dontfork(&ring_);

    std::array<int, 1> files{node->get()};
    error = registerWith(ring_, IORING_REGISTER_FILES, files.data(), files.size());
    if (error < 0)
        return errorFrom(error, "register /dev/ublk-control with the control ring");
    personality_ = registerWith(ring_, IORING_REGISTER_PERSONALITY, nullptr, 0);
    if (personality_ < 0)
        return errorFrom(personality_, "register credentials with the control ring");
    // The event ring must not poll the control ring itself: a poll of an io_uring counts as
    // "tracked", and then an exiting task aborts its FETCHes at once (io_uring_cancel_generic),
    // while requests are still being dispatched to them. Linux 6.12 does not survive that (use
    // after free, measured: one kill in ten under load; none in 500 with an eventfd).
    event_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    std::array<int, 1> events{event_.get()};
    error = registerWith(ring_, IORING_REGISTER_EVENTFD, events.data(), events.size());
    if (error < 0)
        return errorFrom(error, "register an eventfd with the control ring");
    std::array<unsigned, 2> workers{kWorkers, 0};
    error = registerWith(ring_, IORING_REGISTER_IOWQ_MAX_WORKERS, workers.data(), workers.size());
    if (error < 0)
        return errorFrom(error, "set the number of the control ring's workers");

    std::array<io_uring_restriction, 3> restrictions{};
    restrictions[0].opcode = IORING_RESTRICTION_SQE_OP;
    restrictions[0].sqe_op = IORING_OP_URING_CMD;
    restrictions[1].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
    restrictions[1].sqe_flags = IOSQE_FIXED_FILE;
    // Newer kernels restrict registration only if some is allowed; this one is spent below.
    restrictions[2].opcode = IORING_RESTRICTION_REGISTER_OP;
    restrictions[2].register_op = IORING_REGISTER_ENABLE_RINGS;
    error =
        registerWith(ring_, IORING_REGISTER_RESTRICTIONS, restrictions.data(), restrictions.size());
    if (error < 0)
        return errorFrom(error, "restrict the control ring");
    error = registerWith(ring_, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    if (error < 0)
        return errorFrom(error, "enable the control ring");
    return {};
}

ServerControl::~ServerControl() {
    watch_.reset();
    // The kernel may still write the answers of these.
    for (auto& [id, command] : commands_)
        static_cast<void>(command.release());
    if (open_)
        io_uring_queue_exit(&ring_);
}

void ServerControl::watch(Ring& events) {
    events_ = &events;
    watch_ = std::make_unique<FdWatch>(events, event_.get(), POLLIN,
                                       [this](std::uint32_t) { takeResults(); });
}

ServerControl::CommandId ServerControl::send(std::uint32_t operation, DeviceId id, Finish finish) {
    const CommandId number = nextCommand_++;
    auto& command = commands_[number] = std::make_unique<Command>();
    command->finish = std::move(finish);
    uapi::ControlCommand payload{.deviceId = id.value, .queueId = uapi::kNoQueue};
    if (operation == uapi::kGetDevInfo) {
        payload.address = addressOf(&command->info);
        payload.length = sizeof command->info;
    } else if (operation != uapi::kStartUserRecovery) {
        payload.data = static_cast<std::uint64_t>(::getpid());
    }
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) {
        // As many commands wait for memory as the ring has entries.
        events_->callAfter({}, [this, number] { complete(number, -EBUSY); });
        return number;
    }
    prepareControlCommand(sqe, operation, payload);
    sqe->fd = 0;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->personality = static_cast<std::uint16_t>(personality_);
    sqe->user_data = number;
    submit();
    return number;
}

void ServerControl::submit() {
    // Fails only for want of memory; the entry stays in the queue.
    if (io_uring_submit(&ring_) < 0)
        events_->callAfter(std::chrono::milliseconds(2), [this] { submit(); });
}

void ServerControl::takeResults() {
    // Emptied first, so that what completes from here on calls again.
    std::uint64_t count = 0;
    if (::read(event_.get(), &count, sizeof count) < 0 && errno != EAGAIN)
        return;
    io_uring_cqe* cqe = nullptr;
    while (io_uring_peek_cqe(&ring_, &cqe) == 0) {
        const CommandId number = cqe->user_data;
        const int result = cqe->res;
        io_uring_cqe_seen(&ring_, cqe);
        complete(number, result);
    }
}

void ServerControl::complete(CommandId number, int result) {
    const auto node = commands_.extract(number);
    if (node && node.mapped()->finish)
        node.mapped()->finish(result, node.mapped()->info);
}

ServerControl::CommandId ServerControl::startDevice(DeviceId id, Callback callback) {
    return send(uapi::kStartDev, id,
                [done = std::move(callback)](int result, const auto&) { done(result); });
}

ServerControl::CommandId ServerControl::startRecovery(DeviceId id, Callback callback) {
    return send(uapi::kStartUserRecovery, id,
                [done = std::move(callback)](int result, const auto&) { done(result); });
}

ServerControl::CommandId ServerControl::endRecovery(DeviceId id, Callback callback) {
    return send(uapi::kEndUserRecovery, id,
                [done = std::move(callback)](int result, const auto&) { done(result); });
}

ServerControl::CommandId ServerControl::deviceInfo(DeviceId id, InfoCallback callback) {
    return send(uapi::kGetDevInfo, id,
                [id, done = std::move(callback)](int result, const uapi::DeviceInfo& info) {
                    if (result < 0)
                        done(errorFrom(result, "ask for the state of", diskName(id)));
                    else
                        done(DeviceInfo::from(info));
                });
}

void ServerControl::forget(CommandId command) {
    if (const auto found = commands_.find(command); found != commands_.end())
        found->second->finish = nullptr;
}

}  // namespace belay::ublk
