#include "tests/sim/target_end.h"

#include "core/wire/native.h"
#include "tests/sim/wire_text.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace belay::sim {
namespace {

constexpr std::uint32_t kMaxTransfer = 8 * kBlockBytes;
constexpr Micros kStorePoll = 20'000;

ExportId idOf(std::size_t number) {
    return ExportId(static_cast<std::uint32_t>(number + 1));
}

}  // namespace

TargetEnd::TargetEnd(Context& context, const std::vector<TargetMachine*>& machines, Hooks hooks)
    : context_(context), hooks_(std::move(hooks)) {
    for (TargetMachine* machine : machines) {
        stores_.push_back({*machine});
        auto info = machine->exportInfo();
        info.ready = false;
        target_.addExport(info);
    }
    openStores();
}

TargetEnd::~TargetEnd() {
    if (cable_)
        cable_->abandon(Side::Target);
    for (Store& store : stores_)
        store.machine.processDied();
}

// A store can be opened when the last I/O of a dead process has let go of its lock.
void TargetEnd::openStores() {
    bool all = true;
    for (std::size_t i = 0; i < stores_.size(); ++i) {
        Store& store = stores_[i];
        if (store.open)
            continue;
        store.open = store.machine.idle() || context_.planted(Plant::NoLock);
        all = all && store.open;
        target_.setReady(idOf(i), store.open);
        if (store.open)
            hooks_.changed();
    }
    if (!all)
        context_.time.after(kStorePoll, life_, [this] { openStores(); });
}

bool TargetEnd::isReady(const Store& store) const {
    return store.open && (store.orphans == 0 || context_.planted(Plant::NoDrain));
}

bool TargetEnd::busy() const {
    const auto isOver = [](const Store& store) { return store.open && store.jobs == 0; };
    return cable_ ||
           (context_.planted(Plant::HungBlocksAll) && !std::ranges::all_of(stores_, isOver));
}

std::uint32_t TargetEnd::part() const {
    return session::Allotment::part(context_.settings.memory, context_.settings.maxOutstanding,
                                    stores_.size(), kBlockBytes);
}

std::vector<wire::ExportInfo> TargetEnd::list() const {
    std::vector<wire::ExportInfo> list;
    for (const Store& store : stores_) {
        if (!store.offered)
            continue;
        list.push_back(store.machine.exportInfo());
        list.back().ready = isReady(store);
        list.back().guaranteed = part();
    }
    return list;
}

void TargetEnd::takeBack(std::size_t number) {
    context_.note("target: {} is taken back", number);
    stores_[number].offered = false;
    target_.removeExport(idOf(number));
    hooks_.changed();
}

void TargetEnd::offerAgain(std::size_t number) {
    Store& store = stores_[number];
    if (store.offered)
        return;
    const bool busy = std::ranges::any_of(jobs_, [&](const Job& job) {
        return job.state != JobState::Free && &storeOf(job.request) == &store;
    });
    if (busy) {
        context_.time.after(kStorePoll, life_, [this, number] { offerAgain(number); });
        return;
    }
    context_.note("target: {} is offered again", number);
    store.offered = true;
    target_.addExport(store.machine.exportInfo());
    target_.setReady(idOf(number), isReady(store));
    hooks_.changed();
}

void TargetEnd::endSession() {
    if (!cable_ || ending_)
        return;
    ending_ = true;
    cable_->shutDown(Side::Target);
}

void TargetEnd::begin(Epoch epoch, std::shared_ptr<Cable> cable,
                      const std::vector<wire::ExportInfo>&) {
    context_.note("target: session {}", epoch.value);
    cable_ = std::move(cable);
    ending_ = false;
    target_.sessionOpened(
        epoch, {kMaxTransfer, context_.settings.maxOutstanding, context_.settings.memory});
    for (std::size_t i = 0; i < stores_.size(); ++i)
        if (stores_[i].offered) {
            target_.addExport(stores_[i].machine.exportInfo());
            target_.setReady(idOf(i), isReady(stores_[i]));
        }
    cable_->start(Side::Target, *this);
    hooks_.changed();
}

void TargetEnd::messagesReceived(ConstByteSpan transfer) {
    constexpr std::size_t kBytes = wire::NativeLayout::kBytes;
    if (ending_)
        return;
    Result<void> taken;
    if (transfer.size() % kBytes != 0)
        taken = failure("message transfer of odd length");
    for (; taken && !transfer.empty(); transfer = transfer.subspan(kBytes))
        taken = accept(transfer.first(kBytes));
    if (taken)
        return;
    context_.note("target ends the session: {}", taken.error().message());
    // What a cut leaves may be anything.
    if (!cable_->isCut() && taken.error().what.find("than agreed") != std::string::npos)
        context_.broken("the initiator sends what there is no room for");
    endSession();
}

Result<void> TargetEnd::accept(ConstByteSpan message) {
    auto request = wire::decodeRequest(message);
    if (!request)
        return tl::make_unexpected(request.error());
    const auto accepted = target_.requestReceived(*request);
    if (!accepted)
        return tl::make_unexpected(accepted.error());
    const std::size_t index = newJob();
    Job& job = jobs_[index];
    job.request = *request;
    job.refusal = accepted->error;
    if (job.refusal == wire::kStatusNotReady && context_.planted(Plant::LeavesWithErrors))
        job.refusal = ENXIO;
    job.state = JobState::Receiving;
    if (wire::carriesPayload(request->op))
        cable_->receivePayload(Side::Target, request->length / kBlockBytes, index);
    else if (job.refusal != 0)
        answer(index, job.refusal);
    else
        run(index);
    return {};
}

std::size_t TargetEnd::newJob() {
    for (std::size_t i = 0; i < jobs_.size(); ++i)
        if (jobs_[i].state == JobState::Free)
            return i;
    jobs_.emplace_back();
    return jobs_.size() - 1;
}

void TargetEnd::payloadReceived(std::uint64_t cookie, const Blocks& payload) {
    if (ending_)
        return;
    Job& job = jobs_[cookie];
    if (context_.settings.payloadCrc && checksum(payload) != job.request.payloadCrc) {
        context_.note("target ends the session: payload with a wrong checksum");
        endSession();
        return;
    }
    job.payload = payload;
    if (job.refusal != 0)
        answer(cookie, job.refusal);
    else
        run(cookie);
}

void TargetEnd::run(std::size_t index) {
    Job& job = jobs_[index];
    job.state = JobState::OnStore;
    TargetMachine::Io io;
    io.op = job.request.op;
    io.fua = (job.request.flags & wire::kFlagFua) != 0;
    io.first = static_cast<std::uint32_t>(job.request.offset / kBlockBytes);
    io.count = job.request.length / kBlockBytes;
    io.payload = job.payload;
    const bool early =
        (io.op == wire::Op::Write && !io.fua && context_.planted(Plant::AnsweredEarly)) ||
        (io.op == wire::Op::Flush && context_.planted(Plant::FlushSkipped));
    if (early) {
        job.answered = true;
        answer(index, 0);
    }
    startOnStore(index, std::move(io));
}

void TargetEnd::startOnStore(std::size_t index, TargetMachine::Io io) {
    Store& store = storeOf(jobs_[index].request);
    ++store.jobs;
    store.machine.start(std::move(io), life_, [this, index](int error, Blocks data) {
        done(index, error, std::move(data));
    });
}

void TargetEnd::done(std::size_t index, int error, Blocks data) {
    Job& job = jobs_[index];
    Store& store = storeOf(job.request);
    --store.jobs;
    if (job.orphan || job.answered) {
        const bool orphan = job.orphan;
        job = Job();
        if (orphan)
            orphanDone(store);
        return;
    }
    if (error == 0 && makeDurable(index))
        return;
    job.payload = std::move(data);
    job.state = JobState::Sending;
    answer(index, error);
}

// The last one lets its export into the session.
void TargetEnd::orphanDone(Store& store) {
    if (--store.orphans == 0) {
        target_.setReady(store.machine.exportInfo().id, isReady(store));
        hooks_.changed();
    }
    if (!cable_)
        hooks_.ended();
}

// What has FUA and is no write: by a flush, and anew if a write-back failed meanwhile. False when
// it may be answered.
bool TargetEnd::makeDurable(std::size_t index) {
    Job& job = jobs_[index];
    if ((job.request.flags & wire::kFlagFua) == 0 || !wire::changesData(job.request.op) ||
        job.request.op == wire::Op::Write ||
        job.flushingUnder == storeOf(job.request).machine.verifier() ||
        context_.planted(Plant::FuaOfWritesOnly))
        return false;
    if (std::exchange(job.flushingUnder, std::nullopt)) {
        run(index);
        return true;
    }
    job.flushingUnder = storeOf(job.request).machine.verifier();
    TargetMachine::Io flush;
    flush.op = wire::Op::Flush;
    startOnStore(index, std::move(flush));
    return true;
}

void TargetEnd::answer(std::size_t index, int error) {
    Job& job = jobs_[index];
    wire::Response response =
        target_.answer(job.request, error, storeOf(job.request).machine.verifier());
    if (context_.planted(Plant::StableTooFar) && error == 0 && job.request.op == wire::Op::Flush)
        response.stableUpTo = job.request.sequence;
    const bool hasPayload = error == 0 && wire::returnsPayload(job.request.op);
    if (hasPayload && context_.settings.payloadCrc)
        response.payloadCrc = checksum(job.payload);
    context_.note("target answers {}", textOf(response));
    answers_.resize(answers_.size() + wire::NativeLayout::kBytes);
    wire::encode(response, ByteSpan(answers_).last<wire::NativeLayout::kBytes>());
    if (hasPayload)
        payloads_.push_back(index);
    else if (!job.answered)
        job = Job();
    if (!std::exchange(flushScheduled_, true))
        context_.time.after(1 + context_.random.below(50), life_, [this] { flushAnswers(); });
}

void TargetEnd::flushAnswers() {
    flushScheduled_ = false;
    if (cable_ && !ending_ && !answers_.empty()) {
        cable_->sendMessages(Side::Target, answers_);
        for (const std::size_t index : payloads_)
            cable_->sendPayload(Side::Target, jobs_[index].payload, index);
        answers_.clear();
        payloads_.clear();
    }
}

void TargetEnd::payloadSent(std::uint64_t cookie) {
    jobs_[cookie] = Job();
}

void TargetEnd::linkDown() {
    context_.note("target: session over");
    cable_.reset();
    target_.sessionClosed();
    answers_.clear();
    payloads_.clear();
    for (Job& job : jobs_) {
        if (job.state != JobState::OnStore) {
            job = Job();
        } else if (!std::exchange(job.orphan, true)) {
            Store& store = storeOf(job.request);
            ++store.orphans;
            target_.setReady(job.request.exportId, isReady(store));
        }
    }
    hooks_.ended();
}

}  // namespace belay::sim
