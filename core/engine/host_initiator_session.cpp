#include "core/engine/host_initiator_session.h"

#include "core/base/log.h"
#include "core/engine/native_dialect.h"

namespace belay::engine {

HostInitiatorSession::HostInitiatorSession(std::shared_ptr<usb::Device> device,
                                           const usb::Interface& interface, const HostTerms& terms,
                                           InitiatorEngine& engine, ExportsListener& exports)
    : HostSession(std::move(device), interface, terms), engine_(engine), exports_(exports) {
    engine_.setSessionOwner(this);
}

HostInitiatorSession::~HostInitiatorSession() {
    engine_.clearSessionOwner(this);
}

void HostInitiatorSession::begin(const wire::Open& terms, std::unique_ptr<wire::Link> link,
                                 const std::vector<wire::ExportInfo>& offered) {
    log::notice("attach: session {:016x} opened, {} shares", terms.epoch.value, offered.size());
    const bool checked = (terms.features & wire::kFeaturePayloadCrc) != 0;
    engine_.sessionOpened(std::move(link), std::make_unique<NativeDialect>(checked), terms.epoch,
                          terms.maxOutstanding);
    exports_.exportsOffered(offered, {.fua = true, .maxTransfer = terms.maxTransfer});
}

void HostInitiatorSession::sessionEnded(const Error& reason) {
    exports_.exportsLost(reason);
    HostSession::sessionEnded(reason);
}

}  // namespace belay::engine
