#pragma once

#include "core/session/ledger.h"
#include "core/session/write_log.h"

#include <deque>
#include <optional>
#include <vector>

namespace belay::session {

// What the write log of one device asks of the initiator: room in it for what is sent, flushes of
// the initiator's own, and sending it again. All of it is empty for a device without a log.
//
// - Room is reserved before a change is sent, so that its answer can always be logged. Changes for
//   which there is none wait, for a flush or for more memory, whichever comes first; nothing else
//   does.
// - A flush of our own is due at half of the bound, and when the log is incomplete.
// - What is sent again goes under fresh sequences, unlike a request that is sent a second time. A
//   piece of a record is not the request that was answered: what younger records cover is left
//   out, so one request may come back as several. And the old number's place in the ledger may be
//   somebody else's by now. kFlagReplay tells the target that the bytes may be there already; it
//   needs no more, as all the pieces are flushed before any other request of the device is sent.
class LogWork {
 public:
    // The log must outlive this.
    explicit LogWork(WriteLog* log = nullptr) : log_(log) {}

    WriteLog* log() const { return log_; }

    // -- room

    // Reserves room for a parked request, unless it has it or needs none. False: it has to wait,
    // and is given back by takeWaiting().
    bool reserve(Entry& entry);
    // The request is answered or given up, and what is to be logged of it is logged.
    void release(Entry& entry);
    // There may be room again, or none is needed any more.
    bool mayGoOn() const { return goOn_; }
    std::deque<Sequence> takeWaiting();
    // The log has got more memory.
    void hasGrown();

    // -- what is sent on our own account

    // The next of our own requests, parked in the ledger, or null. Stays the same until sent().
    // `room`: the ledger may take another one.
    Entry* next(Ledger& ledger, DeviceId device, std::uint32_t maxOutstanding, bool room);
    void sent(const Entry& entry);
    // A flush, of whomever, has succeeded.
    void flushed(const Entry& entry);
    // The target says what is durable without having been asked. Returns the bytes of the device
    // that are saved by it.
    std::uint64_t stableUpTo(Sequence sequence);
    // One of our own has not, though nothing is lost. What waits goes on without room.
    void flushFailed();

    // -- sending again

    // `verifier`: of the target as it is now. `longest`: of what is sent at once, bytes.
    void startReplay(Verifier verifier, std::uint32_t longest);
    bool replaying() const { return replaying_; }
    // The payload of one of next()'s writes, into as many bytes as it is long.
    void copyLogged(const Entry& entry, ByteSpan out) const;
    Verifier replayVerifier() const { return replayVerifier_; }
    void replayed() { --underWay_; }
    // All of it is sent and flushed: the log is empty and goes on with the new verifier.
    void endReplay();

    // The session is over, or of no use to this device: as in the beginning, but for the log.
    void reset();
    // The device is out of the session, and what it has sent is still to be answered.
    void leave();

 private:
    bool flushIsDue() const;
    Entry* add(Ledger& ledger, const Entry& entry);

    WriteLog* log_;
    std::size_t reserved_ = 0;
    std::deque<Sequence> waiting_;
    bool goOn_ = false;
    std::optional<Sequence> pending_;
    bool flushing_ = false;
    bool flushFailed_ = false;
    bool replaying_ = false;
    Verifier replayVerifier_;
    std::vector<WriteLog::Piece> pieces_;  // to be sent again
    std::size_t sent_ = 0;                 // so many of them are
    std::size_t underWay_ = 0;             // of these, not answered
};

}  // namespace belay::session
