#pragma once

#include "core/engine/gadget_session.h"
#include "core/engine/target_engine.h"

namespace belay::engine {

// Attach, the gadget's end: the gadget has the bytes.
class GadgetTargetSession final : public GadgetSession {
 public:
    // The engine's stores must all be there already; it must outlive this object.
    GadgetTargetSession(Ring& ring, const wire::Hello& offer, GadgetListener& listener,
                        TargetEngine& engine);
    ~GadgetTargetSession() override;

 protected:
    bool busy() const override { return engine_.hasSession(); }
    void exportsChanged() override;
    void endSession(Error reason) override { engine_.endSession(std::move(reason)); }
    void begin(const wire::Open& terms, std::unique_ptr<wire::Link> link) override;
    wire::Status status() const override;
    std::optional<std::vector<std::byte>> exportsPage(std::uint16_t page) override;

 private:
    TargetEngine& engine_;
    bool perExport_ = false;
    std::uint64_t changesBefore_ = 0;  // this session
    wire::ExportList listed_;          // as the host reads it page by page
};

}  // namespace belay::engine
