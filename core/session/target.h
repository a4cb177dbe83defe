#pragma once

#include "core/base/error.h"
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
// - Says nothing about the store's own in-flight I/O: before a new session is called ready, its
//   owner waits until that is done (design: exactly one session).
class Target {
 public:
    // `maxTransfer`: the longest payload agreed on, bytes.
    void sessionOpened(Epoch epoch, std::uint32_t maxTransfer);
    void sessionClosed();
    Epoch epoch() const { return epoch_; }

    void addExport(const wire::ExportInfo& info);
    void removeExport(ExportId id);
    const wire::ExportInfo* findExport(ExportId id) const;

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

    Epoch epoch_;
    std::uint32_t maxTransfer_ = 0;
    std::map<ExportId, Export> exports_;
    std::unordered_map<Sequence, wire::Op> running_;
};

}  // namespace belay::session
