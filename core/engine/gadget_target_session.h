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
    bool busy() const override { return engine_.hasSession() || !engine_.drained(); }
    void endSession(Error reason) override { engine_.endSession(std::move(reason)); }
    void begin(const wire::Open& terms, std::unique_ptr<wire::Link> link) override;
    wire::Status status() const override;
    std::optional<std::vector<std::byte>> exportsPage(std::uint16_t page) override;

 private:
    TargetEngine& engine_;
};

}  // namespace belay::engine
