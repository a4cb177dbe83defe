#pragma once

#include "core/base/arena.h"
#include "core/base/end_of_turn.h"
#include "core/base/ring.h"
#include "core/engine/dialect.h"
#include "core/engine/session_owner.h"
#include "core/session/target.h"
#include "core/store/store.h"
#include "core/wire/export_pages.h"
#include "core/wire/link.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace belay::engine {

// What a store has done for its initiator, for those who watch. Of all sessions.
struct StoreCounters {
    std::uint64_t readBytes = 0;
    std::uint64_t writtenBytes = 0;
    std::uint64_t readOps = 0;
    std::uint64_t writeOps = 0;
    // Of the bytes written, those that no flush has made durable yet as far as this process knows:
    // the kernel writes back without a word.
    std::uint64_t unsavedBytes = 0;
    std::uint32_t inFlight = 0;
    std::optional<TimePoint> oldest;
};

// A request that a target has taken and not answered to the end.
struct TargetRequest {
    wire::Request request;
    bool answered = false;  // its bytes are on their way back
    TimePoint arrived{};
};

// The target's data path: requests from the link run on stores, answers go back.
//
// - Single-threaded, on the ring. Owns its stores, and the link of a session.
// - An export is in a session once its store has done all that earlier ones asked for: that is what
//   keeps a late write of an old session from landing after a replayed one. Until then it is not
//   ready. Where the protocol cannot say so (v0), a session waits for drained().
// - A store that hangs is its export's trouble. An initiator that takes part (kFeaturePerExport)
//   sends only what has room, and is not waited for if it does not; of one that cannot, each export
//   has its part of the memory, reads of the others go on, and only payloads of writes, which come
//   in order, wait behind one that has no place.
// - FUA holds for every change: what the store cannot make durable by itself (it can a write) is
//   followed by a flush of the store before it is answered.
// - What is longer than transfer memory can be at once goes in pieces: a write's bytes are taken
//   piece by piece before it is answered; a read is answered with its beginning, for the initiator
//   to ask for the rest. Only v0 has such requests, and allows both.
// - Every request takes its transfer memory before anything else of it happens, and memory that
//   carries an answer is always freed by the initiator, which has reserved its own beforehand; so
//   the two ends cannot wait for each other's memory.
class TargetEngine final : private wire::LinkListener, private store::StoreListener {
 public:
    explicit TargetEngine(Ring& ring);
    ~TargetEngine();

    // Offers a store. The id must be unused.
    void addStore(ExportId id, const std::string& label, std::unique_ptr<store::Store> store);
    // Takes no more requests for a store; those that run are answered. In a session that cannot say
    // so its owner has to begin another one (SessionOwner::exportsChanged).
    void retireStore(ExportId id);
    // Forgets a retired store and closes it, unless it has a request under way: then false.
    bool removeStore(ExportId id);
    StoreCounters counters(ExportId id) const;
    // Oldest first.
    std::vector<TargetRequest> inFlight(ExportId id) const;
    // What the stores offer now, with their present verifiers.
    std::vector<wire::ExportInfo> exports() const;
    // The same, as it is listed in the session that was prepared last: with parts of the memory,
    // and without what there is none for; or for a peer that knows neither parts nor readiness.
    wire::ExportList list(bool perExport) const;
    // Goes up with each change of the list.
    std::uint64_t changes() const { return changes_; }

    // Who is told of a session's end, or nobody.
    void setSessionOwner(SessionOwner* owner) { owner_ = owner; }
    // Harmless when somebody else is the owner by now.
    void clearSessionOwner(const SessionOwner* owner) {
        if (owner_ == owner)
            owner_ = nullptr;
    }
    bool drained() const { return jobsOnStore_ == 0; }
    bool hasSession() const { return link_ != nullptr; }
    Epoch epoch() const { return target_.epoch(); }

    // Shares the memory of a session that is being opened out among the exports there are.
    void prepareSession(std::uint64_t memory, std::uint32_t maxOutstanding);
    // Begins it on a clean link. Precondition: no session. A peer that sends a longer payload, or
    // has more unanswered than was agreed, ends it.
    void sessionOpened(std::unique_ptr<wire::Link> link, std::unique_ptr<Dialect> dialect,
                       Epoch epoch, std::uint32_t maxTransfer, bool perExport);
    // Ends it; sessionEnded() follows.
    void endSession(Error reason);

    std::uint64_t received() const { return received_; }
    std::uint64_t sent() const { return sent_; }

 private:
    struct Stored {
        ExportId id;
        std::unique_ptr<store::Store> store;
        std::size_t orphans = 0;  // operations of earlier sessions that run
        bool retired = false;
        StoreCounters done;
        std::uint64_t volatileBytes = 0;  // answered as written and not as durable, ever
        std::uint64_t savedBytes = 0;     // of them, those that a flush has covered
    };
    enum class JobState : std::uint8_t {
        Free,
        WaitingForMemory,
        Receiving,
        OnStore,
        Sending,
        InPieces
    };
    struct Job {
        JobState state = JobState::Free;
        bool orphan = false;  // its session is over
        bool placed = false;  // in rooms_
        int refusal = 0;      // an errno to answer with instead of running it
        wire::Request request;
        Stored* stored = nullptr;
        Buffer buffer;
        TimePoint arrived{};
        std::uint64_t covers = 0;  // a flush: of Stored::volatileBytes, those it makes durable
        // Done, and being made durable by a flush; the verifier it was done under.
        std::optional<Verifier> flushingUnder;
        // Of a write in pieces, each a job of its own, which has no memory itself.
        std::size_t piecesLeft = 0;
        int pieceError = 0;                // the first one's that failed
        std::optional<std::size_t> whole;  // a piece: of which job
    };

    void messagesReceived(ConstByteSpan transfer) override;
    void payloadSent(std::uint64_t cookie) override;
    void payloadReceived(std::uint64_t cookie) override;
    void linkDown(const Error& reason) override;
    void storeDone(std::uint64_t cookie, int error) override;

    Result<void> accept(ConstByteSpan message);
    std::size_t newJob();
    void takeInPieces(std::size_t index);
    void freeJob(std::size_t index);
    void begin(std::size_t index);
    void run(std::size_t index);
    void flushStore(std::size_t index);
    void done(std::size_t index);
    void finish(std::size_t index, int error);
    void answer(std::size_t index, int error);
    static void count(const Job& job);
    void feedWaiting();
    bool place(Job& job);
    void orphanDone(std::size_t index);
    void changed();
    std::uint32_t partOf(const wire::ExportInfo& info) const;
    void sendAnswers();
    void flushAnswers();

    Ring& ring_;
    SessionOwner* owner_ = nullptr;
    session::Target target_;
    std::map<ExportId, Stored> stores_;
    std::unique_ptr<wire::Link> link_;
    std::unique_ptr<Dialect> dialect_;
    std::shared_ptr<Arena> arena_;
    wire::MessageFraming framing_;
    std::uint64_t memory_ = 0;
    std::uint32_t maxOutstanding_ = 0;
    std::size_t sharers_ = 0;  // how many exports the memory was shared out among
    bool perExport_ = false;
    session::Allotment rooms_;  // unless the initiator keeps to it itself
    std::size_t placed_ = 0;    // jobs in it
    std::uint64_t changes_ = 0;
    bool ending_ = false;
    std::vector<Job> jobs_;
    std::vector<std::size_t> freeJobs_;
    std::deque<std::size_t> waiting_;
    std::size_t jobsOnStore_ = 0;
    std::vector<std::byte> answers_;
    std::vector<std::size_t> payloads_;  // jobs whose bytes follow the gathered answers, in order
    std::size_t payloadBytes_ = 0;       // of these
    EndOfTurn flush_;
    std::uint64_t received_ = 0;
    std::uint64_t sent_ = 0;
};

}  // namespace belay::engine
