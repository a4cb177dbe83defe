#pragma once

#include "core/base/ring.h"
#include "core/ublk/control_process.h"

#include <functional>
#include <memory>
#include <optional>

namespace belay::helper {

// A ublk control command that is not waited for: it runs in a process of its own, and is left
// behind when its deadline passes. Destroying the task abandons the command.
class ControlTask {
 public:
    using Callback = std::function<void(Result<ublk::ControlAnswer> answer)>;

    // Calls back once, from the ring. After the deadline the error has ETIMEDOUT and the command
    // may still take effect.
    ControlTask(Ring& ring, const ublk::ControlRequest& request, Duration deadline,
                Callback callback);
    ~ControlTask();
    ControlTask(const ControlTask&) = delete;
    ControlTask& operator=(const ControlTask&) = delete;

 private:
    void ready();
    void finish(Result<ublk::ControlAnswer> answer);

    Ring& ring_;
    Callback callback_;
    std::optional<ublk::ControlProcess> process_;
    std::unique_ptr<FdWatch> watch_;
    std::optional<Ring::TimerId> timer_;
};

}  // namespace belay::helper
