#pragma once

#include "core/engine/exports_listener.h"
#include "core/engine/gadget_session.h"
#include "core/engine/initiator_engine.h"
#include "core/wire/export_pages.h"
#include "core/wire/smoo_control.h"

#include <optional>
#include <vector>

namespace belay::engine {

// Lend, the gadget's end: the host has the bytes. Speaks v1, and v0 to a smoo host.
//
// v0 has no epoch and a host that notices less than it should, so (each a known way in which v0
// loses data otherwise):
// - CONFIG_EXPORTS is a barrier: the old session ends, everything is parked, the FIFOs are
//   emptied, and nothing is sent before the first STATUS after it;
// - every session that ends changes the session id, which makes a smoo host start over within its
//   one-second heartbeat; until it has sent CONFIG_EXPORTS again, nothing is sent.
//
// A host program that dies leaves the interface configured and every transfer waiting; USB does not
// tell. Both protocols' hosts ask for STATUS all the time, so their silence does.
class GadgetInitiatorSession final : public GadgetSession {
 public:
    // The engine must outlive this object.
    GadgetInitiatorSession(Ring& ring, const wire::Hello& offer, GadgetListener& listener,
                           InitiatorEngine& engine, ExportsListener& exports);
    ~GadgetInitiatorSession() override;

    void sessionEnded(const Error& reason) override;

 protected:
    bool busy() const override { return engine_.hasLink(); }
    void endSession(Error reason) override { engine_.endSession(std::move(reason)); }
    void begin(const wire::Open& terms, std::unique_ptr<wire::Link> link) override;
    wire::Status status() const override;
    void opening(const wire::Open& terms) override;
    bool complete() const override { return list_ && list_->isComplete(); }
    bool takesExports() const override { return true; }
    Result<void> takeExports(ConstByteSpan page) override;
    bool takesChanges() const override { return perExport_ && engine_.hasSession(); }
    void takeChanges(std::uint16_t number, ConstByteSpan page) override;

    void disabled() override;
    ffs::SetupAnswer setup(const ffs::SetupRequest& request) override;
    void setupData(const ffs::SetupRequest& request, ConstByteSpan data) override;

 private:
    void listen();
    void stopListening();
    void smooConfigured(ConstByteSpan data);
    void trySmooBegin();

    InitiatorEngine& engine_;
    ExportsListener& exports_;
    std::optional<Ring::TimerId> silence_;
    std::uint64_t answersHeard_ = 0;
    std::optional<wire::ExportListDecoder> list_;
    bool perExport_ = false;
    std::uint32_t features_ = 0;  // of the session that was asked for last
    // v0: configured and not begun; begins with the host's next STATUS.
    std::optional<std::vector<wire::smoo::ExportEntry>> smooConfig_;
    bool smooPolled_ = false;
    std::uint64_t smooSessionId_;
    std::uint32_t smooExports_ = 0;
};

}  // namespace belay::engine
