#pragma once

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/ublk/device.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace belay::ublk {

// What one control process is to do, and then it ends.
struct ControlRequest {
    enum class Operation : std::uint32_t {
        Features,     // answer: features
        Create,       // ADD_DEV + SET_PARAMS; answer: info, features
        Tune,         // sysfs limits of a started device (see tune() in sysfs.h)
        Sync,         // fsync(2) of the disk: what it has acknowledged becomes durable
        StopUnused,   // TRY_STOP_DEV, see Control::stopUnused()
        Stop,         // STOP_DEV
        RemoveAsync,  // DEL_DEV_ASYNC; only after Stop has succeeded
    };
    Operation operation = Operation::Features;
    // For all but Features and Create.
    DeviceId id{};
    // For Create.
    DeviceSpec spec{};
};

struct ControlAnswer {
    std::uint64_t features = 0;
    DeviceInfo info{};
};

// What a control process calls itself.
inline constexpr const char* kControlProcessName = "belay-ublk-ctl";
// The hidden first argument with which a program's main() must call controlMain().
inline constexpr const char* kControlArgument = "ublk-control";

// One control command in a process of its own, because a hung one cannot be killed and holds
// kernel locks: the caller must be able to leave it behind.
//
// - The process is this program's own executable with kControlArgument; it gets the request on
//   stdin and answers on stdout, and inherits no other descriptor that is close-on-exec.
// - Destroying the object abandons the process (abandoned.h).
class ControlProcess {
 public:
    static Result<ControlProcess> start(const ControlRequest& request);
    ControlProcess(ControlProcess&& other) noexcept;
    ControlProcess& operator=(ControlProcess&&) = delete;
    ~ControlProcess();

    // Readable when there is an answer, or the process has died without one.
    int readyFd() const { return answer_.get(); }
    // The answer, once; nothing while there is none. Never blocks.
    std::optional<Result<ControlAnswer>> poll();

 private:
    ControlProcess(pid_t process, Fd answer, ControlRequest request)
        : process_(process), answer_(std::move(answer)), request_(request) {}

    pid_t process_;
    Fd answer_;
    ControlRequest request_;
};

// Starts the process and waits for its answer. After `deadline` the process is abandoned and the
// error has ETIMEDOUT; the command may still take effect later.
Result<ControlAnswer> runControlProcess(const ControlRequest& request, Duration deadline);

// The control process itself: reads the request from stdin, runs it, writes the answer to stdout.
// The value is main()'s.
int controlMain();

}  // namespace belay::ublk
