#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/ublk/device.h"

#include <liburing.h>

#include <cstdint>
#include <memory>

namespace belay::ublk {

// The driver's control commands, each waited for.
//
// - Needs CAP_SYS_ADMIN: the driver asks for it with every command, not only when opening.
// - deviceInfo() never blocks. Every other command may hang for ever in the kernel, unkillable and
//   with locks held, when a device's server hangs: long-lived processes use control_process.h.
// - Not thread-safe.
class Control {
 public:
    // Opens /dev/ublk-control; the hint says what to do when the driver is not there.
    static Result<Control> open();
    Control(Control&&) noexcept = default;
    Control& operator=(Control&&) noexcept = default;

    // The feature bits of the driver. An error with a hint when it lacks one we cannot do without.
    Result<std::uint64_t> features();

    // Makes the device and gives it its parameters, ready for a server to start. Nothing is left
    // behind after an error. The flags that came back are compared with those asked for.
    Result<DeviceInfo> create(const DeviceSpec& spec);
    // The two halves of create(): ADD_DEV and SET_PARAMS (which must come before START_DEV).
    Result<DeviceInfo> add(const DeviceSpec& spec);
    Result<void> setParameters(DeviceId id, const DeviceSpec& spec);

    Result<DeviceInfo> deviceInfo(DeviceId id);

    // Waits until no request is in the server: does not return while a live server hangs. Waiting
    // I/O fails with EIO. No error if the device is stopped already.
    Result<void> stop(DeviceId id);
    // The same, but only if nobody has the disk or a partition of it open, in whatever way: EBUSY.
    // Before Linux 7.0 that cannot be done: EBUSY then if the kernel itself has claimed it (for a
    // file system, mounted wherever; for swap; for a block device or a target made of it), else
    // EOPNOTSUPP. It opens the disk for that, which may hang: for a control process.
    Result<void> stopUnused(DeviceId id);
    // Removes a stopped device. Its number is free once the last user of its nodes is gone; holds
    // a lock over every ublk device of the machine, so never before stop() has succeeded.
    Result<void> removeAsync(DeviceId id);

 private:
    struct Ring {
        io_uring ring{};
        bool open = false;
        ~Ring() {
            if (open)
                io_uring_queue_exit(&ring);
        }
    };
    Control(Fd fd, std::unique_ptr<Ring> ring) : fd_(std::move(fd)), ring_(std::move(ring)) {}
    // >= 0, or a negative errno.
    int command(std::uint32_t operation, std::uint32_t id, void* argument, std::uint16_t length);

    Fd fd_;
    std::unique_ptr<Ring> ring_;
};

// Opens /dev/ublk-control, with a hint if that fails.
Result<Fd> openControlNode();

// What an ADD_DEV that ended with `result` is told as. The driver has a limit for its devices
// (ublks_max), and says EACCES when that is reached, as to somebody without rights: see whether it
// is.
Error addRefused(int result, std::uint32_t id);

// Fills a cleared 128-byte submission entry but for its file.
void prepareControlCommand(io_uring_sqe* sqe, std::uint32_t operation,
                           const uapi::ControlCommand& command);

}  // namespace belay::ublk
