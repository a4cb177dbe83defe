#include "core/ublk/control.h"

#include "core/base/address.h"
#include "core/base/stop_point.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

namespace belay::ublk {
namespace {

constexpr const char* kNode = "/dev/ublk-control";
constexpr const char* kRunAsRoot = "Run this as root: ublk wants CAP_SYS_ADMIN";
constexpr const char* kLimitFile = "/sys/module/ublk_drv/parameters/ublks_max";
constexpr const char* kTooOld = "This kernel is too old for Belay: install Linux 6.12 or newer";

bool kernelHasDriver() {
    utsname name{};
    if (::uname(&name) != 0)
        return true;
    const std::string pattern =
        fmt::format("/lib/modules/{}/kernel/drivers/block/ublk_drv.ko*", name.release);
    glob_t found{};
    const bool any = ::glob(pattern.c_str(), 0, nullptr, &found) == 0;
    ::globfree(&found);
    return any;
}

const char* hintFor(int code, const char* otherwise = "") {
    switch (-code) {
        case EPERM:
        case EACCES:
            return kRunAsRoot;
        case ENODEV:
            return "There is no ublk device with this number";
        case EOPNOTSUPP:
            return kTooOld;
        default:
            return otherwise;
    }
}

std::optional<std::uint64_t> numberIn(const char* file) {
    const Fd fd(::open(file, O_RDONLY | O_CLOEXEC));
    std::array<char, 24> text{};
    const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
    std::uint64_t number = 0;
    if (got <= 0 || std::from_chars(text.data(), text.data() + got, number).ec != std::errc())
        return std::nullopt;
    return number;
}

// Of the whole machine, whatever this process sees in /dev.
std::size_t devicesThereAre() {
    glob_t found{};
    const bool any = ::glob("/sys/class/ublk-char/ublkc*", 0, nullptr, &found) == 0;
    const std::size_t count = any ? found.gl_pathc : 0;
    ::globfree(&found);
    return count;
}

// ublk_ctrl_add_dev() has EACCES for that and for nothing else. From 6.3 until 6.12.31 and 6.15 the
// limit was for all devices; since then it is for those of unprivileged users, which ours are not.
std::optional<Error> deviceLimitReached() {
    const auto limit = numberIn(kLimitFile);
    const std::size_t count = devicesThereAre();
    if (!limit || count < *limit)
        return std::nullopt;
    const std::uint64_t more = std::max<std::uint64_t>(64, *limit * 2);
    return failure(
               fmt::format("This kernel makes no more ublk devices: there are {}, and its limit is "
                           "{}",
                           count, *limit),
               {},
               fmt::format(
                   "Stop one, or raise the limit: echo {} >{} (for good: \"options ublk_drv "
                   "ublks_max={}\" in a file in /etc/modprobe.d)",
                   more, kLimitFile, more))
        .value();
}

// Whoever claims a disk or a partition of it keeps others from claiming the disk
// (bd_prepare_to_claim). Who only opens it is not noticed.
bool isClaimed(DeviceId id) {
    const Fd disk(::open(diskNode(id).c_str(), O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC));
    return !disk && errno == EBUSY;
}

}  // namespace

Error addRefused(int result, std::uint32_t id) {
    if (auto limit = result == -EACCES ? deviceLimitReached() : std::nullopt)
        return *limit;
    return errorFrom(
               result, "add ublk device", id == uapi::kAnyDevice ? "" : fmt::format("{}", id),
               hintFor(result, result == -EEXIST ? "The number is taken, or not yet free" : ""))
        .value();
}

Result<Fd> openControlNode() {
    Fd fd(::open(kNode, O_RDWR | O_CLOEXEC));
    if (fd)
        return fd;
    if (errno == EACCES || errno == EPERM)
        return systemError("open", kNode, kRunAsRoot);
    if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
        const int code = errno;
        return errorFrom(code, "open", kNode,
                         kernelHasDriver()
                             ? "Load the driver: modprobe ublk_drv"
                             : "This kernel has no ublk driver: install one that has (Debian: "
                               "linux-image-amd64 of trixie, or of bookworm-backports), then "
                               "load the driver: modprobe ublk_drv");
    }
    return systemError("open", kNode);
}

void prepareControlCommand(io_uring_sqe* sqe, std::uint32_t operation,
                           const uapi::ControlCommand& command) {
    auto* const bytes = reinterpret_cast<std::byte*>(sqe);
    std::memset(bytes, 0, 128);
    sqe->opcode = IORING_OP_URING_CMD;
    sqe->cmd_op = operation;
    std::memcpy(bytes + uapi::kCommandOffsetInSqe, &command, sizeof command);
}

Result<Control> Control::open() {
    auto fd = openControlNode();
    if (!fd)
        return tl::make_unexpected(fd.error());
    auto ring = std::make_unique<Ring>();
    const int error = io_uring_queue_init(4, &ring->ring, IORING_SETUP_SQE128);
    if (error < 0)
        return errorFrom(error, "set up io_uring", {},
                         error == -EPERM ? "Allow it with: sysctl kernel.io_uring_disabled=0" : "");
    ring->open = true;
    io_uring_ring_dontfork(&ring->ring);
    return Control(std::move(*fd), std::move(ring));
}

int Control::command(std::uint32_t operation, std::uint32_t id, void* argument,
                     std::uint16_t length) {
    io_uring* const ring = &ring_->ring;
    io_uring_sqe* const sqe = io_uring_get_sqe(ring);
    if (sqe == nullptr)
        return -EBUSY;
    prepareControlCommand(sqe, operation,
                          {.deviceId = id,
                           .queueId = uapi::kNoQueue,
                           .length = length,
                           .address = addressOf(argument)});
    sqe->fd = fd_.get();
    const int submitted = io_uring_submit(ring);
    if (submitted < 0)
        return submitted;
    io_uring_cqe* cqe = nullptr;
    int error = 0;
    // The kernel writes to `argument` until the command is complete: no way out before.
    do
        error = io_uring_wait_cqe(ring, &cqe);
    while (error == -EINTR || error == -EAGAIN);
    if (error < 0)
        return error;
    const int result = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return result;
}

Result<std::uint64_t> Control::features() {
    std::uint64_t features = 0;
    const int result = command(uapi::kGetFeatures, uapi::kAnyDevice, &features, sizeof features);
    if (result < 0)
        return errorFrom(result, "ask for the features of", "ublk", hintFor(result, kTooOld));
    if ((features & kRequiredFlags) != kRequiredFlags)
        return failure(fmt::format("the ublk driver lacks features (it has {:#x}, we need {:#x})",
                                   features, kRequiredFlags),
                       {}, kTooOld);
    return features;
}

Result<DeviceInfo> Control::add(const DeviceSpec& spec) {
    if (auto checked = spec.check(); !checked)
        return tl::make_unexpected(checked.error());
    const auto known = features();
    if (!known)
        return tl::make_unexpected(known.error());
    const std::uint64_t wanted = kWantedFlags & *known;
    // `state` and `serverPid` stay 0: before 6.12.103 the kernel took them over from here.
    uapi::DeviceInfo info{};
    info.queues = 1;
    info.depth = spec.depth;
    info.maxIoBytes = spec.maxIoBytes;
    info.deviceId = spec.id;
    info.flags = wanted;
    info.serverFlags = spec.ownData;
    stopPoint("before-add-dev");
    const int result = command(uapi::kAddDev, spec.id, &info, sizeof info);
    stopPoint("after-add-dev");
    if (result < 0)
        return tl::make_unexpected(addRefused(result, spec.id));
    if ((info.flags & wanted) != wanted || info.depth != spec.depth || info.queues != 1) {
        static_cast<void>(removeAsync(DeviceId(info.deviceId)));
        return failure(fmt::format("add ublk device: the kernel gave flags {:#x} for {:#x}, depth "
                                   "{} for {}, {} queues for 1",
                                   info.flags, wanted, info.depth, spec.depth, info.queues),
                       {}, kTooOld);
    }
    return DeviceInfo::from(info);
}

Result<void> Control::setParameters(DeviceId id, const DeviceSpec& spec) {
    uapi::Params params = spec.parameters();
    const int result = command(uapi::kSetParams, id.value, &params, uapi::kParamsBytes);
    stopPoint("after-set-params");
    if (result < 0)
        return errorFrom(
            result, "set the parameters of", diskName(id),
            hintFor(result, result == -EINVAL ? "The kernel refuses these sizes" : ""));
    return {};
}

Result<DeviceInfo> Control::create(const DeviceSpec& spec) {
    auto info = add(spec);
    if (!info)
        return info;
    if (auto set = setParameters(info->id, spec); !set) {
        static_cast<void>(removeAsync(info->id));
        return tl::make_unexpected(set.error());
    }
    return info;
}

Result<DeviceInfo> Control::deviceInfo(DeviceId id) {
    uapi::DeviceInfo info{};
    const int result = command(uapi::kGetDevInfo, id.value, &info, sizeof info);
    if (result < 0)
        return errorFrom(result, "ask for the state of", diskName(id), hintFor(result));
    return DeviceInfo::from(info);
}

Result<void> Control::stop(DeviceId id) {
    stopPoint("before-stop-dev");
    const int result = command(uapi::kStopDev, id.value, nullptr, 0);
    stopPoint("after-stop-dev");
    if (result < 0)
        return errorFrom(result, "stop", diskName(id), hintFor(result));
    return {};
}

Result<void> Control::stopUnused(DeviceId id) {
    const auto known = features();
    if (!known)
        return tl::make_unexpected(known.error());
    if ((*known & uapi::kSafeStopDev) == 0)
        return errorFrom(isClaimed(id) ? EBUSY : EOPNOTSUPP, "stop", diskName(id));
    const int result = command(uapi::kTryStopDev, id.value, nullptr, 0);
    if (result < 0)
        return errorFrom(result, "stop", diskName(id), hintFor(result));
    return {};
}

Result<void> Control::removeAsync(DeviceId id) {
    stopPoint("before-del-dev");
    const int result = command(uapi::kDelDevAsync, id.value, nullptr, 0);
    stopPoint("after-del-dev");
    if (result < 0)
        return errorFrom(result, "remove", diskName(id), hintFor(result));
    return {};
}

}  // namespace belay::ublk
