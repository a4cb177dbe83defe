#pragma once

#include "core/engine/host_session.h"
#include "core/engine/target_engine.h"
#include "core/wire/smoo_control.h"

namespace belay::engine {

// Lend, the host's end: the host has the bytes. Speaks v1, and v0 to a smoo gadget.
//
// v0: our reset takes a smoo gadget's link down; from its back-off of a second on, STATUS brings it
// up again, and does not say so. A device that starts before that never comes: the reads of its
// partition scan are parked and not sent again. So CONFIG_EXPORTS waits, unless there is nothing to
// start. Then one STATUS a second; a changed session id, silence for 2.5 s or a request that is
// running already mean that the gadget started over, and so do we. Writes are answered when they
// are durable, unless HostTerms::smooWriteBack: a smoo gadget never flushes. All stores must have
// done what earlier sessions asked for, and a session ends when what is lent changes: v0 can
// neither leave an export out nor let it come later.
class HostTargetSession final : public HostSession {
 public:
    // The engine's stores must all be there already; it must outlive this object.
    HostTargetSession(std::shared_ptr<usb::Device> device, const usb::Interface& interface,
                      const HostTerms& terms, TargetEngine& engine);
    ~HostTargetSession() override;

    const char* protocol() const override { return smoo_ ? "smoo" : "native"; }

 protected:
    bool hasLink() const override { return engine_.hasSession(); }
    void exportsChanged() override;
    void endSession(Error reason) override { engine_.endSession(std::move(reason)); }
    void begin(const wire::Open& terms, std::unique_ptr<wire::Link> link,
               const wire::ExportList& offered) override;
    std::uint64_t signsOfLife() const override { return engine_.received(); }
    std::optional<wire::ExportList> exportsToSend(const wire::Open& terms) override;
    bool helloUnknown() override;
    bool checksItself() const override { return smoo_; }

 private:
    void smooIdentified(const Result<Bytes>& reply);
    void smooSettle(unsigned polls);
    bool smooStartsNothing(const wire::smoo::Status& status) const;
    void smooConfigure();
    void smooConfigured(const Result<Bytes>& reply);
    void smooStatus(const Result<Bytes>& reply);
    void smooPoll();
    void smooWatch();

    void tellChanges();

    TargetEngine& engine_;
    std::uint64_t listedAt_ = 0;  // TargetEngine::changes(), of the list that the gadget has
    bool telling_ = false;
    bool smoo_ = false;
    // Of the last session, until the next one is configured.
    std::optional<std::uint64_t> smooSessionId_;
    std::vector<wire::smoo::ExportEntry> smooExports_;  // of the last CONFIG_EXPORTS that was sent
    TimePoint smooSeen_;                                // last sign of life
    TimePoint smooPolled_;                              // last STATUS asked for
    std::uint64_t smooSigns_ = 0;
};

}  // namespace belay::engine
