#pragma once

#include "helper/supervisor/control_task.h"

#include <functional>
#include <memory>
#include <optional>

namespace belay::helper {

// Takes one device away from the kernel: STOP_DEV, then DEL_DEV_ASYNC, within four seconds, if the
// machine is not overloaded.
//
// The worker must already be answering the device's requests with EIO. STOP_DEV waits for it; if
// it does not return in time the worker hangs, and only the worker's death lets the kernel go on
// (measured: killing the issuer does not). It is the same STOP_DEV that goes on then: another one
// would wait for it, and for the start of one process more. DEL_DEV never comes before STOP_DEV has
// succeeded, because on a device with a hung server it would block every other ublk device of the
// machine. Each may be sent twice without harm, and is when the process that was to send it dies.
class Removal {
 public:
    using KillWorker = std::function<void()>;
    using Callback = std::function<void(Result<void> removed)>;

    Removal(Ring& ring, DeviceId device, KillWorker killWorker, Callback callback);
    ~Removal();
    Removal(const Removal&) = delete;
    Removal& operator=(const Removal&) = delete;

 private:
    void stop();
    void stopped(const Result<ublk::ControlAnswer>& answer);
    void remove();
    bool mayTryAgain(const Error& error);
    void finish(Result<void> result);

    Ring& ring_;
    DeviceId device_;
    KillWorker killWorker_;
    Callback callback_;
    std::optional<Ring::TimerId> hung_;  // when the worker is taken to hang
    int tries_ = 1;
    std::unique_ptr<ControlTask> task_;
};

}  // namespace belay::helper
