#include "core/store/store.h"

#include "core/base/log.h"
#include "core/store/backing.h"
#include "core/store/identity.h"
#include "core/store/instance.h"
#include "core/store/lock.h"
#include "core/store/operation.h"
#include "core/store/writeback_state.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace belay::store {
namespace {

static_assert(sizeof(off_t) == 8, "what is behind 2 GiB needs _FILE_OFFSET_BITS=64");

// Below what one read(2) or write(2) may move (MAX_RW_COUNT, 2 GiB less a page).
constexpr std::uint64_t kMostPerTransfer = std::uint64_t{1} << 30;
constexpr std::size_t kZeroBytes = std::size_t{256} << 10;
// EAGAIN and EINTR are not expected for files; an operation must still end.
constexpr std::uint8_t kMostRetries = 100;

constexpr int kWorkers = Store::kMostAtOnce + 1;
constexpr std::uint64_t kPage = 4096;

// Where punching a hole changes nothing: there is nothing to lose, and with KEEP_SIZE the end stays
// where it is.
std::uint64_t behindTheEnd(const Backing& backing) {
    return (backing.sizeBytes + kPage - 1) / kPage * kPage;
}

// Only ever read.
alignas(4096) std::byte zeroes[kZeroBytes];

}  // namespace

void StoreOperation::complete(int result, std::uint32_t) {
    store->completed(*this, result);
}

Store::Store(Ring& ring, Backing backing, StoreListener& listener)
    : ring_(ring),
      listener_(&listener),
      backing_(std::make_unique<Backing>(std::move(backing))),
      operations_(std::make_unique<Operations>()) {
    if (auto added = ring_.addWorkers(kWorkers); !added)
        log::warning("store {}: may wait for others that hang: {}", backing_->path,
                     added.error().message());
}

Result<std::unique_ptr<Store>> Store::open(Ring& ring, const StoreOptions& options,
                                           StoreListener& listener) {
    auto backing = openBacking(options);
    if (!backing)
        return tl::make_unexpected(std::move(backing.error()));
    return make(ring, std::move(*backing), options, listener);
}

Result<std::unique_ptr<Store>> Store::adopt(Ring& ring, Fd fd, const StoreOptions& options,
                                            StoreListener& listener) {
    auto backing = adoptBacking(std::move(fd), options);
    if (!backing)
        return tl::make_unexpected(std::move(backing.error()));
    return make(ring, std::move(*backing), options, listener);
}

Result<std::unique_ptr<Store>> Store::make(Ring& ring, Backing backing, const StoreOptions& options,
                                           StoreListener& listener) {
    Uuid uuid = options.uuid;
    if (uuid.isNil()) {
        const auto identity = identify(backing);
        if (!identity)
            return tl::make_unexpected(identity.error());
        uuid = identity->uuid;
    }
    if (auto locked = lockDescription(backing, WritebackState::holder(options.stateDir, uuid));
        !locked)
        return tl::make_unexpected(std::move(locked.error()));
    auto bootId = readBootId();
    if (!bootId)
        return tl::make_unexpected(std::move(bootId.error()));

    // From here on it is ours alone, so the files beside it may be read and changed.
    std::unique_ptr<Store> store(new Store(ring, std::move(backing), listener));
    Backing& own = *store->backing_;
    // Nothing is ever lost of a store that nobody writes to.
    auto writeback = own.readOnly ? WritebackState::constant()
                                  : WritebackState::open(options.stateDir, uuid, instanceOf(own));
    if (!writeback)
        return tl::make_unexpected(std::move(writeback.error()));
    store->writeback_ = std::make_unique<WritebackState>(std::move(*writeback));
    sayBlockSize(own);

    store->verifierSeed_ = verifierSeed(*bootId, uuid, options.losses);
    Geometry& geometry = store->geometry_;
    geometry.sizeBytes = own.sizeBytes;
    geometry.blockSize = own.blockSize;
    geometry.blockSizeReason = own.blockSizeReason;
    geometry.readOnly = own.readOnly;
    geometry.canDiscard = !own.readOnly && own.punchesHoles;
    geometry.canWriteZeroes = !own.readOnly;
    geometry.uuid = uuid;
    geometry.generation = generationOf(incarnationOf(own), options.replaced);
    store->settle(options.witness);
    return store;
}

// All that may wait for the file system, which may hang.
void Store::settle(int witness) {
    const auto ask = [this](Op::Kind kind) -> Op& {
        Op& op = take(0, 0, 0);
        op.kind = kind;
        ++settling_;
        return op;
    };
    if (!geometry_.readOnly && !backing_->isBlockDevice)
        issue(ask(Op::Kind::ProbeHoles));
    if (!writeback_->isInDoubt())
        return;
    if (witness < 0) {
        writeback_->settle(false);
        return;
    }
    writeback_->beginProof();
    Op& op = ask(Op::Kind::SyncWitness);
    op.witness = witness;
    issue(op);
}

void Store::settled(Op& op, int result) {
    if (op.kind == Op::Kind::SyncWitness)
        writeback_->settle(result == 0);
    else if (result == -EOPNOTSUPP)
        backing_->punchesHoles = geometry_.canDiscard = false;
    operations_->giveBack(op);
    --inFlight_;
    if (--settling_ == 0)
        listener_->storeSettled();
}

Store::~Store() {
    if (inFlight_ != 0) {
        log::error("store {}: closed with {} operations under way", backing_->path, inFlight_);
        std::abort();
    }
    // Gives back what was added; there is nobody to tell if it could not be.
    static_cast<void>(ring_.addWorkers(-kWorkers));
}

Verifier Store::verifier() const {
    return verifierOf(verifierSeed_, writeback_->losses());
}

bool Store::readCached(std::uint64_t offset, ByteSpan out) const {
    if (refusal(offset, out.size(), false) != 0)
        return false;
    const iovec memory{out.data(), out.size()};
    return ::preadv2(backing_->fd.get(), &memory, 1, static_cast<off_t>(offset), RWF_NOWAIT) ==
           static_cast<ssize_t>(out.size());
}

void Store::read(std::uint64_t offset, ByteSpan data, std::uint64_t cookie) {
    Op& op = take(offset, data.size(), cookie);
    if (const int error = refusal(offset, data.size(), false); error != 0)
        return answerLater(op, error);
    op.kind = Op::Kind::Read;
    op.out = data.data();
    begin(op);
}

void Store::write(std::uint64_t offset, ConstByteSpan data, bool fua, std::uint64_t cookie) {
    Op& op = take(offset, data.size(), cookie);
    if (const int error = refusal(offset, data.size(), true); error != 0)
        return answerLater(op, error);
    op.kind = Op::Kind::Write;
    op.in = data.data();
    op.fua = fua;
    begin(op);
}

void Store::flush(std::uint64_t cookie) {
    Op& op = take(0, 0, cookie);
    if (truncated_)
        return answerLater(op, EIO);
    if (geometry_.readOnly)
        return answerLater(op, 0);
    op.kind = Op::Kind::Flush;
    op.next = flushWaiting_;
    flushWaiting_ = &op;
    startFlush();
}

void Store::discard(std::uint64_t offset, std::uint64_t length, std::uint64_t cookie) {
    Op& op = take(offset, length, cookie);
    if (const int error = refusal(offset, length, true); error != 0)
        return answerLater(op, error);
    if (!geometry_.canDiscard)
        return answerLater(op, EOPNOTSUPP);
    op.kind = Op::Kind::Discard;
    op.method = ZeroMethod::PunchHole;
    begin(op);
}

void Store::writeZeroes(std::uint64_t offset, std::uint64_t length, bool noUnmap,
                        std::uint64_t cookie) {
    Op& op = take(offset, length, cookie);
    if (const int error = refusal(offset, length, true); error != 0)
        return answerLater(op, error);
    op.kind = Op::Kind::WriteZeroes;
    op.noUnmap = noUnmap;
    op.method = backing_->zeroMethod(noUnmap);
    begin(op);
}

Store::Op& Store::take(std::uint64_t offset, std::uint64_t length, std::uint64_t cookie) {
    Op& op = operations_->take();
    op.store = this;
    op.offset = offset;
    op.length = length;
    op.cookie = cookie;
    ++inFlight_;
    return op;
}

int Store::refusal(std::uint64_t offset, std::uint64_t length, bool changes) const {
    if (length == 0 || length > geometry_.sizeBytes || offset > geometry_.sizeBytes - length ||
        (offset | length) % geometry_.blockSize != 0)
        return EINVAL;
    if (changes && geometry_.readOnly)
        return EROFS;
    return truncated_ ? EIO : 0;
}

void Store::answerLater(Op& op, int error) {
    op.kind = Op::Kind::Answer;
    op.error = error;
    issue(op);
}

void Store::begin(Op& op) {
    if (running_ < kMostAtOnce)
        return submit(op);
    (firstWaiting_ == nullptr ? firstWaiting_ : lastWaiting_->next) = &op;
    lastWaiting_ = &op;
}

void Store::submit(Op& op) {
    ++running_;
    op.losses = writeback_->losses();
    if (op.fua) {
        op.fuaPhase = static_cast<std::uint8_t>(fuaPhase_);
        ++fua_[fuaPhase_];
        syncBegins();
    }
    issue(op);
}

void Store::beginNext() {
    while (firstWaiting_ != nullptr && running_ < kMostAtOnce) {
        Op& op = *std::exchange(firstWaiting_, firstWaiting_->next);
        op.next = nullptr;
        if (truncated_)
            answerLater(op, EIO);
        else
            submit(op);
    }
}

void Store::issue(Op& op) {
    io_uring_sqe* sqe = ring_.prepare(&op);
    const int fd = backing_->fd.get();
    const std::uint64_t at = op.offset + op.done;
    const std::uint64_t left = op.length - op.done;
    const auto most = static_cast<unsigned>(std::min(left, kMostPerTransfer));
    switch (op.kind) {
        case Op::Kind::Answer:
            break;
        case Op::Kind::Read:
            io_uring_prep_read(sqe, fd, op.out + op.done, most, at);
            break;
        case Op::Kind::Write:
            io_uring_prep_write(sqe, fd, op.in + op.done, most, at);
            sqe->rw_flags = op.fua ? RWF_DSYNC : 0;
            break;
        case Op::Kind::Flush:
            io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
            break;
        case Op::Kind::ProbeHoles:
            io_uring_prep_fallocate(sqe, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                    behindTheEnd(*backing_), kPage);
            break;
        case Op::Kind::SyncWitness:
            io_uring_prep_fsync(sqe, op.witness, IORING_FSYNC_DATASYNC);
            break;
        case Op::Kind::Discard:
        case Op::Kind::WriteZeroes:
            if (op.method == ZeroMethod::Write)
                io_uring_prep_write(
                    sqe, fd, zeroes,
                    static_cast<unsigned>(std::min<std::uint64_t>(left, kZeroBytes)), at);
            else
                io_uring_prep_fallocate(sqe, fd,
                                        FALLOC_FL_KEEP_SIZE | (op.method == ZeroMethod::PunchHole
                                                                   ? FALLOC_FL_PUNCH_HOLE
                                                                   : FALLOC_FL_ZERO_RANGE),
                                        at, left);
            break;
    }
    // The preparing functions clear it.
    io_uring_sqe_set_data(sqe, static_cast<Operation*>(&op));
}

void Store::completed(Op& op, int result) {
    if ((result == -EAGAIN || result == -EINTR) && op.retries < kMostRetries) {
        ++op.retries;
        return issue(op);
    }
    if (result == -EFAULT && useOrdinaryMemory(op))
        return issue(op);
    switch (op.kind) {
        case Op::Kind::Answer:
            return finish(op, op.error);
        case Op::Kind::Flush:
            return flushed(result);
        case Op::Kind::ProbeHoles:
        case Op::Kind::SyncWitness:
            return settled(op, result);
        case Op::Kind::Read:
            if (result < 0)
                return finish(op, -result);
            if (result == 0) {
                truncatedInUse();
                return finish(op, EIO);
            }
            return transferred(op, result);
        case Op::Kind::Write:
            if (result <= 0)
                return failed(op, result < 0 ? -result : EIO);
            return transferred(op, result);
        case Op::Kind::Discard:
        case Op::Kind::WriteZeroes:
            if (result == -EOPNOTSUPP && tryAnotherWay(op))
                return issue(op);
            if (result < 0 || (result == 0 && op.method == ZeroMethod::Write))
                return failed(op, result < 0 ? -result : EIO);
            return op.method == ZeroMethod::Write ? transferred(op, result) : changed(op);
    }
}

// A file system without a cache (FUSE with direct_io) pins the memory that it is given, and what a
// link maps from a driver cannot be pinned.
bool Store::useOrdinaryMemory(Op& op) {
    if (op.ordinary || (op.kind != Op::Kind::Read && op.kind != Op::Kind::Write))
        return false;
    op.ordinary = std::make_unique_for_overwrite<std::byte[]>(op.length);
    if (op.kind == Op::Kind::Write) {
        std::memcpy(op.ordinary.get(), op.in, op.length);
        op.in = op.ordinary.get();
    } else {
        std::memcpy(op.ordinary.get(), op.out, op.done);
        op.readInto = std::exchange(op.out, op.ordinary.get());
    }
    return true;
}

void Store::transferred(Op& op, int result) {
    op.done += static_cast<std::uint64_t>(result);
    if (op.done < op.length)
        return issue(op);
    return op.changesData() ? changed(op) : finish(op, 0);
}

void Store::changed(Op& op) {
    if (op.fua)
        fuaEnded(op);
    if (op.fua || truncated_)
        return finish(op, truncated_ ? EIO : 0);
    // A write-back failed while this one was under way: its bytes may be among the lost ones, and
    // the answer would carry the new verifier. Nobody was answered, so doing it again is allowed.
    if (op.losses != writeback_->losses()) {
        if (op.retries >= kMostRetries)
            return finish(op, EIO);
        ++op.retries;
        op.losses = writeback_->losses();
        op.done = 0;
        return issue(op);
    }
    finish(op, 0);
}

void Store::failed(Op& op, int error) {
    if (op.fua) {
        owedFlushError_ = error;
        writeBackFailed(error);
        fuaEnded(op);
    } else if (error == EIO) {
        writeBackFailed(error);
    }
    finish(op, error);
}

bool Store::tryAnotherWay(Op& op) {
    switch (op.method) {
        case ZeroMethod::PunchHole:
            backing_->punchesHoles = false;
            geometry_.canDiscard = false;
            break;
        case ZeroMethod::ZeroRange:
            backing_->zeroesRanges = false;
            break;
        case ZeroMethod::Write:
            return false;
    }
    if (op.kind == Op::Kind::Discard)
        return false;
    op.method = backing_->zeroMethod(op.noUnmap);
    return true;
}

void Store::finish(Op& op, int error) {
    const std::uint64_t cookie = op.cookie;
    if (op.readInto != nullptr && error == 0)
        std::memcpy(op.readInto, op.ordinary.get(), op.length);
    op.ordinary.reset();
    if (op.kind != Op::Kind::Answer && op.kind != Op::Kind::Flush) {
        --running_;
        beginNext();
    }
    operations_->giveBack(op);
    --inFlight_;
    listener_->storeDone(cookie, error);
}

void Store::truncatedInUse() {
    if (!std::exchange(truncated_, true))
        log::error("store {}: truncated while in use; it gives only errors from now on",
                   backing_->path);
}

}  // namespace belay::store
