#include "core/engine/target_engine.h"

#include "core/base/crc32c.h"
#include "core/base/log.h"
#include "core/base/stop_point.h"
#include "core/engine/batch.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace belay::engine {
namespace {

// As much as transfer memory gives at once.
constexpr auto kPieceBytes = static_cast<std::uint32_t>(Arena::kChunkBytes);

// True for what is to be durable and what no store makes so without a flush.
bool needsFlush(const wire::Request& request) {
    return (request.flags & wire::kFlagFua) != 0 && wire::changesData(request.op) &&
           request.op != wire::Op::Write;
}

}  // namespace

TargetEngine::TargetEngine(Ring& ring) : ring_(ring), flush_(ring, [this] { flushAnswers(); }) {}

TargetEngine::~TargetEngine() = default;

void TargetEngine::addStore(ExportId id, const std::string& label,
                            std::unique_ptr<store::Store> store) {
    const store::Geometry& geometry = store->geometry();
    wire::ExportInfo info;
    info.id = id;
    info.blockSize = geometry.blockSize;
    info.sizeBytes = geometry.sizeBytes;
    info.readOnly = geometry.readOnly;
    info.canDiscard = geometry.canDiscard;
    info.canWriteZeroes = geometry.canWriteZeroes;
    info.uuid = geometry.uuid;
    info.generation = geometry.generation;
    info.label = label;
    target_.addExport(info);
    store->setListener(*this);
    stores_[id].id = id;
    stores_[id].store = std::move(store);
    changed();
}

void TargetEngine::retireStore(ExportId id) {
    stores_.at(id).retired = true;
    target_.removeExport(id);
    changed();
}

void TargetEngine::changed() {
    ++changes_;
    if (!link_ || ending_)
        return;
    // The next session shares the memory out anew.
    const std::size_t now = exports().size();
    if (perExport_ && now > sharers_ && list(true).exports.size() < now)
        endSession({"more is shared than there was memory for", {}, 0, {}});
    else if (owner_ != nullptr)
        owner_->exportsChanged();
}

bool TargetEngine::removeStore(ExportId id) {
    const Stored& stored = stores_.at(id);
    if (std::ranges::any_of(jobs_, [&](const Job& job) { return job.stored == &stored; }))
        return false;
    stores_.erase(id);
    return true;
}

StoreCounters TargetEngine::counters(ExportId id) const {
    const Stored& stored = stores_.at(id);
    StoreCounters counters = stored.done;
    counters.unsavedBytes = stored.volatileBytes - stored.savedBytes;
    for (const Job& job : jobs_) {
        if (job.stored != &stored || job.whole)
            continue;
        ++counters.inFlight;
        counters.oldest = std::min(counters.oldest.value_or(job.arrived), job.arrived);
    }
    return counters;
}

std::vector<TargetRequest> TargetEngine::inFlight(ExportId id) const {
    const Stored& stored = stores_.at(id);
    std::vector<TargetRequest> requests;
    for (const Job& job : jobs_)
        if (job.stored == &stored && !job.whole)
            requests.push_back({job.request, job.state == JobState::Sending, job.arrived});
    std::ranges::sort(requests, {}, &TargetRequest::arrived);
    return requests;
}

std::vector<wire::ExportInfo> TargetEngine::exports() const {
    std::vector<wire::ExportInfo> list;
    for (const auto& [id, stored] : stores_) {
        if (stored.retired)
            continue;
        list.push_back(*target_.findExport(id));
        list.back().verifier = stored.store->verifier();
    }
    return list;
}

std::uint32_t TargetEngine::partOf(const wire::ExportInfo& info) const {
    return session::Allotment::part(memory_, maxOutstanding_, sharers_, info.blockSize);
}

wire::ExportList TargetEngine::list(bool perExport) const {
    wire::ExportList list;
    if (perExport)
        list.memory = static_cast<std::uint32_t>(memory_);
    std::uint64_t guaranteed = 0;
    for (wire::ExportInfo& info : exports()) {
        if (perExport) {
            info.guaranteed = partOf(info);
            guaranteed += info.guaranteed;
            if (guaranteed > memory_)
                break;
        } else if (!std::exchange(info.ready, true)) {
            continue;
        }
        list.exports.push_back(std::move(info));
    }
    return list;
}

void TargetEngine::prepareSession(std::uint64_t memory, std::uint32_t maxOutstanding) {
    memory_ = session::Allotment(memory, maxOutstanding).memory();
    maxOutstanding_ = maxOutstanding;
    sharers_ = exports().size();
}

void TargetEngine::sessionOpened(std::unique_ptr<wire::Link> link, std::unique_ptr<Dialect> dialect,
                                 Epoch epoch, std::uint32_t maxTransfer, bool perExport) {
    link_ = std::move(link);
    dialect_ = std::move(dialect);
    arena_ = link_->arena();
    perExport_ = perExport;
    ending_ = false;
    received_ = sent_ = 0;
    target_.sessionOpened(epoch, {maxTransfer, maxOutstanding_, perExport ? memory_ : 0});
    rooms_ = session::Allotment(memory_, UINT32_MAX);
    for (const wire::ExportInfo& info : exports())
        rooms_.join(info.id, partOf(info));
    framing_ = dialect_->framing(link_->messagePacketBytes());
    link_->start(framing_, *this);
    stopPoint("before-replay");
}

void TargetEngine::endSession(Error reason) {
    if (!link_ || ending_)
        return;
    ending_ = true;
    link_->shutDown(std::move(reason));
}

void TargetEngine::messagesReceived(ConstByteSpan transfer) {
    if (ending_)
        return;
    const std::size_t size = framing_.messageBytes;
    if (transfer.empty() || transfer.size() % size != 0) {
        if (!dialect_->ignoresOddTransfers())
            endSession({"message transfer of odd length", std::to_string(transfer.size()), 0, {}});
        return;
    }
    for (; !transfer.empty() && !ending_; transfer = transfer.subspan(size))
        if (auto accepted = accept(transfer.first(size)); !accepted)
            endSession(accepted.error());
}

Result<void> TargetEngine::accept(ConstByteSpan message) {
    const auto request = dialect_->decodeRequest(message);
    if (!request)
        return tl::make_unexpected(request.error());
    const auto accepted = target_.requestReceived(*request);
    if (!accepted)
        return tl::make_unexpected(accepted.error());
    if ((request->flags & wire::kFlagReplay) != 0)
        stopPoint("replaying");
    ++received_;
    const std::size_t index = newJob();
    Job& job = jobs_[index];
    job.request = *request;
    job.refusal = accepted->error;
    const auto stored = stores_.find(request->exportId);
    job.stored = stored == stores_.end() ? nullptr : &stored->second;
    job.arrived = Clock::now();
    // Strictly in order: payloads arrive in the order of their requests.
    if (wire::carriesPayload(request->op) && request->length > kPieceBytes) {
        takeInPieces(index);
    } else {
        if (job.refusal == 0 && wire::returnsPayload(request->op))
            job.request.length = std::min(request->length, kPieceBytes);
        job.state = JobState::WaitingForMemory;
        waiting_.push_back(index);
    }
    feedWaiting();
    return {};
}

void TargetEngine::takeInPieces(std::size_t index) {
    jobs_[index].state = JobState::InPieces;
    const wire::Request whole = jobs_[index].request;
    for (std::uint32_t done = 0; done < whole.length;) {
        const std::size_t piece = newJob();  // moves the others
        Job& job = jobs_[piece];
        const Job& parent = jobs_[index];
        job.request = whole;
        job.request.offset += done;
        job.request.length = std::min(whole.length - done, kPieceBytes);
        job.refusal = parent.refusal;
        job.stored = parent.stored;
        job.arrived = parent.arrived;
        job.whole = index;
        job.state = JobState::WaitingForMemory;
        waiting_.push_back(piece);
        ++jobs_[index].piecesLeft;
        done += job.request.length;
    }
}

std::size_t TargetEngine::newJob() {
    if (freeJobs_.empty()) {
        jobs_.emplace_back();
        return jobs_.size() - 1;
    }
    const std::size_t index = freeJobs_.back();
    freeJobs_.pop_back();
    return index;
}

void TargetEngine::freeJob(std::size_t index) {
    Job& job = jobs_[index];
    if (job.placed) {
        rooms_.giveBack(job.request.exportId, job.request.length);
        --placed_;
    }
    job = Job();
    freeJobs_.push_back(index);
}

// In order for each export. Payloads come in one order for all of them.
void TargetEngine::feedWaiting() {
    bool payloadsWait = false;
    std::vector<const Stored*> waits;
    for (std::size_t i = 0; i < waiting_.size() && !ending_;) {
        const std::size_t index = waiting_[i];
        Job& job = jobs_[index];
        const bool receives = wire::carriesPayload(job.request.op);
        if ((receives && payloadsWait) || std::ranges::find(waits, job.stored) != waits.end() ||
            !place(job)) {
            payloadsWait = payloadsWait || receives;
            waits.push_back(job.stored);
            ++i;
            continue;
        }
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        begin(index);
    }
}

// Gives it its memory; false when there is none now.
bool TargetEngine::place(Job& job) {
    const bool needsMemory = wire::carriesPayload(job.request.op) ||
                             (wire::returnsPayload(job.request.op) && job.refusal == 0);
    if (!needsMemory)
        return true;
    const ExportId id = job.request.exportId;
    const bool first = placed_ == 0;  // of all; else a long one might never have room
    if (!perExport_ && !first && !rooms_.hasRoom(id, job.request.length))
        return false;
    auto buffer = arena_->takeAnywhere(job.request.length);
    if (!buffer)
        return false;
    job.buffer = std::move(*buffer);
    if (perExport_)
        return true;
    rooms_.take(id, job.request.length);
    job.placed = true;
    ++placed_;
    return true;
}

void TargetEngine::begin(std::size_t index) {
    Job& job = jobs_[index];
    if (wire::carriesPayload(job.request.op)) {
        job.state = JobState::Receiving;
        link_->receivePayload(job.buffer.bytes(), index);
    } else if (job.refusal != 0) {
        answer(index, job.refusal);
    } else {
        run(index);
    }
}

void TargetEngine::payloadReceived(std::uint64_t cookie) {
    if (ending_)
        return;
    Job& job = jobs_[cookie];
    if (job.refusal != 0) {
        finish(cookie, job.refusal);
        return;
    }
    if (dialect_->checksPayloads() && crc32c(job.buffer.bytes()) != job.request.payloadCrc) {
        endSession({"payload with a wrong checksum", {}, 0, {}});
        return;
    }
    run(cookie);
}

void TargetEngine::run(std::size_t index) {
    Job& job = jobs_[index];
    const wire::Request& request = job.request;
    if (request.op == wire::Op::Read &&
        job.stored->store->readCached(request.offset, job.buffer.bytes())) {
        answer(index, 0);
        return;
    }
    job.state = JobState::OnStore;
    ++jobsOnStore_;
    switch (request.op) {
        case wire::Op::Read:
            job.stored->store->read(request.offset, job.buffer.bytes(), index);
            break;
        case wire::Op::Write:
            job.stored->store->write(request.offset, job.buffer.bytes(),
                                     (request.flags & wire::kFlagFua) != 0, index);
            stopPoint("write-submitted", [this] { static_cast<void>(ring_.submit()); });
            break;
        case wire::Op::Flush:
            flushStore(index);
            break;
        case wire::Op::Discard:
            job.stored->store->discard(request.offset, request.length, index);
            break;
        case wire::Op::WriteZeroes:
            job.stored->store->writeZeroes(request.offset, request.length,
                                           (request.flags & wire::kFlagNoUnmap) != 0, index);
            break;
    }
}

void TargetEngine::flushStore(std::size_t index) {
    Job& job = jobs_[index];
    job.covers = job.stored->volatileBytes;
    job.stored->store->flush(index);
}

void TargetEngine::storeDone(std::uint64_t cookie, int error) {
    Job& job = jobs_[cookie];
    if (job.request.op == wire::Op::Write)
        stopPoint("write-done");
    --jobsOnStore_;
    if (job.orphan) {
        orphanDone(cookie);
        return;
    }
    // A store's own is no word about the session.
    if (error == wire::kStatusNotReady)
        error = EIO;
    if (error == 0 && needsFlush(job.request))
        done(cookie);
    else
        finish(cookie, error);
}

// The last one of an export lets it into the session that runs, or into the next.
void TargetEngine::orphanDone(std::size_t index) {
    Stored& stored = *jobs_[index].stored;
    freeJob(index);
    if (--stored.orphans == 0) {
        target_.setReady(stored.id, true);
        if (!stored.retired)
            changed();
    }
    if (drained() && owner_ != nullptr)
        owner_->sessionDrained();
}

// Answers it, or the write that it was the last piece of.
void TargetEngine::finish(std::size_t index, int error) {
    const auto whole = jobs_[index].whole;
    if (!whole) {
        answer(index, error);
        return;
    }
    freeJob(index);
    Job& write = jobs_[*whole];
    if (write.pieceError == 0)
        write.pieceError = error;
    if (--write.piecesLeft == 0)
        answer(*whole, write.pieceError);
    else
        flush_.ask();  // the next piece may wait for its memory
}

// A change that only a flush makes durable is done, or has been flushed.
void TargetEngine::done(std::size_t index) {
    Job& job = jobs_[index];
    const Verifier now = job.stored->store->verifier();
    if (job.flushingUnder == now) {
        answer(index, 0);
    } else if (job.flushingUnder) {
        // A write-back failed after it was done, perhaps of its bytes, and the kernel told another
        // flush of it. Nobody was answered, so it may be done again.
        job.flushingUnder.reset();
        run(index);
    } else {
        job.flushingUnder = now;
        ++jobsOnStore_;
        flushStore(index);
    }
}

void TargetEngine::count(const Job& job) {
    StoreCounters& done = job.stored->done;
    if (job.request.op == wire::Op::Read) {
        ++done.readOps;
        done.readBytes += job.request.length;
    } else if (job.request.op == wire::Op::Write) {
        ++done.writeOps;
        done.writtenBytes += job.request.length;
        if ((job.request.flags & wire::kFlagFua) == 0)
            job.stored->volatileBytes += job.request.length;
    }
    job.stored->savedBytes = std::max(job.stored->savedBytes, job.covers);
}

void TargetEngine::answer(std::size_t index, int error) {
    Job& job = jobs_[index];
    if (error == 0)
        count(job);
    wire::Response response = target_.answer(
        job.request, error, job.stored == nullptr ? Verifier() : job.stored->store->verifier());
    const bool hasPayload = error == 0 && wire::returnsPayload(job.request.op);
    if (hasPayload && dialect_->checksPayloads())
        response.payloadCrc = crc32c(job.buffer.bytes());
    answers_.resize(answers_.size() + framing_.messageBytes);
    const auto out = ByteSpan(answers_).last(framing_.messageBytes);
    if (auto encoded = dialect_->encode(response, out); !encoded) {
        endSession(encoded.error());
        return;
    }
    ++sent_;
    if (hasPayload) {
        job.state = JobState::Sending;
        payloads_.push_back(index);
        payloadBytes_ += job.buffer.bytes().size();
    } else {
        freeJob(index);
    }
    if (payloadBytes_ >= kBatchBytes && !ending_) {
        sendAnswers();
        link_->submit();
    }
    flush_.ask();
}

void TargetEngine::flushAnswers() {
    if (!link_ || ending_)
        return;
    sendAnswers();
    feedWaiting();
}

void TargetEngine::sendAnswers() {
    if (answers_.empty())
        return;
    link_->sendMessages(answers_);
    answers_.clear();
    for (const std::size_t index : payloads_)
        link_->sendPayload(jobs_[index].buffer.bytes(), index);
    stopPoint("answered");
    payloads_.clear();
    payloadBytes_ = 0;
}

void TargetEngine::payloadSent(std::uint64_t cookie) {
    freeJob(cookie);
    if (!ending_)
        feedWaiting();
}

void TargetEngine::linkDown(const Error& reason) {
    // This is the link's own last call, so it goes a little later.
    ring_.destroyLater(std::move(link_));
    target_.sessionClosed();
    answers_.clear();
    payloads_.clear();
    payloadBytes_ = 0;
    waiting_.clear();
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
        Job& job = jobs_[i];
        if (job.state == JobState::OnStore && !job.orphan) {
            job.orphan = true;
            job.placed = false;
            ++job.stored->orphans;
            target_.setReady(job.stored->id, false);
        } else if (job.state != JobState::OnStore && job.state != JobState::Free) {
            freeJob(i);
        }
    }
    placed_ = 0;
    arena_.reset();
    if (owner_ == nullptr)
        return;
    owner_->sessionEnded(reason);
    if (drained())
        owner_->sessionDrained();
}

}  // namespace belay::engine
