#include "core/engine/initiator_engine.h"

#include "core/base/crc32c.h"
#include "core/base/log.h"
#include "core/base/stop_point.h"
#include "core/engine/batch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace belay::engine {
namespace {

constexpr std::size_t kBounceBytes = 128 << 10;
// How long an answer may take when its device is being failed.
constexpr auto kAnswerGrace = std::chrono::seconds(1);
// How soon it is looked again whether there is transfer memory, which the session has room for.
constexpr auto kMemoryRetry = std::chrono::milliseconds(5);

// Nanoseconds since 1970: above every sequence of an earlier process of this machine's life, as
// no device completes a thousand million requests a second.
Sequence firstSequence() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return Sequence(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()));
}

std::uint32_t wholePages(std::uint32_t bytes) {
    constexpr std::uint32_t kPage = Arena::kPageBytes;
    return (bytes + kPage - 1) / kPage * kPage;
}

wire::Op opOf(ublk::Request::Op op) {
    switch (op) {
        case ublk::Request::Op::Read:
            return wire::Op::Read;
        case ublk::Request::Op::Write:
            return wire::Op::Write;
        case ublk::Request::Op::Flush:
            return wire::Op::Flush;
        case ublk::Request::Op::Discard:
            return wire::Op::Discard;
        case ublk::Request::Op::WriteZeroes:
            break;
    }
    return wire::Op::WriteZeroes;
}

}  // namespace

// One device's queue, as the engine sees it.
class InitiatorEngine::DeviceIo final : public ublk::QueueListener {
 public:
    DeviceIo(InitiatorEngine& e, DeviceId d) : engine(e), id(d), queue(e.ring_, *this) {}

    void requestArrived(Tag tag) override { engine.requestArrived(*this, tag); }
    void queueGone(const Error& reason) override { engine.listener_.deviceStopped(id, reason); }

    InitiatorEngine& engine;
    const DeviceId id;
    ublk::Queue queue;
    bool failing = false;
    DeviceCounters counters;
};

InitiatorEngine::InitiatorEngine(Ring& ring, DeviceListener& listener)
    : ring_(ring),
      listener_(listener),
      initiator_(firstSequence()),
      transfers_(initiator_.ledger().capacity()),
      pump_(ring, [this] { pump(); }) {}

InitiatorEngine::~InitiatorEngine() {
    if (memoryRetry_)
        ring_.cancel(*memoryRetry_);
}

ublk::Queue& InitiatorEngine::addDevice(DeviceId device, std::size_t depth,
                                        const wire::ExportInfo& known, bool unsavedUnknown,
                                        session::WriteLog* log) {
    initiator_.addDevice(device, depth, known, unsavedUnknown, log);
    growTransfers();
    auto& io = devices_[device];
    io = std::make_unique<DeviceIo>(*this, device);
    return io->queue;
}

// Each request's transfer is at its slot in the ledger.
void InitiatorEngine::growTransfers() {
    session::Ledger& ledger = initiator_.ledger();
    if (ledger.capacity() == transfers_.size())
        return;
    std::vector<Transfer> larger(ledger.capacity());
    for (const session::Entry* entry : ledger.inOrder())
        larger[entry->sequence.value % larger.size()] = std::move(transferOf(entry->sequence));
    transfers_ = std::move(larger);
}

void InitiatorEngine::removeDevice(DeviceId device) {
    initiator_.removeDevice(device);
    // The queue may be the one that is calling just now.
    if (auto node = devices_.extract(device))
        ring_.destroyLater(std::move(node.mapped()));
}

void InitiatorEngine::failDevice(DeviceId device) {
    devices_.at(device)->failing = true;
    for (const auto& completion : initiator_.failParked(device, EIO))
        complete(completion);
    if (initiator_.underWay(device) == 0)
        return;
    ring_.callAfter(kAnswerGrace, [this, device] {
        const auto found = devices_.find(device);
        if (found != devices_.end() && found->second->failing && initiator_.underWay(device) > 0)
            abandonDevice(device);
    });
}

void InitiatorEngine::abandonDevice(DeviceId device) {
    const auto completions = initiator_.abandon(device, EIO);
    growTransfers();
    for (const auto& completion : completions)
        complete(completion);
    pump_.ask();
}

void InitiatorEngine::resumeDevice(DeviceId device) {
    devices_.at(device)->failing = false;
}

bool InitiatorEngine::isFailing(DeviceId device) const {
    return devices_.at(device)->failing;
}

DeviceCounters InitiatorEngine::counters(DeviceId device) {
    DeviceCounters counters = devices_.at(device)->counters;
    counters.unsavedBytes = initiator_.unsavedBytes(device);
    for (const session::Entry* entry : initiator_.inOrder(device)) {
        if (entry->rest)
            continue;
        ++counters.inFlight;
        if (entry->state == session::EntryState::Parked)
            ++counters.parked;
        if (!counters.oldest)
            counters.oldest = entry->arrived;
    }
    return counters;
}

std::vector<session::Entry> InitiatorEngine::inFlight(DeviceId device) {
    std::vector<session::Entry> list;
    for (const session::Entry* entry : initiator_.inOrder(device))
        if (!entry->rest)
            list.push_back(*entry);
    return list;
}

void InitiatorEngine::sessionOpened(std::unique_ptr<wire::Link> link,
                                    std::unique_ptr<Dialect> dialect, Epoch epoch,
                                    std::uint32_t maxOutstanding, std::uint32_t memory) {
    link_ = std::move(link);
    dialect_ = std::move(dialect);
    ending_ = false;
    arena_ = link_->arena();
    const std::uint64_t own = arena_->available();
    initiator_.sessionOpened(
        epoch,
        {maxOutstanding, memory == 0 ? own : std::min<std::uint64_t>(memory, own), memory != 0});
    framing_ = dialect_->framing(link_->messagePacketBytes());
    link_->start(framing_, *this);
}

// A part is of the target's memory; of ours, which may be less, it is as much in proportion.
void InitiatorEngine::exportsListed(const wire::ExportList& list) {
    std::vector<wire::ExportInfo> exports = list.exports;
    const std::uint64_t ours = initiator_.memory();
    for (wire::ExportInfo& info : exports)
        if (list.memory > ours) {
            const std::uint64_t part = (info.guaranteed * ours + list.memory - 1) / list.memory;
            info.guaranteed =
                std::max(static_cast<std::uint32_t>(part), wholePages(info.blockSize));
        }
    if (!initiator_.exportsListed(exports))
        endSession({"more is shared than there was memory for", {}, 0, {}});
}

session::Resume InitiatorEngine::exportOffered(DeviceId device, const wire::ExportInfo& offered) {
    const auto resume = initiator_.exportOffered(device, offered);
    if (resume == session::Resume::Same)
        pump_.ask();
    stopPoint("before-replay");
    return resume;
}

// A read past the end is refused without a look at the store: one that hangs is its own trouble,
// and not that of the session.
void InitiatorEngine::probe(DeviceId device) {
    if (!hasSession())
        return;
    initiator_.probe(device,
                     dialect_->refusesOutOfRange() ? initiator_.known(device).sizeBytes : 0);
    pump_.ask();
}

void InitiatorEngine::endSession(Error reason) {
    if (!link_ || ending_)
        return;
    ending_ = true;
    link_->shutDown(std::move(reason));
}

std::optional<Sequence> InitiatorEngine::sequenceByLowBits(std::uint32_t low) {
    const session::Entry* entry = initiator_.ledger().findByLowBits(low);
    if (entry == nullptr)
        return std::nullopt;
    return entry->sequence;
}

void InitiatorEngine::requestArrived(DeviceIo& device, Tag tag) {
    const auto request = device.queue.request(tag);
    if (!request) {
        device.queue.commit(tag, -EOPNOTSUPP);
        return;
    }
    // Needs no session, so that a device with nothing to lose can be stopped without one.
    if (request->op == ublk::Request::Op::Flush && initiator_.nothingUnsaved(device.id)) {
        device.queue.commit(tag, 0);
        return;
    }
    session::Entry entry;
    entry.device = device.id;
    entry.tag = tag;
    entry.op = opOf(request->op);
    entry.flags = static_cast<std::uint16_t>((request->fua ? wire::kFlagFua : 0) |
                                             (request->noUnmap ? wire::kFlagNoUnmap : 0));
    entry.offset = request->op == ublk::Request::Op::Flush ? 0 : request->offset;
    entry.length = static_cast<std::uint32_t>(request->length);
    entry.arrived = Clock::now();
    if (device.failing || !initiator_.submit(entry))
        device.queue.commit(tag, -EIO);
    else
        pump_.ask();
}

// Sends whatever may be sent. Runs at the end of a turn, so that requests that came together go
// out in one transfer.
void InitiatorEngine::pump() {
    if (!hasSession())
        return;
    std::size_t gathered = 0;
    while (const session::Entry* next = initiator_.nextToSend()) {
        Buffer buffer;
        if (!prepare(*next, buffer)) {
            tryAgainSoon();
            break;
        }
        if (wire::carriesPayload(next->op)) {
            if (next->origin == session::Origin::Replay) {
                initiator_.copyLogged(*next, buffer.bytes());
            } else if (!copyOut(*next, buffer.bytes())) {
                if (const auto failed = initiator_.fail(next->sequence, EIO))
                    complete(*failed);
                continue;
            }
        }
        wire::Request request = initiator_.markSent(*next);
        if (wire::carriesPayload(request.op)) {
            payloads_.push_back(request.sequence);
            if (dialect_->checksPayloads())
                request.payloadCrc = crc32c(buffer.bytes());
        }
        Transfer& transfer = transferOf(request.sequence);
        transfer.buffer = std::move(buffer);
        transfer.sending = wire::carriesPayload(request.op);
        if ((request.flags & wire::kFlagReplay) != 0)
            stopPoint("replaying", [this] { link_->sendMessages(messages_); });
        messages_.resize(messages_.size() + framing_.messageBytes);
        if (auto encoded =
                dialect_->encode(request, ByteSpan(messages_).last(framing_.messageBytes));
            !encoded) {
            endSession(encoded.error());
            return;
        }
        if (transfer.sending)
            gathered += request.length;
        if (gathered >= kBatchBytes) {
            gathered = 0;
            sendGathered();
            link_->submit();
        }
    }
    sendGathered();
    tellShortLogs();
}

void InitiatorEngine::tellShortLogs() {
    for (const auto& [id, device] : devices_)
        if (initiator_.logIsShort(id))
            listener_.logIsShort(id);
}

void InitiatorEngine::logHasGrown(DeviceId device) {
    initiator_.logHasGrown(device);
    pump_.ask();
}

void InitiatorEngine::sendGathered() {
    if (!messages_.empty())
        link_->sendMessages(messages_);
    messages_.clear();
    for (const Sequence sequence : payloads_)
        link_->sendPayload(transferOf(sequence).buffer.bytes(), sequence.value);
    payloads_.clear();
}

void InitiatorEngine::tryAgainSoon() {
    if (memoryRetry_)
        return;
    memoryRetry_ = ring_.callAfter(kMemoryRetry, [this] {
        memoryRetry_.reset();
        pump_.ask();
    });
}

// Reserves the request's transfer memory; false when there is none now.
bool InitiatorEngine::prepare(const session::Entry& entry, Buffer& buffer) {
    if (!wire::carriesPayload(entry.op) && !wire::returnsPayload(entry.op))
        return true;
    auto taken = arena_->takeAnywhere(entry.length);
    if (!taken)
        return false;
    buffer = std::move(*taken);
    return true;
}

// A kernel that cannot pin the link's own memory (before 6.19 iov_iter_get_pages refuses VM_IO and
// VM_PFNMAP) says so by copying nothing. From then on every copy goes through ordinary memory, in
// pieces that stay in the cache; the transfers keep the link's memory, which costs less than
// having usbfs allocate and copy for each of them.
template <class CopyPiece>
bool InitiatorEngine::copy(const session::Entry& entry, ByteSpan bytes, const char* verb,
                           CopyPiece copyPiece) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const std::size_t most = bounce_.empty() ? bytes.size() : bounce_.size();
        const ByteSpan piece = bytes.subspan(done, std::min(most, bytes.size() - done));
        const std::int64_t copied = copyPiece(piece, static_cast<std::uint32_t>(done));
        if (copied == 0 && bounce_.empty()) {
            bounce_.resize(kBounceBytes);
        } else if (copied != static_cast<std::int64_t>(piece.size())) {
            log::error("ublkb{}: the kernel {} {} of {} bytes", entry.device.value, verb, copied,
                       piece.size());
            return false;
        } else {
            done += piece.size();
        }
    }
    return true;
}

// Copies a write's bytes out of the kernel's request.
bool InitiatorEngine::copyOut(const session::Entry& entry, ByteSpan bytes) {
    const ublk::Queue& queue = devices_.at(entry.device)->queue;
    return copy(entry, bytes, "gave", [&](ByteSpan piece, std::uint32_t offset) {
        if (bounce_.empty())
            return queue.copyFromRequest(entry.tag, piece, entry.inRequest + offset);
        const auto copied = queue.copyFromRequest(entry.tag, ByteSpan(bounce_).first(piece.size()),
                                                  entry.inRequest + offset);
        std::memcpy(piece.data(), bounce_.data(), piece.size());
        return copied;
    });
}

// Copies a read's bytes into the kernel's request.
bool InitiatorEngine::copyIn(const session::Entry& entry, ByteSpan bytes) {
    const ublk::Queue& queue = devices_.at(entry.device)->queue;
    return copy(entry, bytes, "took", [&](ByteSpan piece, std::uint32_t offset) {
        if (bounce_.empty())
            return queue.copyToRequest(entry.tag, piece, entry.inRequest + offset);
        std::memcpy(bounce_.data(), piece.data(), piece.size());
        return queue.copyToRequest(entry.tag, ByteSpan(bounce_).first(piece.size()),
                                   entry.inRequest + offset);
    });
}

InitiatorEngine::Transfer& InitiatorEngine::transferOf(Sequence sequence) {
    return transfers_[sequence.value % transfers_.size()];
}

void InitiatorEngine::messagesReceived(ConstByteSpan transfer) {
    if (ending_)
        return;
    const std::size_t size = framing_.messageBytes;
    if (transfer.empty() || transfer.size() % size != 0) {
        if (!dialect_->ignoresOddTransfers())
            endSession({"message transfer of odd length", std::to_string(transfer.size()), 0, {}});
        return;
    }
    for (; !transfer.empty() && !ending_; transfer = transfer.subspan(size)) {
        const auto decoded = dialect_->decodeResponse(transfer.first(size));
        if (!decoded) {
            endSession(decoded.error());
            return;
        }
        Transfer& own = transferOf(decoded->sequence);
        if (own.sending && !own.held)
            own.held = *decoded;
        else
            response(*decoded);
    }
}

void InitiatorEngine::response(const wire::Response& response) {
    const auto answer =
        initiator_.responseReceived(response, transferOf(response.sequence).buffer.bytes());
    if (!answer) {
        endSession(answer.error());
        return;
    }
    ++answersReceived_;
    Transfer& transfer = transferOf(answer->sequence);
    if (answer->payloadLength > 0) {
        link_->receivePayload(transfer.buffer.bytes(), answer->sequence.value);
        return;
    }
    transfer.buffer = Buffer();
    if (answer->completion)
        complete(*answer->completion);
    if (answer->probed)
        listener_.probed(*answer->probed);
    if (answer->replayEnd)
        listener_.replayEnded(answer->replayEnd->device, answer->replayEnd->saved);
    if (answer->tookVerifier)
        listener_.verifierTaken(*answer->tookVerifier);
    if (answer->endsSession)
        endSession({"the target could not store bytes, and may have lost others", {}, 0, {}});
    pump_.ask();
}

void InitiatorEngine::payloadSent(std::uint64_t cookie) {
    Transfer& transfer = transferOf(Sequence(cookie));
    transfer.sending = false;
    if (!transfer.held)
        return;
    const wire::Response held = *transfer.held;
    transfer.held.reset();
    if (!ending_)
        response(held);
}

void InitiatorEngine::payloadReceived(std::uint64_t cookie) {
    if (ending_)
        return;
    const Sequence sequence(cookie);
    Transfer& transfer = transferOf(sequence);
    const session::Entry* entry = initiator_.ledger().find(sequence);
    if (entry == nullptr) {
        endSession({"payload nobody waits for", {}, 0, {}});
        return;
    }
    const ByteSpan bytes = transfer.buffer.bytes();
    if (dialect_->checksPayloads() && crc32c(bytes) != initiator_.promisedCrc(sequence)) {
        endSession({"payload with a wrong checksum", {}, 0, {}});
        return;
    }
    if (entry->origin != session::Origin::Kernel) {
        if (const auto device = initiator_.ownPayloadReceived(sequence))
            listener_.probed(*device);
    } else if (!copyIn(*entry, bytes)) {
        if (const auto failed = initiator_.fail(sequence, EIO))
            complete(*failed);
    } else if (auto completion = initiator_.payloadReceived(sequence); !completion) {
        endSession(completion.error());
        return;
    } else if (*completion) {
        complete(**completion);
    }
    transfer.buffer = Buffer();
    pump_.ask();
}

void InitiatorEngine::complete(const session::Completion& completion) {
    DeviceIo& device = *devices_.at(completion.device);
    if (completion.result > 0) {
        const bool read = device.queue.request(completion.tag)->op == ublk::Request::Op::Read;
        ++(read ? device.counters.readOps : device.counters.writeOps);
        (read ? device.counters.readBytes : device.counters.writtenBytes) +=
            static_cast<std::uint64_t>(completion.result);
    }
    device.queue.commit(completion.tag, completion.result);
    if (completion.result == 0 && initiator_.nothingUnsaved(completion.device))
        listener_.allSaved(completion.device);
}

void InitiatorEngine::linkDown(const Error& reason) {
    // This is the link's own last call, so it goes a little later.
    ring_.destroyLater(std::move(link_));
    initiator_.sessionClosed();
    messages_.clear();
    payloads_.clear();
    for (Transfer& transfer : transfers_)
        transfer = Transfer();
    for (auto& [id, device] : devices_)
        if (device->failing)
            for (const auto& completion : initiator_.failParked(id, EIO))
                complete(completion);
    if (owner_ != nullptr)
        owner_->sessionEnded(reason);
}

}  // namespace belay::engine
