#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/ring.h"
#include "core/ublk/device.h"

#include <liburing.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace belay::ublk {

// The control commands that must come from the server itself, for a server without privileges.
//
// START_DEV and END_USER_RECOVERY wait for the server's FETCHes, and Linux 6.12 crashes or wedges
// if another process sends them after the server died; newer kernels check that the sender is the
// process that opened /dev/ublkcN. Yet each needs CAP_SYS_ADMIN. So the ring is made as root, with
// /dev/ublk-control as its only file and root's credentials registered (a personality), restricted
// to URING_CMD on that file and to no further registration, before the process drops its
// privileges: ublk commands, on any device, are all it can do with them afterwards.
//
// - Commands run in the kernel's worker threads of this process; requests are served meanwhile.
// - Callbacks come from the event ring, never from inside a call. One thread.
// - Made once and kept for the life of the process.
class ServerControl {
 public:
    using CommandId = std::uint64_t;
    // >= 0, or a negative errno.
    using Callback = std::function<void(int result)>;
    using InfoCallback = std::function<void(const Result<DeviceInfo>& info)>;

    // Needs root. Before privileges are dropped.
    static Result<std::unique_ptr<ServerControl>> create();
    ~ServerControl();
    ServerControl(const ServerControl&) = delete;
    ServerControl& operator=(const ServerControl&) = delete;

    // Delivers results through `events`, which must outlive this object. Before the first command.
    void watch(Ring& events);

    // START_DEV: 0 once every tag is fetched and the disk is there.
    CommandId startDevice(DeviceId id, Callback callback);
    // START_USER_RECOVERY. On Linux before 6.16 a point of no return: see Bringup.
    CommandId startRecovery(DeviceId id, Callback callback);
    // END_USER_RECOVERY: 0 once every tag is fetched and requests flow again.
    CommandId endRecovery(DeviceId id, Callback callback);
    // GET_DEV_INFO: never blocks.
    CommandId deviceInfo(DeviceId id, InfoCallback callback);
    // The callback of this command will not be called any more. The command itself goes on.
    void forget(CommandId command);

    // The restricted ring; nothing else is to be done with it.
    int ringFd() const { return ring_.ring_fd; }

 private:
    using Finish = std::function<void(int result, const uapi::DeviceInfo& info)>;
    struct Command {
        Finish finish;
        uapi::DeviceInfo info{};
    };

    ServerControl() = default;
    Result<void> setUp();
    CommandId send(std::uint32_t operation, DeviceId id, Finish finish);
    void submit();
    void takeResults();
    void complete(CommandId number, int result);

    io_uring ring_{};
    bool open_ = false;
    int personality_ = 0;
    Fd event_;
    Ring* events_ = nullptr;
    std::unique_ptr<FdWatch> watch_;
    CommandId nextCommand_ = 1;
    std::map<CommandId, std::unique_ptr<Command>> commands_;
};

}  // namespace belay::ublk
