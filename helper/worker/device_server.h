#pragma once

#include "core/base/shared_memory.h"
#include "core/engine/exports_listener.h"
#include "core/engine/initiator_engine.h"
#include "core/ublk/bringup.h"
#include "core/ublk/server_control.h"
#include "helper/worker/supervisor_link.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace belay::helper {

// The worker's side of ublk devices: brings them up when the supervisor says so, joins them with
// the exports of each session, and tells the supervisor what becomes of them.
//
// Messages it takes ("device" is always the N of /dev/ublkbN):
//   serve   device, export, recover, unsaved, maxIo   become the server of this device
//                                              (once: asked again, it only says how it stands);
//                                              with the memory of its write log, unless it has
//                                              none. A new device only from what the open session
//                                              offers
//   fail    device                             answer everything with EIO from now on
//   resume  device                             undo that
//   accept-loss  device                        the user accepts that unsaved bytes are gone
// Messages it sends:
//   exports  list, fua, maxTransfer            a session is open and offers these
//   link-lost  reason                          the session is over
//   serving  device                            requests flow to us; of a new device not before the
//                                              target has answered one sent after START_DEV, or the
//                                              session has ended or lost it, which was told before
//   serve-failed  device, lost, error          we are not its server
//   offered  device, verdict, export           same | different-disk | data-may-be-missing |
//                                              incompatible
//   caught-up  device                          all that was held when the session offered it is
//                                              answered
//   known  device, export                      what to remember of it has changed: the write log
//                                              was sent again and saved
//   missing  device, offered                   the session does not offer this device's export, or
//                                              `offered`: its store is not ready for it yet
//   write-log  device                          with the memory of its write log, for a supervisor
//                                              that knows nothing yet
//   stopped  device                            the kernel has taken the device away from us
class DeviceServer final : private engine::ExportsListener, private engine::DeviceListener {
 public:
    // Anything that leaves this process unable to serve: it must end at once.
    using FatalHandler = std::function<void(const Error& reason)>;

    DeviceServer(Ring& ring, ublk::ServerControl& control, SupervisorLink& supervisor,
                 FatalHandler onFatal);
    ~DeviceServer();

    engine::InitiatorEngine& engine() { return engine_; }
    engine::ExportsListener& exportsListener() { return *this; }

    // False if the message is none of the above.
    bool handle(const Json& message, std::vector<Fd>& fds);
    // The devices that are served, for a supervisor that knows nothing yet.
    Json served() const;
    // Tells it the rest: that they are served, and what became of each in the present session.
    void tellAll();
    // Counters of every device, and its requests under way if `withRequests`.
    Json report(bool withRequests);

 private:
    class LogGrowth;
    struct Served {
        wire::ExportInfo known;
        std::uint32_t maxIo = 0;
        std::shared_ptr<SharedMemory> logMemory;
        std::optional<session::WriteLog> log;
        LogGrowth* growth = nullptr;  // under way; owns itself
        std::unique_ptr<ublk::Bringup> bringup;
        bool isNew = false;
        bool serving = false;
        bool probing = false;  // new, and the target has not answered for it yet
        bool caughtUp = false;
        std::string verdict;  // in the present session
        wire::ExportInfo offered;
        TimePoint offeredAt{};
        std::optional<Ring::TimerId> catchingUp;
        std::optional<Ring::TimerId> trimming;
        std::optional<Ring::TimerId> growingAgain;
    };

    void exportsOffered(const std::vector<wire::ExportInfo>& exports,
                        const engine::TargetTraits& traits) override;
    void exportsChanged(const std::vector<wire::ExportInfo>& exports) override;
    void exportsLost(const Error& reason) override;
    void deviceStopped(DeviceId device, const Error& reason) override;
    void replayEnded(DeviceId device, bool saved) override;
    void verifierTaken(DeviceId device) override;
    void allSaved(DeviceId device) override;
    void logIsShort(DeviceId device) override;
    void probed(DeviceId device) override;

    void serve(const Json& message, std::vector<Fd>& fds);
    void openLog(DeviceId device, Served& served, bool unsavedUnknown, Fd memory);
    void growLog(DeviceId device, Served& served, std::size_t bytes);
    void logHasGrown(DeviceId device, std::size_t bytes, int result);
    void refuse(DeviceId device, bool lost, const Error& error);
    void broughtUp(DeviceId device, ublk::Bringup::Outcome outcome, const Error& error);
    void tellServing(DeviceId device);
    void offer(DeviceId device);
    const wire::ExportInfo* counterpartOf(const wire::ExportInfo& known) const;
    void tellExports();
    void tellVerdict(DeviceId device);
    void watchCatchingUp(DeviceId device, Duration delay);
    void forget(DeviceId device);
    bool has(DeviceId device) const;

    Ring& ring_;
    ublk::ServerControl& control_;
    SupervisorLink& supervisor_;
    FatalHandler onFatal_;
    engine::InitiatorEngine engine_;
    std::map<DeviceId, Served> devices_;
    std::vector<wire::ExportInfo> exports_;
    engine::TargetTraits traits_;
    bool open_ = false;
};

}  // namespace belay::helper
