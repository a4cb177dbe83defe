#include "core/engine/host_initiator_session.h"

#include "core/base/log.h"
#include "core/engine/native_dialect.h"
#include "core/wire/control_codec.h"

namespace belay::engine {
namespace {

constexpr auto kWatchInterval = std::chrono::milliseconds(500);

}  // namespace

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
                                 const wire::ExportList& offered) {
    log::notice("attach: session {:016x} opened, {} shares", terms.epoch.value,
                offered.exports.size());
    const bool checked = (terms.features & wire::kFeaturePayloadCrc) != 0;
    engine_.sessionOpened(std::move(link), std::make_unique<NativeDialect>(checked), terms.epoch,
                          terms.maxOutstanding, offered.memory);
    engine_.exportsListed(offered);
    exports_.exportsOffered(offered.exports, {.fua = true, .maxTransfer = terms.maxTransfer});
    changes_ = 0;
    if (perExport())
        later(kWatchInterval, [this] { watchChanges(); });
}

void HostInitiatorSession::watchChanges() {
    askIn(wire::kControlIn, static_cast<std::uint8_t>(wire::ControlRequest::Status), 0,
          wire::StatusLayout::kBytes, [this](const Result<Bytes>& reply) {
              const auto status =
                  reply.and_then([](const Bytes& bytes) { return wire::decodeStatus(bytes); });
              // What it says of the session is the keep-alive's matter.
              if (status && status->epoch == agreed().epoch &&
                  std::exchange(changes_, status->changes) != status->changes)
                  listAgain();
              else
                  later(kWatchInterval, [this] { watchChanges(); });
          });
}

void HostInitiatorSession::listAgain() {
    askExports([this](const Result<wire::ExportList>& list) {
        if (list && engine_.hasSession()) {
            engine_.exportsListed(*list);
            exports_.exportsChanged(list->exports);
        } else {
            --changes_;  // to be asked for once more
        }
        later(kWatchInterval, [this] { watchChanges(); });
    });
}

void HostInitiatorSession::sessionEnded(const Error& reason) {
    exports_.exportsLost(reason);
    HostSession::sessionEnded(reason);
}

}  // namespace belay::engine
