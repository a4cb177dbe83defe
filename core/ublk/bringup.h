#pragma once

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/ring.h"
#include "core/ublk/queue.h"
#include "core/ublk/server_control.h"

#include <functional>
#include <optional>

namespace belay::ublk {

// Makes this process the server of a device: a new one, or one whose server died.
//
//   Start:    look -> open, map, fetch every tag -> START_DEV
//   Recover:  look -> START_USER_RECOVERY -> open, map, fetch every tag -> END_USER_RECOVERY
//
// - Before begin() everything else must be ready (backend fenced, memory, metadata): on Linux
//   before 6.16 a server that dies between START_USER_RECOVERY and the last FETCH takes the device
//   with it. Nothing that waits for others stands between them here.
// - Requests may arrive, and must be served, as soon as the tags are fetched.
// - The order and what each errno means is that of the driver's recovery code in 6.12 and 7.2;
//   tested by dying at each step on both.
class Bringup {
 public:
    enum class Kind { Start, Recover };
    // How far it has come; told to the observer before the step's work begins.
    enum class Step { Looking, Claiming, Opening, Fetching, Finishing, Ended };
    enum class Outcome {
        // Requests flow.
        Serving,
        // No server can recover this device any more: it must be stopped.
        Lost,
        // Before Linux 6.16, after a server died between mapping and fetching: the kernel accepts
        // only a process whose mm_struct has the address of the dead one's. That is a matter of
        // luck (a third of all tries, measured), so it is worth ten processes before the device is
        // given up.
        NotThisProcess,
        // Not now, or not by us; the device may still be recoverable by another attempt.
        Refused,
    };
    // `error` says why, unless Serving. After anything else the process must not go on with this
    // device; if step() is Fetching or later, it must exit.
    using Callback = std::function<void(Outcome outcome, const Error& error)>;

    // All references must outlive this object. `queue` is not open yet.
    Bringup(Ring& ring, ServerControl& control, Queue& queue, DeviceId id, Kind kind);
    ~Bringup();
    Bringup(const Bringup&) = delete;
    Bringup& operator=(const Bringup&) = delete;

    // Calls back once, from the ring, at the latest about `deadline` from now.
    void begin(Duration deadline, Callback callback);
    // For logs.
    void observe(std::function<void(Step)> observer) { observer_ = std::move(observer); }

    Step step() const { return step_; }

 private:
    void enter(Step step);
    void look();
    void looked(const Result<DeviceInfo>& info);
    void claim();
    void claimed(int result);
    void open();
    void fetch();
    void finish();
    void expired();
    void judgeUnclaimed(const Result<DeviceInfo>& info);
    void retry(void (Bringup::*action)());
    void end(Outcome outcome, Error error = {});

    Ring& ring_;
    ServerControl& control_;
    Queue& queue_;
    const DeviceId id_;
    const Kind kind_;
    Step step_ = Step::Looking;
    DeviceInfo info_{};
    Callback callback_;
    std::function<void(Step)> observer_;
    Error lastError_;
    std::optional<Ring::TimerId> deadline_;
    std::optional<Ring::TimerId> retry_;
    ServerControl::CommandId command_ = 0;
};

}  // namespace belay::ublk
