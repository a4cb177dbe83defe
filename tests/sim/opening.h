#pragma once

#include "core/wire/message.h"
#include "tests/sim/cable.h"
#include "tests/sim/context.h"

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace belay::sim {

// One end's process, as the opening of sessions sees it.
class SessionEnd {
 public:
    // A session exists.
    virtual bool busy() const = 0;
    virtual Epoch epoch() const = 0;
    virtual void endSession() = 0;
    virtual void begin(Epoch epoch, std::shared_ptr<Cable> cable,
                       const std::vector<wire::ExportInfo>& offered) = 0;
    // A target's: what it offers now. An initiator's: it has come while the session runs.
    virtual std::vector<wire::ExportInfo> list() const { return {}; }
    virtual void listed(const std::vector<wire::ExportInfo>&) {}

 protected:
    ~SessionEnd() = default;
};

// How sessions come about: HostSession, GadgetSession and ep0 between them.
//
// - The host drives: reset, OPEN, ask until the gadget is ready, exports, begin; then it asks
//   every two seconds whether the gadget is still in the same session.
// - The gadget begins when its old session has ended, before the host does.
// - What the target offers may change while the session runs; the list comes by ep0, so that
//   messages may overtake it and the reverse.
class Opening {
 public:
    explicit Opening(Context& context);

    // A process is there, or (null) is dead.
    void setEnd(Side side, SessionEnd* end);
    // The session of this side is over.
    void ended(Side side);
    // What the target offers has changed.
    void changed();
    void plug(bool plugged);

 private:
    Side hostSide() const {
        return context_.settings.hostIsInitiator ? Side::Initiator : Side::Target;
    }
    SessionEnd* host() const { return ends_[static_cast<std::size_t>(hostSide())]; }
    SessionEnd* at(Side side) const { return ends_[static_cast<std::size_t>(side)]; }
    SessionEnd* gadget() const { return ends_[static_cast<std::size_t>(other(hostSide()))]; }

    void schedule(Micros delay);
    void later(Micros delay, void (Opening::*what)());
    void attempt();
    void reset();
    void open();
    void poll();
    void tryBegin();
    void beginHost();
    void keepAlive();

    Context& context_;
    std::array<SessionEnd*, 2> ends_{};
    bool plugged_ = true;
    std::uint64_t attempt_ = 0;
    std::uint64_t epochs_ = 0;
    std::shared_ptr<Cable> cable_;
    std::array<std::deque<Cable::Transfer>, 2> leftOver_;
    Epoch epoch_;                            // of this attempt
    std::vector<wire::ExportInfo> offered_;  // lend: what the host sent along
    std::optional<Epoch> pending_;           // at the gadget
};

}  // namespace belay::sim
