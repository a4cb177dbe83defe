// The part of Store that knows what is durable: flushes, FUA writes, and failures of either.

#include "core/base/log.h"
#include "core/store/backing.h"
#include "core/store/operation.h"
#include "core/store/store.h"
#include "core/store/writeback_state.h"

#include <cstring>
#include <utility>

namespace belay::store {

void Store::syncBegins() {
    if (syncs_++ == 0)
        writeback_->setSyncing(true);
}

void Store::syncEnds() {
    if (--syncs_ == 0)
        writeback_->setSyncing(false);
}

void Store::fuaEnded(const Op& op) {
    syncEnds();
    --fua_[op.fuaPhase];
    if (flushReturned_ && fua_[1 - fuaPhase_] == 0)
        answerFlushes();
}

void Store::startFlush() {
    if (flushing_ != nullptr || flushWaiting_ == nullptr)
        return;
    flushing_ = std::exchange(flushWaiting_, nullptr);
    syncBegins();
    issue(*flushing_);
}

void Store::flushed(int result) {
    flushResult_ = result;
    flushReturned_ = true;
    if (result < 0)
        writeBackFailed(-result);
    syncEnds();
    fuaPhase_ = 1 - fuaPhase_;
    if (fua_[1 - fuaPhase_] == 0)
        answerFlushes();
}

void Store::answerFlushes() {
    flushReturned_ = false;
    int error = flushResult_ < 0 ? -flushResult_ : 0;
    const int owed = std::exchange(owedFlushError_, 0);
    if (error == 0)
        error = owed;
    if (error == 0)
        loggedError_ = 0;
    Op* answered = std::exchange(flushing_, nullptr);
    // Before anything is answered: an answer may ask for another flush.
    startFlush();
    while (answered != nullptr) {
        Op& op = *std::exchange(answered, answered->next);
        finish(op, error);
    }
}

void Store::writeBackFailed(int error) {
    writeback_->lost();
    if (std::exchange(loggedError_, error) != error)
        log::error("store {}: bytes could not be stored ({}); what was not flushed may be lost",
                   backing_->path, std::strerror(error));
}

}  // namespace belay::store
