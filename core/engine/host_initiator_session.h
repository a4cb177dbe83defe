#pragma once

#include "core/engine/exports_listener.h"
#include "core/engine/host_session.h"
#include "core/engine/initiator_engine.h"

namespace belay::engine {

// Attach, the host's end: the gadget has the bytes. It is asked twice a second whether what it
// offers has changed.
class HostInitiatorSession final : public HostSession {
 public:
    // Engine and listener must outlive this object.
    HostInitiatorSession(std::shared_ptr<usb::Device> device, const usb::Interface& interface,
                         const HostTerms& terms, InitiatorEngine& engine, ExportsListener& exports);
    ~HostInitiatorSession() override;

    void sessionEnded(const Error& reason) override;

 protected:
    bool hasLink() const override { return engine_.hasLink(); }
    void endSession(Error reason) override { engine_.endSession(std::move(reason)); }
    void begin(const wire::Open& terms, std::unique_ptr<wire::Link> link,
               const wire::ExportList& offered) override;
    std::uint64_t signsOfLife() const override { return engine_.answersReceived(); }

 private:
    void watchChanges();
    void listAgain();

    InitiatorEngine& engine_;
    ExportsListener& exports_;
    std::uint64_t changes_ = 0;  // wire::Status's, of the list that we have
};

}  // namespace belay::engine
