#include "tests/sim/target_end.h"

#include "core/wire/native.h"
#include "tests/sim/wire_text.h"

namespace belay::sim {
namespace {

constexpr std::uint32_t kMaxTransfer = 8 * kBlockBytes;

}  // namespace

// The store can be opened when the last I/O of a dead process has let go of its lock.
TargetEnd::TargetEnd(Context& context, TargetMachine& machine, Ended ended)
    : context_(context),
      machine_(machine),
      ended_(std::move(ended)),
      storeOpen_(machine.idle() || context.planted(Plant::NoLock)) {}

TargetEnd::~TargetEnd() {
    if (cable_)
        cable_->abandon(Side::Target);
    machine_.processDied();
}

bool TargetEnd::busy() const {
    if (cable_ || (!storeOpen_ && !machine_.idle()))
        return true;
    return jobsOnStore_ != 0 && !context_.planted(Plant::NoDrain);
}

void TargetEnd::endSession() {
    if (!cable_ || ending_)
        return;
    ending_ = true;
    cable_->shutDown(Side::Target);
}

void TargetEnd::begin(Epoch epoch, std::shared_ptr<Cable> cable, const wire::ExportInfo&) {
    context_.note("target: session {}", epoch.value);
    storeOpen_ = true;
    cable_ = std::move(cable);
    ending_ = false;
    target_.sessionOpened(epoch, kMaxTransfer);
    target_.addExport(machine_.exportInfo());
    cable_->start(Side::Target, *this);
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
    ++jobsOnStore_;
    machine_.start(std::move(io), life_,
                   [this, index](int error, Blocks data) { done(index, error, std::move(data)); });
}

void TargetEnd::done(std::size_t index, int error, Blocks data) {
    Job& job = jobs_[index];
    --jobsOnStore_;
    if (job.orphan || job.answered) {
        job = Job();
        if (jobsOnStore_ == 0)
            ended_();
        return;
    }
    if (error == 0 && makeDurable(index))
        return;
    job.payload = std::move(data);
    job.state = JobState::Sending;
    answer(index, error);
}

// What has FUA and is no write: by a flush, and anew if a write-back failed meanwhile. False when
// it may be answered.
bool TargetEnd::makeDurable(std::size_t index) {
    Job& job = jobs_[index];
    if ((job.request.flags & wire::kFlagFua) == 0 || !wire::changesData(job.request.op) ||
        job.request.op == wire::Op::Write || job.flushingUnder == machine_.verifier() ||
        context_.planted(Plant::FuaOfWritesOnly))
        return false;
    if (std::exchange(job.flushingUnder, std::nullopt)) {
        run(index);
        return true;
    }
    job.flushingUnder = machine_.verifier();
    TargetMachine::Io flush;
    flush.op = wire::Op::Flush;
    startOnStore(index, std::move(flush));
    return true;
}

void TargetEnd::answer(std::size_t index, int error) {
    Job& job = jobs_[index];
    wire::Response response = target_.answer(job.request, error, machine_.verifier());
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
    context_.note("target: session over, {} on the store", jobsOnStore_);
    cable_.reset();
    target_.sessionClosed();
    answers_.clear();
    payloads_.clear();
    for (Job& job : jobs_) {
        if (job.state == JobState::OnStore)
            job.orphan = true;
        else
            job = Job();
    }
    ended_();
}

}  // namespace belay::sim
