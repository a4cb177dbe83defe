#include "core/engine/host_target_session.h"

#include "core/base/log.h"
#include "core/engine/native_dialect.h"
#include "core/engine/smoo_dialect.h"

#include <algorithm>
#include <span>

namespace belay::engine {
namespace {

using namespace std::chrono_literals;
namespace smoo = wire::smoo;

constexpr auto kSmooHeartbeat = 1s;
// Less than the 3 s after which a smoo gadget takes the link for lost: who starts over later than
// the gadget could mix up two of its sessions.
constexpr auto kSmooPatience = 2500ms;
// A smoo gadget may be told to have any number of requests in flight; ours is only to bound memory.
constexpr std::uint32_t kSmooMaxOutstanding = 1024;
// How often STATUS is asked for after a reset, and how far apart: past the first back-off of a smoo
// gadget, one second, and once more.
constexpr unsigned kSmooSettlePolls = 7;
constexpr auto kSmooSettlePause = 200ms;

// As many as it can take.
std::vector<smoo::ExportEntry> entriesOf(const std::vector<wire::ExportInfo>& exports) {
    std::vector<smoo::ExportEntry> entries;
    const std::size_t count = std::min(exports.size(), smoo::kMaxExports);
    for (const wire::ExportInfo& info : std::span(exports).first(count))
        entries.push_back({info.id, info.blockSize, info.sizeBytes});
    return entries;
}

}  // namespace

HostTargetSession::HostTargetSession(std::shared_ptr<usb::Device> device,
                                     const usb::Interface& interface, const HostTerms& terms,
                                     TargetEngine& engine)
    : HostSession(std::move(device), interface, terms), engine_(engine) {
    engine_.setSessionOwner(this);
}

HostTargetSession::~HostTargetSession() {
    engine_.clearSessionOwner(this);
}

void HostTargetSession::begin(const wire::Open& terms, std::unique_ptr<wire::Link> link,
                              const wire::ExportList&) {
    log::notice("lend: session {:016x} opened", terms.epoch.value);
    smoo_ = false;
    const bool checked = (terms.features & wire::kFeaturePayloadCrc) != 0;
    engine_.sessionOpened(std::move(link), std::make_unique<NativeDialect>(checked), terms.epoch,
                          terms.maxTransfer, perExport());
    telling_ = false;
    // Since the list was sent.
    if (engine_.changes() != listedAt_)
        exportsChanged();
}

std::optional<wire::ExportList> HostTargetSession::exportsToSend(const wire::Open& terms) {
    listedAt_ = engine_.changes();
    engine_.prepareSession(device_->arena()->available(), terms.maxOutstanding);
    return engine_.list(perExport());
}

void HostTargetSession::exportsChanged() {
    if (smoo_ || !perExport())
        renew();
    else if (!std::exchange(telling_, true))
        tellChanges();
}

void HostTargetSession::tellChanges() {
    listedAt_ = engine_.changes();
    sendExports(engine_.list(true), [this](const Result<void>& sent) {
        telling_ = false;
        if (!sent)
            endSession(sent.error());
        else if (engine_.hasSession() && engine_.changes() != listedAt_)
            exportsChanged();
        else
            tellStanding();
    });
}

bool HostTargetSession::helloUnknown() {
    askIn(smoo::kIdent.requestType, smoo::kIdent.request, 0, smoo::IdentLayout::kBytes,
          [this](auto reply) { smooIdentified(reply); });
    return true;
}

void HostTargetSession::smooIdentified(const Result<Bytes>& reply) {
    const auto ident = reply.and_then([](const Bytes& bytes) { return smoo::decodeIdent(bytes); });
    if (!ident) {
        failed(ident.error());
        return;
    }
    smooSettle(1);
}

void HostTargetSession::smooSettle(unsigned polls) {
    askIn(
        smoo::kStatus.requestType, smoo::kStatus.request, 0, smoo::StatusLayout::kBytes,
        [this, polls](const Result<Bytes>& reply) {
            const auto status =
                reply.and_then([](const Bytes& bytes) { return smoo::decodeStatus(bytes); });
            if (!status)
                failed(status.error());
            else if (engine_.drained() && (polls >= kSmooSettlePolls || smooStartsNothing(*status)))
                smooConfigure();
            else
                later(kSmooSettlePause, [this, polls] { smooSettle(polls + 1); });
        });
}

// True when the gadget has live devices of all that we offer: it is the process that the last
// session was with, that session offered the same, and all of it is active.
bool HostTargetSession::smooStartsNothing(const smoo::Status& status) const {
    return smooSessionId_ == status.sessionId && status.exportCount == smooExports_.size() &&
           smooExports_ == entriesOf(engine_.exports());
}

void HostTargetSession::smooConfigure() {
    smooExports_ = entriesOf(engine_.exports());
    const auto config = smoo::encodeConfigExports(smooExports_);
    if (!config) {
        failed(config.error());
        return;
    }
    askOut(smoo::kConfigExports.requestType, smoo::kConfigExports.request, 0, *config,
           [this](auto sent) { smooConfigured(sent); });
}

void HostTargetSession::smooConfigured(const Result<Bytes>& reply) {
    if (!reply) {
        failed(reply.error());
        return;
    }
    smooSessionId_.reset();
    const Epoch epoch(randomNonZero64());
    std::map<ExportId, std::uint32_t> blockSizes;
    for (const wire::ExportInfo& info : engine_.exports())
        blockSizes.emplace(info.id, info.blockSize);
    log::notice("lend: session with a smoo gadget");
    if (blockSizes.size() > smooExports_.size())
        log::warning("a smoo gadget takes {} files and disks: {} more are left out",
                     smooExports_.size(), blockSizes.size() - smooExports_.size());
    smoo_ = true;
    smooSeen_ = smooPolled_ = Clock::now();
    smooSigns_ = 0;
    const auto writes =
        terms_.smooWriteBack ? SmooDialect::Writes::WriteBack : SmooDialect::Writes::Durable;
    engine_.prepareSession(device_->arena()->available(), kSmooMaxOutstanding);
    engine_.sessionOpened(makeLink(),
                          std::make_unique<SmooDialect>(epoch, std::move(blockSizes), writes),
                          epoch, smoo::kMostIoBytes, false);
    running();
    smooPoll();
    smooWatch();
}

void HostTargetSession::smooPoll() {
    // An answer of ours that went out since the last poll, at the earliest right after it.
    if (engine_.sent() != std::exchange(smooSigns_, engine_.sent()))
        smooSeen_ = std::max(smooSeen_, smooPolled_);
    smooPolled_ = Clock::now();
    askIn(smoo::kStatus.requestType, smoo::kStatus.request, 0, smoo::StatusLayout::kBytes,
          [this](auto reply) { smooStatus(reply); });
}

void HostTargetSession::smooStatus(const Result<Bytes>& reply) {
    const auto status =
        reply.and_then([](const Bytes& bytes) { return smoo::decodeStatus(bytes); });
    if (status) {
        smooSeen_ = Clock::now();
        if (smooSessionId_ && *smooSessionId_ != status->sessionId) {
            endSession({"the gadget has started over", {}, 0, {}});
            return;
        }
        smooSessionId_ = status->sessionId;
    }
    later(kSmooHeartbeat, [this] { smooPoll(); });
}

// Apart from the polls, whose rhythm would make it notice a second too late.
void HostTargetSession::smooWatch() {
    const Duration silence = Clock::now() - smooSeen_;
    if (silence >= kSmooPatience)
        endSession({"the gadget does not answer", {}, ETIMEDOUT, {}});
    else
        later(kSmooPatience - silence, [this] { smooWatch(); });
}

}  // namespace belay::engine
