#include "core/session/log_work.h"

#include <algorithm>
#include <utility>

namespace belay::session {
namespace {

// Enough to keep a link busy, and some of the session left for other devices.
constexpr std::size_t kMostReplayed = 16;

}  // namespace

// -- room

bool LogWork::reserve(Entry& entry) {
    if (log_ == nullptr || !wire::changesData(entry.op) || entry.reserved != 0 || flushFailed_)
        return true;
    const std::size_t room = WriteLog::room(wire::carriesPayload(entry.op) ? entry.length : 0);
    if (room > log_->capacity())
        return true;
    log_->want(reserved_ + room);
    if (!waiting_.empty() || !log_->hasRoom(reserved_ + room)) {
        waiting_.push_back(entry.sequence);
        return false;
    }
    entry.reserved = room;
    reserved_ += room;
    return true;
}

void LogWork::release(Entry& entry) {
    const std::size_t room = std::exchange(entry.reserved, 0);
    reserved_ -= room;
    if (room != 0 && !waiting_.empty() && log_->used() + reserved_ <= log_->capacity() / 2)
        goOn_ = true;
}

void LogWork::hasGrown() {
    goOn_ = !waiting_.empty();
}

std::deque<Sequence> LogWork::takeWaiting() {
    goOn_ = false;
    return std::exchange(waiting_, {});
}

// -- what is sent on our own account

// What waits for room waits for a flush that is worth it: either much is answered, or all is.
bool LogWork::flushIsDue() const {
    if (log_ == nullptr || flushing_ || flushFailed_)
        return false;
    const std::size_t used = log_->used();
    return !log_->complete() || used > log_->capacity() / 2 ||
           (!waiting_.empty() && used > 0 && (reserved_ == 0 || used > log_->capacity() / 4));
}

Entry* LogWork::next(Ledger& ledger, DeviceId device, std::uint32_t maxOutstanding, bool room) {
    if (pending_)
        return ledger.find(*pending_);
    if (!room)
        return nullptr;
    Entry entry;
    entry.device = device;
    if (replaying_ && sent_ < pieces_.size()) {
        const WriteLog::Piece& piece = pieces_[sent_];
        const WriteLog::Record& record = log_->records()[piece.record];
        if (underWay_ >= std::clamp<std::size_t>(maxOutstanding / 2, 1, kMostReplayed))
            return nullptr;
        entry.origin = Origin::Replay;
        entry.op = record.op;
        entry.flags = record.flags & wire::kFlagNoUnmap;
        entry.offset = piece.offset;
        entry.length = piece.length;
        entry.piece = sent_;
        return add(ledger, entry);
    }
    if (replaying_ ? flushing_ || underWay_ > 0 : !flushIsDue())
        return nullptr;
    entry.origin = Origin::OwnFlush;
    entry.op = wire::Op::Flush;
    return add(ledger, entry);
}

Entry* LogWork::add(Ledger& ledger, const Entry& entry) {
    Entry* added = ledger.add(entry);
    if (added != nullptr)
        pending_ = added->sequence;
    return added;
}

void LogWork::sent(const Entry& entry) {
    pending_.reset();
    if (entry.origin == Origin::OwnFlush) {
        flushing_ = true;
    } else {
        ++underWay_;
        ++sent_;
    }
}

void LogWork::flushed(const Entry& entry) {
    if (log_ == nullptr)
        return;
    log_->flushed(entry.logMark);
    if (entry.origin == Origin::OwnFlush)
        flushing_ = false;
    flushFailed_ = false;
    goOn_ = !waiting_.empty();
}

std::uint64_t LogWork::stableUpTo(Sequence sequence) {
    // Incomplete: what is counted as unsaved is not what the log has.
    if (log_ == nullptr || sequence == Sequence() || !log_->complete())
        return 0;
    const std::size_t used = log_->used();
    const std::uint64_t saved = log_->stableUpTo(sequence);
    if (log_->used() != used)
        goOn_ = !waiting_.empty();
    return saved;
}

void LogWork::flushFailed() {
    flushing_ = false;
    flushFailed_ = true;
    goOn_ = !waiting_.empty();
}

// -- sending again

void LogWork::startReplay(Verifier verifier, std::uint32_t longest) {
    replaying_ = true;
    replayVerifier_ = verifier;
    pieces_.clear();
    for (WriteLog::Piece piece : log_->pieces()) {
        // What has no payload may be of any length.
        const bool moves = wire::carriesPayload(log_->records()[piece.record].op);
        for (std::uint32_t left = piece.length; left > 0; left -= piece.length) {
            piece.length = moves ? std::min(left, longest) : left;
            pieces_.push_back(piece);
            piece.offset += piece.length;
        }
    }
    sent_ = underWay_ = 0;
}

void LogWork::copyLogged(const Entry& entry, ByteSpan out) const {
    log_->copyPayload(pieces_[entry.piece], out);
}

void LogWork::endReplay() {
    log_->restart(replayVerifier_);
    reset();
}

void LogWork::reset() {
    *this = LogWork(log_);
}

void LogWork::leave() {
    const std::size_t reserved = reserved_;
    reset();
    reserved_ = reserved;
}

}  // namespace belay::session
