#pragma once

#include "tests/vm/scenario/stop_token.h"

#include <sys/types.h>

namespace scenario {

// Whoever is held by SIGSTOP and is not about to die; 0 if nobody is.
pid_t heldProcess();

// Has one process stand still at a named place, once, until it may go on: see
// core/base/stop_point.h. Nothing else of the machine may be held by SIGSTOP meanwhile.
class Hold {
 public:
    // As StopToken's.
    Hold(const QString& place, const QString& fifo) : token_(place, fifo) {}
    // Whoever stands there goes on.
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    // For the daemon whose process it is to be; processes that it starts inherit it.
    QStringList environment() const;
    // Whoever comes to the place next stands still there.
    void arm() { token_.arm(); }
    // Waits until somebody does; its process.
    pid_t await();
    void release();

 private:
    StopToken token_;
    pid_t held_ = 0;
};

}  // namespace scenario
