#pragma once

#include "core/wire/message.h"

#include <limits>
#include <optional>

namespace belay::session {

// What a target says of one export beside every answer: the highest sequence S such that each
// change up to S which it has answered, in this session or an earlier one, is durable.
//
// - Messages keep their order, so S is about the answers before it and about no later one: a
//   change below S that is answered afterwards brings a lower S along. Who looks at S must not
//   have taken note of a later answer yet.
// - Only a flush makes durable what earlier sessions answered; until one has succeeded nothing is
//   said. It covers each change that was answered before the flush was asked for. So S says more
//   than the flush's own answer of the changes whose answers crossed the flush on the cable.
// - Of flushes that run at the same time only the first is looked at; that says less, never more.
// - Once the verifier has changed nothing is said any more in this session: no flush covers what
//   a failed write-back has dropped.
class StableUpTo {
 public:
    // A request is about to run.
    void accepted(const wire::Request& request);
    // It is over; `verifier` is the store's now. Returns what to say with its answer, 0: nothing.
    Sequence answered(const wire::Request& request, bool succeeded, bool durable,
                      Verifier verifier);

 private:
    static constexpr Sequence kNone{std::numeric_limits<std::uint64_t>::max()};

    std::optional<Verifier> verifier_;
    bool lost_ = false;       // the verifier has changed
    bool flushed_ = false;    // a flush has succeeded
    Sequence flush_ = kNone;  // the one that is looked at
    // The lowest of the changes that were answered without being durable, before that flush was
    // accepted and since then.
    Sequence before_ = kNone;
    Sequence since_ = kNone;
    Sequence highest_;
};

}  // namespace belay::session
