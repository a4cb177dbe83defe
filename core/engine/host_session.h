#pragma once

#include "core/base/ring.h"
#include "core/engine/session_owner.h"
#include "core/lifecycle/backoff.h"
#include "core/lifecycle/keepalive.h"
#include "core/usb/device.h"
#include "core/usb/interface.h"
#include "core/wire/control.h"
#include "core/wire/export_pages.h"
#include "core/wire/link.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace belay::engine {

// What a host offers or asks for in every session.
struct HostTerms {
    Uuid host;
    bool payloadCrc = false;
    std::uint32_t maxTransfer = 1 << 20;  // bytes
    std::uint16_t maxOutstanding = 256;
    // What a smoo gadget writes is answered before it is durable.
    bool smooWriteBack = false;
};

// The host's end of opening sessions with one interface of one gadget, again and again, until it
// is destroyed: reset, HELLO, OPEN, exports, OPENED, then STATUS to see that the gadget lives.
//
// - Every session starts with SET_INTERFACE, so that no byte of an older one can be in a pipe.
// - Whatever goes wrong ends the attempt; the next comes with a growing delay. So it does when
//   sessions open but do not last.
// - A gadget that is unplugged is the owner's to notice; this object then just fails its attempts.
// - Nothing here waits in the kernel for the gadget. A reset of the port does, so it is somebody
//   else's: see setPortReset().
class HostSession : public SessionOwner {
 public:
    virtual ~HostSession();
    HostSession(const HostSession&) = delete;
    HostSession& operator=(const HostSession&) = delete;

    // How it stands with the gadget.
    enum class Standing : std::uint8_t {
        Connecting,
        Open,
        Lost,     // for now: it ended, or the last attempt came to nothing
        Refused,  // they have no language in common, or the gadget says no
    };
    using StandingHandler = std::function<void(Standing standing, const std::string& reason)>;
    // To be told of every change, and again when an open session of a target has what was opened
    // since. Called from the ring; before start().
    void watch(StandingHandler handler) { onStanding_ = std::move(handler); }
    Standing standing() const { return standing_; }
    const std::string& reason() const { return reason_; }
    // "native" or "smoo", of the last session.
    virtual const char* protocol() const { return "native"; }

    // Asks for a reset of the port, because the gadget does not answer, or (`byUser`) because
    // somebody wants it. Meanwhile this goes on trying: who resets the port ends it first. Before
    // start().
    using PortReset = std::function<void(bool byUser)>;
    void setPortReset(PortReset reset) { resetPort_ = std::move(reset); }

    // Begins the first attempt.
    void start();
    // The gadget is unplugged: ends what there is and tries no more.
    void stop();
    // For a reset of the port: the same, and calls `done` from the ring when the link is gone.
    void stop(std::function<void()> done);
    // Ends what there is and begins anew at once, with a reset of the whole port.
    void restart();
    // The same without the reset of the port: what the session was about has changed.
    void renew();

    void sessionEnded(const Error& reason) override;
    void sessionDrained() override;

 protected:
    HostSession(std::shared_ptr<usb::Device> device, const usb::Interface& interface,
                const HostTerms& terms);

    void tellStanding() { onStanding_(standing_, reason_); }

    // True while a session exists.
    virtual bool hasLink() const = 0;
    virtual void endSession(Error reason) = 0;
    // Hands over the link of a new session. `offered` is what the gadget lists (attach only).
    virtual void begin(const wire::Open& terms, std::unique_ptr<wire::Link> link,
                       const wire::ExportList& offered) = 0;
    // A counter that goes up with whatever shows that the gadget lives.
    virtual std::uint64_t signsOfLife() const = 0;
    // Lend: the list to send. Attach: nothing, the gadget's list is asked for.
    virtual std::optional<wire::ExportList> exportsToSend(const wire::Open&) { return {}; }
    // The gadget does not know HELLO. False if there is no older protocol on this interface.
    virtual bool helloUnknown() { return false; }
    // Called when the session of an older protocol is to be checked, instead of STATUS.
    virtual bool checksItself() const { return false; }

    using Bytes = std::vector<std::byte>;
    using Next = std::function<void(Result<Bytes>)>;
    // A request to the interface whose answer is dropped if the attempt is over by then.
    void askIn(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::size_t length,
               Next next);
    void askOut(std::uint8_t type, std::uint8_t request, std::uint16_t value, ConstByteSpan data,
                Next next);
    // EXPORTS: the list as a whole, sent or asked for.
    void sendExports(const wire::ExportList& list, std::function<void(const Result<void>&)> done);
    void askExports(std::function<void(const Result<wire::ExportList>&)> done);
    // What was agreed on last.
    bool perExport() const { return (open_.features & wire::kFeaturePerExport) != 0; }
    const wire::Open& agreed() const { return open_; }
    // Gives this attempt up; the next one follows after a while.
    void failed(const Error& reason);
    void running();
    // Calls back unless the attempt is over by then.
    void later(Duration delay, std::function<void()> action);
    std::unique_ptr<wire::Link> makeLink();

    Ring& ring_;
    std::shared_ptr<usb::Device> device_;
    const usb::Interface interface_;
    const HostTerms terms_;

 private:
    enum class State : std::uint8_t { Waiting, Opening, Running };

    void stand(Standing standing, const std::string& reason);
    void attempt();
    void sayHello();
    void helloReceived(const Result<Bytes>& reply);
    void sendPage(std::shared_ptr<const wire::ExportList> list, std::size_t page,
                  std::function<void(const Result<void>&)> done);
    void askPage(std::shared_ptr<wire::ExportListDecoder> list,
                 std::function<void(const Result<wire::ExportList>&)> done);
    void pollOpened();
    void openedReceived(const Result<Bytes>& reply);
    void beginWith(const wire::ExportList& offered);
    void schedule(Duration delay);
    void keepAlive();
    void statusReceived(const Result<Bytes>& reply);

    State state_ = State::Waiting;
    std::uint64_t attemptNumber_ = 0;
    bool stopped_ = false;
    std::function<void()> onStopped_;
    PortReset resetPort_ = [](bool) {};
    bool portReset_ = false;
    bool asked_ = false;  // to begin anew: not the gadget's fault
    unsigned silentAttempts_ = 0;
    std::optional<Ring::TimerId> timer_;
    lifecycle::Backoff backoff_;
    TimePoint begun_;  // of the session that runs, or ran last
    std::optional<lifecycle::Keepalive> keepalive_;
    std::uint64_t lastSigns_ = 0;
    wire::Open open_;
    bool sentExports_ = false;  // in this attempt
    TimePoint openedDeadline_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::string lastFailure_;
    StandingHandler onStanding_ = [](Standing, const std::string&) {};
    Standing standing_ = Standing::Connecting;
    std::string reason_;
};

}  // namespace belay::engine
