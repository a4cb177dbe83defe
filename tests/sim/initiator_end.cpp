#include "tests/sim/initiator_end.h"

#include "core/wire/native.h"
#include "tests/sim/wire_text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace belay::sim {
namespace {

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

InitiatorEnd::InitiatorEnd(Context& context, InitiatorListener& listener,
                           const std::vector<DeviceRecord>& records, bool recovers)
    : context_(context),
      listener_(listener),
      initiator_(Sequence((context.time.now() + 1) * kSequencesPerMicro)) {
    const bool unsavedUnknown = recovers && !context.planted(Plant::UnsavedForgotten);
    for (const DeviceRecord& record : records) {
        const DeviceId id(static_cast<std::uint32_t>(devices_.size()));
        auto& device = *devices_.emplace_back(std::make_unique<Device>(Device{record.kernel}));
        device.read.resize(context.settings.depth);
        if (context.planted(Plant::LogNotKept))
            std::ranges::fill(record.log, std::byte{0});
        if (!record.log.empty())
            device.log.emplace(record.log, record.known.uuid, record.known.verifier,
                               unsavedUnknown && !context.planted(Plant::LogNotKept));
        if (device.log)
            device.log->useFirst(0);
        initiator_.addDevice(id, context.settings.depth, record.known, unsavedUnknown,
                             device.log ? &*device.log : nullptr);
    }
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
                         const std::vector<wire::ExportInfo>& offered) {
    context_.note("initiator: session {}", epoch.value);
    cable_ = std::move(cable);
    ending_ = false;
    const bool ignores = context_.planted(Plant::SharesIgnored);
    initiator_.sessionOpened(epoch,
                             {context_.settings.maxOutstanding,
                              ignores ? std::uint64_t{1} << 30 : context_.settings.memory, true});
    cable_->start(Side::Initiator, *this);
    exports_ = offered;
    initiator_.exportsListed(offered);
    for (std::uint32_t id = 0; id < devices_.size(); ++id)
        offer(DeviceId(id));
}

void InitiatorEnd::listed(const std::vector<wire::ExportInfo>& list) {
    if (!cable_ || ending_)
        return;
    exports_ = list;
    if (!initiator_.exportsListed(list)) {
        doubt({"no part for a new export", {}, 0, {}});
        return;
    }
    for (std::uint32_t id = 0; id < devices_.size(); ++id) {
        const DeviceId device(id);
        const bool goesOn = counterpartOf(device) != nullptr;
        if (isIn(device) && !goesOn) {
            context_.note("initiator: {} leaves", id);
            initiator_.exportLeft(device);
        } else if (!isIn(device) && goesOn && !of(device).failing) {
            context_.note("initiator: {} joins", id);
            offer(device);
        }
    }
}

bool InitiatorEnd::isIn(DeviceId device) const {
    return initiator_.isOpen(device) || initiator_.isReplaying(device);
}

// If it is ready.
const wire::ExportInfo* InitiatorEnd::counterpartOf(DeviceId device) const {
    for (const wire::ExportInfo& info : exports_)
        if (info.ready && info.uuid == initiator_.known(device).uuid)
            return &info;
    return nullptr;
}

void InitiatorEnd::offer(DeviceId device) {
    const wire::ExportInfo* counterpart = counterpartOf(device);
    if (counterpart == nullptr)
        return;
    wire::ExportInfo& offered = of(device).offered;
    offered = *counterpart;
    const wire::ExportInfo& known = initiator_.known(device);
    if (context_.planted(Plant::VerifierIgnored))
        offered.verifier = known.verifier;
    if (context_.planted(Plant::AnyDisk))
        offered.generation = known.generation;
    const auto verdict = initiator_.exportOffered(device, offered);
    if (verdict == session::Resume::Same) {
        schedulePump();
        tellSame(device);
        return;
    }
    context_.note(
        "initiator: {}: {}", device.value,
        verdict == session::Resume::DifferentDisk ? "different disk" : "data may be missing");
    listener_.offered(device, verdict, offered);
}

// With the verifier to remember: as long as the log is sent again, the old one.
void InitiatorEnd::tellSame(DeviceId device) {
    if (initiator_.isReplaying(device))
        context_.note("initiator: {} changes of {} are sent again",
                      of(device).log ? of(device).log->pieces().size() : 0, device.value);
    listener_.offered(device, session::Resume::Same, initiator_.known(device));
}

bool InitiatorEnd::isReplaying(DeviceId device) const {
    return initiator_.isReplaying(device);
}

void InitiatorEnd::acceptLoss(DeviceId device) {
    initiator_.forgiveMissingData(device);
    if (cable_ && !ending_)
        offer(device);
}

void InitiatorEnd::requestArrived(DeviceId device, Tag tag) {
    const Kernel::Request& request = of(device).kernel.request(tag);
    session::Entry entry;
    entry.device = device;
    entry.tag = tag;
    entry.op = request.op;
    entry.flags = request.flags;
    entry.offset = std::uint64_t{request.first} * kBlockBytes;
    entry.length = request.count * kBlockBytes;
    of(device).read[tag.value].assign(request.count, 0);
    if (of(device).failing || !initiator_.submit(entry))
        complete({{}, device, tag, -EIO}, {}, true);
    else
        schedulePump();
}

void InitiatorEnd::failDevice(DeviceId device) {
    of(device).failing = true;
    failParked(device);
    context_.time.after(kAnswerGrace, life_, [this, device] {
        if (!of(device).failing || initiator_.underWay(device) == 0)
            return;
        context_.note("initiator: {} is abandoned", device.value);
        const auto completions = initiator_.abandon(device, EIO);
        std::vector<Transfer> larger(initiator_.ledger().capacity());
        for (const session::Entry* entry : initiator_.ledger().inOrder())
            larger[entry->sequence.value % larger.size()] = std::move(transferOf(entry->sequence));
        transfers_ = std::move(larger);
        for (const auto& completion : completions)
            complete(completion, {}, true);
        schedulePump();
    });
}

void InitiatorEnd::resumeDevice(DeviceId device) {
    of(device).failing = false;
    if (cable_ && !ending_ && !isIn(device))
        offer(device);
}

void InitiatorEnd::failParked(DeviceId device) {
    for (const auto& completion : initiator_.failParked(device, EIO))
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
    growLogs();
    if (messages_.empty())
        return;
    cable_->sendMessages(Side::Initiator, messages_);
    messages_.clear();
    for (const Sequence sequence : payloads_)
        cable_->sendPayload(Side::Initiator, payloadOf(*initiator_.ledger().find(sequence)),
                            sequence.value);
    payloads_.clear();
}

// A log has no memory to begin with, and gets more soon, late, or next to never.
void InitiatorEnd::growLogs() {
    static constexpr std::array<Micros, 3> kDelays = {50, 5'000, 500'000};
    for (std::size_t i = 0; i < devices_.size(); ++i) {
        const DeviceId id(static_cast<std::uint32_t>(i));
        if (devices_[i]->growing || !initiator_.logIsShort(id))
            continue;
        const bool first = devices_[i]->log->usable() == 0;
        devices_[i]->growing = true;
        context_.time.after(first ? 50 : kDelays[growths_++ % kDelays.size()], life_, [this, id] {
            session::WriteLog& log = *of(id).log;
            of(id).growing = false;
            log.useFirst(log.wanted());
            initiator_.logHasGrown(id);
            schedulePump();
        });
    }
}

Blocks InitiatorEnd::payloadOf(const session::Entry& entry) const {
    if (entry.origin == session::Origin::Kernel) {
        const Blocks whole = devices_[entry.device.value]->kernel.payloadOf(entry.tag);
        const auto first = whole.begin() + entry.inRequest / kBlockBytes;
        return {first, first + entry.length / kBlockBytes};
    }
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
    if (auto& log = of(entry.device).log;
        request.op == wire::Op::Flush && log && context_.planted(Plant::LogTrimmedEarly))
        log->flushed(log->mark());
    if (entry.origin == session::Origin::Kernel)
        context_.note("initiator sends {}, tag {} as {}", entry.device.value, entry.tag.value,
                      textOf(request));
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
    const auto* entry = initiator_.ledger().find(response.sequence);
    Device* device = entry == nullptr ? nullptr : &of(entry->device);
    if (device != nullptr && context_.planted(Plant::VerifierIgnored))
        response.verifier = initiator_.known(entry->device).verifier;
    std::vector<std::byte> sent;
    if (device != nullptr && device->log && entry->origin == session::Origin::Kernel &&
        entry->op == wire::Op::Write)
        sent = bytesOf(payloadOf(*entry));
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
    if (device != nullptr && device->log && context_.planted(Plant::StableTooLate))
        device->log->stableUpTo(response.stableUpTo);
    if (answer->completion)
        complete(*answer->completion);
    if (answer->endsSession) {
        if (device->log && context_.planted(Plant::LogDropped))
            device->log->restart(response.verifier);
        doubt({"the target could not store bytes", {}, 0, {}});
    }
    if (answer->replayEnd && answer->replayEnd->saved)
        tellSame(answer->replayEnd->device);
    else if (answer->replayEnd)
        listener_.offered(answer->replayEnd->device, session::Resume::DataMayBeMissing,
                          of(answer->replayEnd->device).offered);
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
    const session::Entry entry = *initiator_.ledger().find(sequence);
    if (entry.origin != session::Origin::Kernel) {
        initiator_.ownPayloadReceived(sequence);
        schedulePump();
        return;
    }
    Blocks& read = of(entry.device).read[entry.tag.value];
    std::ranges::copy(payload, read.begin() + entry.inRequest / kBlockBytes);
    const auto completion = initiator_.payloadReceived(sequence);
    if (!completion) {
        doubt(completion.error());
        return;
    }
    if (*completion)
        complete(**completion, read);
    schedulePump();
}

void InitiatorEnd::complete(const session::Completion& completion, const Blocks& data,
                            bool byPolicy) {
    of(completion.device).kernel.complete(completion.tag, completion.result, data, byPolicy);
}

void InitiatorEnd::linkDown() {
    context_.note("initiator: session over, {} held", initiator_.ledger().size());
    cable_.reset();
    plantAtLoss();
    initiator_.sessionClosed();
    messages_.clear();
    payloads_.clear();
    transfers_.assign(transfers_.size(), {});
    for (std::uint32_t id = 0; id < devices_.size(); ++id)
        if (devices_[id]->failing)
            failParked(DeviceId(id));
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
        const auto& request = of(entry->device).kernel.request(entry->tag);
        const int result =
            entry->op == wire::Op::Write ? static_cast<int>(request.count * kBlockBytes) : 0;
        auto completion = initiator_.fail(entry->sequence, EIO);
        if (!completes || !completion)
            continue;
        completion->result = result;
        complete(*completion);
    }
}

}  // namespace belay::sim
