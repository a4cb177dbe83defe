#pragma once

#include "core/engine/session_owner.h"
#include "core/ffs/function.h"
#include "core/wire/control.h"
#include "core/wire/link.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::engine {

// What the owner of a gadget-side session is told.
class GadgetListener {
 public:
    // The function was put on a UDC, or taken off.
    virtual void gadgetBound(bool bound) = 0;
    // FunctionFS is of no use any more: the process must end.
    virtual void gadgetFailed(const Error& reason) = 0;

 protected:
    ~GadgetListener() = default;
};

// The gadget's end of opening a session: answers ep0, and hands a clean link to the engine once
// the host has opened a session and the old one has wholly ended.
//
// - The host drives. Every refusal can be read back with OPENED, because an OUT request is
//   acknowledged before its content has been looked at.
// - What differs between attach and lend is left to the two classes made from this one.
class GadgetSession : protected ffs::FunctionListener, public SessionOwner {
 public:
    virtual ~GadgetSession() = default;
    GadgetSession(const GadgetSession&) = delete;
    GadgetSession& operator=(const GadgetSession&) = delete;

    // Opens the FunctionFS instance at `mount`: from then on the gadget can be bound.
    Result<void> open(const std::string& mount, ffs::Kind kind,
                      ffs::LendTriple triple = ffs::LendTriple::Own);

    void sessionEnded(const Error& reason) override;
    void sessionDrained() override;

 protected:
    GadgetSession(Ring& ring, const wire::Hello& offer, GadgetListener& listener);

    // True while a session exists.
    virtual bool busy() const = 0;
    virtual void endSession(Error reason) = 0;
    // Hands over the link of a new session. Precondition: not busy().
    virtual void begin(const wire::Open& terms, std::unique_ptr<wire::Link> link) = 0;
    virtual wire::Status status() const = 0;

    // An OPEN was accepted: what belonged to an earlier one is void.
    virtual void opening(const wire::Open&) {}
    // True once all that must come after OPEN has come (a lend's exports).
    virtual bool complete() const { return true; }
    // EXPORTS IN: the page's bytes, or nothing to stall.
    virtual std::optional<std::vector<std::byte>> exportsPage(std::uint16_t) { return {}; }
    // EXPORTS OUT: whether there is such a request for a session that is being opened, and what
    // became of its data; and the same for one that runs.
    virtual bool takesExports() const { return false; }
    virtual Result<void> takeExports(ConstByteSpan) { return {}; }
    virtual bool takesChanges() const { return false; }
    virtual void takeChanges(std::uint16_t /*page*/, ConstByteSpan) {}

    // Opens the session that waits, if nothing stands in its way any more.
    void tryBegin();
    void refuse(wire::RefusedReason reason, const std::string& why);
    // A link on the function's endpoints; the function must be enabled.
    Result<std::unique_ptr<wire::Link>> makeLink();

    void bound() override { listener_.gadgetBound(true); }
    void unbound() override { listener_.gadgetBound(false); }
    void enabled() override {}
    void disabled() override;
    ffs::SetupAnswer setup(const ffs::SetupRequest& request) override;
    void setupData(const ffs::SetupRequest& request, ConstByteSpan data) override;
    void failed(const Error& reason) override { listener_.gadgetFailed(reason); }

    Ring& ring_;
    std::unique_ptr<ffs::Function> function_;

 private:
    void openRequested(ConstByteSpan data);

    const wire::Hello offer_;
    GadgetListener& listener_;
    std::optional<wire::Open> pending_;
    wire::Opened opened_;
};

}  // namespace belay::engine
