#include "tests/sim/initiator_end.h"

#include "core/wire/native.h"
#include "tests/sim/wire_text.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace belay::sim {
namespace {

constexpr DeviceId kDevice{0};
constexpr Micros kAnswerGrace = 1'000'000;
// No kernel asks for so many requests in a microsecond, so a later process begins above them all.
constexpr std::uint64_t kSequencesPerMicro = 1000;

// Blocks as the write log keeps them: each begins with its value.
std::vector<std::byte> bytesOf(const Blocks& blocks) {
    std::vector<std::byte> bytes(blocks.size() * kBlockBytes);
    for (std::size_t i = 0; i < blocks.size(); ++i)
        storeLe<std::uint32_t>(bytes, i * kBlockBytes, blocks[i]);
    return bytes;
}

Blocks blocksOf(ConstByteSpan bytes) {
    Blocks blocks;
    for (std::size_t i = 0; i < bytes.size(); i += kBlockBytes)
        blocks.push_back(loadLe<std::uint32_t>(bytes, i));
    return blocks;
}

}  // namespace

InitiatorEnd::InitiatorEnd(Context& context, Kernel& kernel, InitiatorListener& listener,
                           const wire::ExportInfo& known, bool recovers, ByteSpan log)
    : context_(context),
      kernel_(kernel),
      listener_(listener),
      initiator_(Sequence((context.time.now() + 1) * kSequencesPerMicro)) {
    const bool unsavedUnknown = recovers && !context.planted(Plant::UnsavedForgotten);
    if (context.planted(Plant::LogNotKept))
        std::ranges::fill(log, std::byte{0});
    if (!log.empty())
        log_.emplace(log, known.uuid, known.verifier,
                     unsavedUnknown && !context.planted(Plant::LogNotKept));
    initiator_.addDevice(kDevice, context.settings.depth, known, unsavedUnknown,
                         log_ ? &*log_ : nullptr);
    transfers_.resize(initiator_.ledger().capacity());
}

InitiatorEnd::~InitiatorEnd() {
    if (cable_)
        cable_->abandon(Side::Initiator);
}

void InitiatorEnd::endSession() {
    if (!cable_ || ending_)
        return;
    ending_ = true;
    cable_->shutDown(Side::Initiator);
}

void InitiatorEnd::doubt(const Error& reason) {
    context_.note("initiator ends the session: {}", reason.message());
    endSession();
}

void InitiatorEnd::begin(Epoch epoch, std::shared_ptr<Cable> cable,
                         const wire::ExportInfo& offered) {
    context_.note("initiator: session {}", epoch.value);
    cable_ = std::move(cable);
    ending_ = false;
    initiator_.sessionOpened(epoch, context_.settings.maxOutstanding);
    cable_->start(Side::Initiator, *this);
    offered_ = offered;
    offer();
}

void InitiatorEnd::offer() {
    const wire::ExportInfo& known = initiator_.known(kDevice);
    if (context_.planted(Plant::VerifierIgnored))
        offered_.verifier = known.verifier;
    if (context_.planted(Plant::AnyDisk))
        offered_.generation = known.generation;
    const auto verdict = initiator_.exportOffered(kDevice, offered_);
    if (verdict == session::Resume::Same) {
        schedulePump();
        tellSame();
        return;
    }
    context_.note("initiator: {}", verdict == session::Resume::DifferentDisk
                                       ? "different disk"
                                       : "data may be missing");
    listener_.offered(verdict, offered_);
}

// With the verifier to remember: as long as the log is sent again, the old one.
void InitiatorEnd::tellSame() {
    if (initiator_.isReplaying(kDevice))
        context_.note("initiator: {} changes are sent again", log_->pieces().size());
    listener_.offered(session::Resume::Same, initiator_.known(kDevice));
}

bool InitiatorEnd::isReplaying() const {
    return initiator_.isReplaying(kDevice);
}

void InitiatorEnd::acceptLoss() {
    initiator_.forgiveMissingData(kDevice);
    if (cable_ && !ending_)
        offer();
}

void InitiatorEnd::requestArrived(Tag tag) {
    const Kernel::Request& request = kernel_.request(tag);
    session::Entry entry;
    entry.device = kDevice;
    entry.tag = tag;
    entry.op = request.op;
    entry.flags = request.flags;
    entry.offset = std::uint64_t{request.first} * kBlockBytes;
    entry.length = request.count * kBlockBytes;
    if (failing_ || !initiator_.submit(entry))
        complete({{}, kDevice, tag, -EIO}, {}, true);
    else
        schedulePump();
}

void InitiatorEnd::failDevice() {
    failing_ = true;
    failParked();
    context_.time.after(kAnswerGrace, life_, [this] {
        if (failing_ && initiator_.underWay(kDevice) > 0)
            doubt({"no answer while the device is being stopped", {}, 0, {}});
    });
}

void InitiatorEnd::failParked() {
    for (const auto& completion : initiator_.failParked(kDevice, EIO))
        complete(completion, {}, true);
}

void InitiatorEnd::schedulePump() {
    if (!std::exchange(pumpScheduled_, true))
        context_.time.after(1 + context_.random.below(20), life_, [this] { pump(); });
}

void InitiatorEnd::pump() {
    pumpScheduled_ = false;
    if (!cable_ || ending_)
        return;
    while (const session::Entry* next = initiator_.nextToSend())
        send(*next);
    if (messages_.empty())
        return;
    cable_->sendMessages(Side::Initiator, messages_);
    messages_.clear();
    for (const Sequence sequence : payloads_)
        cable_->sendPayload(Side::Initiator, payloadOf(*initiator_.ledger().find(sequence)),
                            sequence.value);
    payloads_.clear();
}

Blocks InitiatorEnd::payloadOf(const session::Entry& entry) const {
    if (entry.origin == session::Origin::Kernel)
        return kernel_.payloadOf(entry.tag);
    std::vector<std::byte> bytes(entry.length);
    initiator_.copyLogged(entry, bytes);
    return blocksOf(bytes);
}

void InitiatorEnd::send(const session::Entry& entry) {
    wire::Request request = initiator_.markSent(entry);
    transferOf(request.sequence) = {};
    if (wire::carriesPayload(request.op)) {
        payloads_.push_back(request.sequence);
        transferOf(request.sequence).sending = true;
        if (context_.settings.payloadCrc)
            request.payloadCrc = checksum(payloadOf(entry));
    }
    if (request.op == wire::Op::Flush && log_ && context_.planted(Plant::LogTrimmedEarly))
        log_->flushed(log_->mark());
    if (entry.origin == session::Origin::Kernel)
        context_.note("initiator sends tag {} as {}", entry.tag.value, textOf(request));
    else
        context_.note("initiator sends of its own {}", textOf(request));
    messages_.resize(messages_.size() + wire::NativeLayout::kBytes);
    wire::encode(request, ByteSpan(messages_).last<wire::NativeLayout::kBytes>());
}

void InitiatorEnd::messagesReceived(ConstByteSpan transfer) {
    constexpr std::size_t kBytes = wire::NativeLayout::kBytes;
    if (ending_)
        return;
    if (transfer.size() % kBytes != 0) {
        doubt({"message transfer of odd length", {}, 0, {}});
        return;
    }
    for (; !transfer.empty() && !ending_; transfer = transfer.subspan(kBytes)) {
        const auto decoded = wire::decodeResponse(transfer.first(kBytes));
        if (!decoded) {
            doubt(decoded.error());
            return;
        }
        Transfer& own = transferOf(decoded->sequence);
        if (own.sending && !own.held)
            own.held = *decoded;
        else
            response(*decoded);
    }
}

void InitiatorEnd::response(wire::Response response) {
    if (context_.planted(Plant::StaleResponses))
        response.epoch = initiator_.epoch();
    if (context_.planted(Plant::VerifierIgnored))
        response.verifier = initiator_.known(kDevice).verifier;
    std::vector<std::byte> sent;
    if (const auto* entry = initiator_.ledger().find(response.sequence);
        log_ && entry != nullptr && entry->origin == session::Origin::Kernel &&
        entry->op == wire::Op::Write)
        sent = bytesOf(kernel_.payloadOf(entry->tag));
    const auto answer = initiator_.responseReceived(response, sent);
    if (!answer) {
        doubt(answer.error());
        return;
    }
    if (answer->payloadLength > 0) {
        cable_->receivePayload(Side::Initiator, answer->payloadLength / kBlockBytes,
                               answer->sequence.value);
        return;
    }
    if (log_ && context_.planted(Plant::StableTooLate))
        log_->stableUpTo(response.stableUpTo);
    if (answer->completion)
        complete(*answer->completion);
    if (answer->endsSession) {
        if (log_ && context_.planted(Plant::LogDropped))
            log_->restart(response.verifier);
        doubt({"the target could not store bytes", {}, 0, {}});
    }
    if (answer->replayEnd && answer->replayEnd->saved)
        tellSame();
    else if (answer->replayEnd)
        listener_.offered(session::Resume::DataMayBeMissing, offered_);
    schedulePump();
}

void InitiatorEnd::payloadSent(std::uint64_t cookie) {
    Transfer& transfer = transferOf(Sequence(cookie));
    transfer.sending = false;
    if (const auto held = std::exchange(transfer.held, std::nullopt); held && !ending_)
        response(*held);
}

void InitiatorEnd::payloadReceived(std::uint64_t cookie, const Blocks& payload) {
    if (ending_)
        return;
    const Sequence sequence(cookie);
    if (context_.settings.payloadCrc && checksum(payload) != initiator_.promisedCrc(sequence)) {
        doubt({"payload with a wrong checksum", {}, 0, {}});
        return;
    }
    const auto completion = initiator_.payloadReceived(sequence);
    if (!completion) {
        doubt(completion.error());
        return;
    }
    complete(*completion, payload);
    schedulePump();
}

void InitiatorEnd::complete(const session::Completion& completion, const Blocks& data,
                            bool byPolicy) {
    kernel_.complete(completion.tag, completion.result, data, byPolicy);
}

void InitiatorEnd::linkDown() {
    context_.note("initiator: session over, {} held", initiator_.ledger().size());
    cable_.reset();
    plantAtLoss();
    initiator_.sessionClosed();
    messages_.clear();
    payloads_.clear();
    transfers_.assign(transfers_.size(), {});
    if (failing_)
        failParked();
    listener_.sessionOver();
}

void InitiatorEnd::plantAtLoss() {
    const bool completes = context_.planted(Plant::CompletedOnLoss);
    if (!completes && !context_.planted(Plant::ForgottenOnLoss))
        return;
    for (const session::Entry* entry : initiator_.ledger().inOrder()) {
        if (entry->state == session::EntryState::Parked || entry->op == wire::Op::Read ||
            entry->origin != session::Origin::Kernel)
            continue;
        const int result = entry->op == wire::Op::Write ? static_cast<int>(entry->length) : 0;
        auto completion = *initiator_.fail(entry->sequence, EIO);
        completion.result = result;
        if (completes)
            complete(completion);
    }
}

}  // namespace belay::sim
