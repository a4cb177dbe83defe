#include "core/engine/gadget_initiator_session.h"

#include "core/base/log.h"
#include "core/engine/native_dialect.h"
#include "core/engine/smoo_dialect.h"

namespace belay::engine {
namespace {

namespace smoo = wire::smoo;

// Four times a native host's interval between two STATUS, and more than the five seconds after
// which a host gives up on us.
constexpr auto kHostPatience = std::chrono::seconds(8);
// A smoo host queues 64 messages and 32 transfers; what is beyond waits here instead.
constexpr std::uint32_t kSmooMaxOutstanding = 16;

bool matches(const ffs::SetupRequest& request, const smoo::ControlRequest& wanted) {
    return request.requestType == wanted.requestType && request.request == wanted.request;
}

// v0 has no identity but the id, which a smoo host derives from path, block size and size.
Uuid uuidOf(const smoo::ExportEntry& entry) {
    Uuid uuid;
    uuid.bytes = {'s', 'm', 'o', 'o'};
    for (std::size_t i = 0; i < 4; ++i)
        uuid.bytes[12 + i] = static_cast<std::uint8_t>(entry.id.value >> (24 - 8 * i));
    return uuid;
}

std::vector<wire::ExportInfo> infosOf(const std::vector<smoo::ExportEntry>& entries) {
    std::vector<wire::ExportInfo> infos;
    for (const smoo::ExportEntry& entry : entries) {
        wire::ExportInfo info;
        info.id = entry.id;
        info.blockSize = entry.blockSize;
        info.sizeBytes = entry.sizeBytes;
        info.uuid = uuidOf(entry);
        info.label = fmt::format("smoo-{:08x}", entry.id.value);
        infos.push_back(info);
    }
    return infos;
}

}  // namespace

GadgetInitiatorSession::GadgetInitiatorSession(Ring& ring, const wire::Hello& offer,
                                               GadgetListener& listener, InitiatorEngine& engine,
                                               ExportsListener& exports)
    : GadgetSession(ring, offer, listener),
      engine_(engine),
      exports_(exports),
      smooSessionId_(randomNonZero64()) {
    engine_.setSessionOwner(this);
}

GadgetInitiatorSession::~GadgetInitiatorSession() {
    engine_.clearSessionOwner(this);
    stopListening();
}

void GadgetInitiatorSession::opening(const wire::Open& terms) {
    features_ = terms.features;
    list_.emplace(terms.epoch, features_);
    smooConfig_.reset();
}

Result<void> GadgetInitiatorSession::takeExports(ConstByteSpan page) {
    return list_->add(page);
}

void GadgetInitiatorSession::begin(const wire::Open& terms, std::unique_ptr<wire::Link> link) {
    log::notice("lend: session {:016x} opened, {} exports", terms.epoch.value,
                list_->exports().size());
    const bool checked = (terms.features & wire::kFeaturePayloadCrc) != 0;
    perExport_ = (terms.features & wire::kFeaturePerExport) != 0;
    engine_.sessionOpened(std::move(link), std::make_unique<NativeDialect>(checked), terms.epoch,
                          terms.maxOutstanding, list_->list().memory);
    engine_.exportsListed(list_->list());
    exports_.exportsOffered(list_->exports(), {.fua = true, .maxTransfer = terms.maxTransfer});
    listen();
}

void GadgetInitiatorSession::takeChanges(std::uint16_t number, ConstByteSpan page) {
    if (number == 0)
        list_.emplace(engine_.epoch(), features_);
    if (auto added = list_->add(page); !added) {
        engine_.endSession(added.error());
    } else if (list_->isComplete()) {
        engine_.exportsListed(list_->list());
        if (engine_.hasSession())
            exports_.exportsChanged(list_->exports());
    }
}

// From now on the host has so much time to be heard of again.
void GadgetInitiatorSession::listen() {
    stopListening();
    answersHeard_ = engine_.answersReceived();
    silence_ = ring_.callAfter(kHostPatience, [this] {
        silence_.reset();
        if (answersHeard_ != engine_.answersReceived())
            listen();
        else
            engine_.endSession({"the host does not answer", {}, ETIMEDOUT, {}});
    });
}

void GadgetInitiatorSession::stopListening() {
    if (silence_)
        ring_.cancel(*std::exchange(silence_, std::nullopt));
}

wire::Status GadgetInitiatorSession::status() const {
    wire::Status status;
    status.epoch = engine_.epoch();
    status.received = engine_.answersReceived();
    return status;
}

void GadgetInitiatorSession::sessionEnded(const Error& reason) {
    stopListening();
    smooSessionId_ = randomNonZero64();
    smooExports_ = 0;
    exports_.exportsLost(reason);
    GadgetSession::sessionEnded(reason);
    trySmooBegin();
}

void GadgetInitiatorSession::disabled() {
    smooConfig_.reset();
    GadgetSession::disabled();
}

ffs::SetupAnswer GadgetInitiatorSession::setup(const ffs::SetupRequest& request) {
    if (engine_.hasSession())
        listen();
    if (matches(request, smoo::kIdent) && request.length >= smoo::IdentLayout::kBytes)
        return ffs::SetupAnswer::reply(smoo::encode(smoo::Ident{}));
    if (matches(request, smoo::kStatus) && request.length >= smoo::StatusLayout::kBytes) {
        if (smooConfig_) {
            smooPolled_ = true;
            ring_.callAtEndOfTurn([this] { trySmooBegin(); });
        }
        return ffs::SetupAnswer::reply(
            smoo::encode(smoo::Status{.exportCount = smooExports_, .sessionId = smooSessionId_}));
    }
    if (matches(request, smoo::kConfigExports))
        return request.length >= smoo::ConfigLayout::kBytes &&
                       request.length <= smoo::kMaxConfigBytes
                   ? ffs::SetupAnswer::accept()
                   : ffs::SetupAnswer::stall();
    return GadgetSession::setup(request);
}

void GadgetInitiatorSession::setupData(const ffs::SetupRequest& request, ConstByteSpan data) {
    if (matches(request, smoo::kConfigExports))
        smooConfigured(data);
    else
        GadgetSession::setupData(request, data);
}

void GadgetInitiatorSession::smooConfigured(ConstByteSpan data) {
    auto entries = smoo::decodeConfigExports(data);
    if (!entries) {
        // A smoo host cannot be told. Its STATUS goes on saying that no export is active.
        log::error("the host's export list is refused: {}", entries.error().message());
        return;
    }
    smooConfig_ = std::move(*entries);
    smooPolled_ = false;
    engine_.endSession({"the host configures anew", {}, 0, {}});
}

void GadgetInitiatorSession::trySmooBegin() {
    if (!smooConfig_ || !smooPolled_ || busy() || !function_->isEnabled())
        return;
    // Bytes that the old session's host never fetched must not reach this one's.
    if (auto reset = function_->resetEndpoints(); !reset)
        log::warning("{}", reset.error().message());
    auto link = makeLink();
    if (!link) {
        log::error("{}", link.error().message());
        return;
    }
    const auto infos = infosOf(*smooConfig_);
    smooConfig_.reset();
    smooExports_ = static_cast<std::uint32_t>(infos.size());
    const Epoch epoch(randomNonZero64());
    std::map<ExportId, std::uint32_t> blockSizes;
    for (const auto& info : infos)
        blockSizes.emplace(info.id, info.blockSize);
    log::notice("lend: session with a smoo host, {} exports", infos.size());
    engine_.sessionOpened(std::move(*link),
                          std::make_unique<SmooDialect>(
                              epoch, std::move(blockSizes),
                              [this](std::uint32_t low) { return engine_.sequenceByLowBits(low); }),
                          epoch, kSmooMaxOutstanding, 0);
    perExport_ = false;
    engine_.exportsListed({infos, 0});
    exports_.exportsOffered(infos, {.fua = false, .maxTransfer = smoo::kDefaultMaxIoBytes});
    listen();
}

}  // namespace belay::engine
