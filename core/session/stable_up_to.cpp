#include "core/session/stable_up_to.h"

#include <algorithm>
#include <utility>

namespace belay::session {

void StableUpTo::accepted(const wire::Request& request) {
    if (request.op != wire::Op::Flush || flush_ != kNone)
        return;
    flush_ = request.sequence;
    before_ = std::min(before_, std::exchange(since_, kNone));
}

Sequence StableUpTo::answered(const wire::Request& request, bool succeeded, bool durable,
                              Verifier verifier) {
    // An initiator takes part only if the first is the one it was offered.
    if (!verifier_)
        verifier_ = verifier;
    lost_ = lost_ || verifier != *verifier_;
    highest_ = std::max(highest_, request.sequence);
    if (request.sequence == flush_) {
        flush_ = kNone;
        if (succeeded) {
            flushed_ = true;
            before_ = kNone;
        }
    } else if (request.op != wire::Op::Read && succeeded && !durable) {
        since_ = std::min(since_, request.sequence);
    }
    if (!flushed_ || lost_)
        return {};
    const Sequence lowest = std::min(before_, since_);
    return lowest == kNone ? highest_ : Sequence(lowest.value - 1);
}

}  // namespace belay::session
