#pragma once

#include "core/base/error.h"
#include "core/session/allotment.h"
#include "core/session/stable_up_to.h"
#include "core/wire/message.h"

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace belay::session {

// What a target does with a request it has accepted.
enum class Step : std::uint8_t {
    ReceivePayload,  // a write: fetch its bytes, then run it
    Run,             // do it on the store
    Refuse,          // answer with `error` (a write's payload is fetched first and dropped)
};

struct Accepted {
    Step step = Step::Run;
    int error = 0;  // an errno, with Refuse
};

// The side that has the bytes. Checks every number from the wire against the export before it is
// used, and keeps the list of requests that are running, so that none runs twice at once.
//
// - A request that no sound initiator sends (other epoch, duplicate sequence, payload longer than
//   agreed) is an error: the caller ends the session.
// - A request that is only impossible (out of range, a write to a read-only export) is refused
//   with an errno, which the other side's issuer gets.
// - Each answer says up to which sequence changes are durable, as far as that is known
// (StableUpTo).
// - Says nothing about the store's own in-flight I/O: an export is in a session only when that of
//   earlier ones is done (design: exactly one run of I/O). The owner says which are.
class Target {
 public:
    // What was agreed on.
    struct Limits {
        std::uint32_t maxTransfer = 0;  // the longest payload, bytes
        std::uint32_t maxOutstanding = 0;
        std::uint64_t memory = 0;  // for payloads under way; 0: nothing was said of it
    };
    void sessionOpened(Epoch epoch, const Limits& limits);
    void sessionClosed();
    Epoch epoch() const { return epoch_; }

    // One that is not ready takes no requests yet.
    void addExport(const wire::ExportInfo& info);
    void setReady(ExportId id, bool ready);
    // Takes no more requests of it; those that run are answered still.
    void removeExport(ExportId id);
    const wire::ExportInfo* findExport(ExportId id) const;

    // A request for which there is no room is an error, if that was agreed on: a sound initiator
    // has not sent it.
    Result<Accepted> requestReceived(const wire::Request& request);
    // The answer to a request that was accepted, and the end of it: `error` is 0 or an errno,
    // `verifier` the store's after the operation. A change with FUA that succeeded must be durable
    // by now, whatever its kind: the answer says so.
    wire::Response answer(const wire::Request& request, int error, Verifier verifier);

    std::size_t running() const { return running_.size(); }

 private:
    struct Export {
        wire::ExportInfo info;
        StableUpTo stable;  // of this session
    };

    void resetSession();

    struct Running {
        ExportId exportId;
        std::uint32_t payload = 0;  // bytes that have room
    };

    Epoch epoch_;
    Limits limits_;
    Allotment allotment_;
    std::map<ExportId, Export> exports_;
    std::unordered_map<Sequence, Running> running_;
};

}  // namespace belay::session
