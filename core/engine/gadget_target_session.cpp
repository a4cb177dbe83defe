#include "core/engine/gadget_target_session.h"

#include "core/base/log.h"
#include "core/engine/native_dialect.h"
#include "core/wire/export_pages.h"

namespace belay::engine {

GadgetTargetSession::GadgetTargetSession(Ring& ring, const wire::Hello& offer,
                                         GadgetListener& listener, TargetEngine& engine)
    : GadgetSession(ring, offer, listener), engine_(engine) {
    engine_.setSessionOwner(this);
}

GadgetTargetSession::~GadgetTargetSession() {
    engine_.clearSessionOwner(this);
}

void GadgetTargetSession::begin(const wire::Open& terms, std::unique_ptr<wire::Link> link) {
    log::notice("attach: session {:016x} opened", terms.epoch.value);
    const bool checked = (terms.features & wire::kFeaturePayloadCrc) != 0;
    perExport_ = (terms.features & wire::kFeaturePerExport) != 0;
    changesBefore_ = engine_.changes();
    listed_ = {};
    engine_.prepareSession(link->arena()->available(), terms.maxOutstanding);
    engine_.sessionOpened(std::move(link), std::make_unique<NativeDialect>(checked), terms.epoch,
                          terms.maxTransfer, perExport_);
}

// The host asks for the new list, or opens the session that has it.
void GadgetTargetSession::exportsChanged() {
    if (!perExport_)
        engine_.endSession({"what is shared has changed", {}, 0, {}});
}

wire::Status GadgetTargetSession::status() const {
    wire::Status status;
    status.epoch = engine_.epoch();
    status.changes = engine_.changes() - changesBefore_;
    status.received = engine_.received();
    status.sent = engine_.sent();
    return status;
}

std::optional<std::vector<std::byte>> GadgetTargetSession::exportsPage(std::uint16_t page) {
    if (!engine_.hasSession())
        return std::nullopt;
    if (page == 0)
        listed_ = engine_.list(perExport_);
    return wire::encodeExportsPage(engine_.epoch(), listed_.exports, page, listed_.memory);
}

}  // namespace belay::engine
