#pragma once

#include "core/base/error.h"

namespace belay::engine {

// Who opens sessions for an engine, and opens the next one when one has ended.
class SessionOwner {
 public:
    // The link is down and the session over.
    virtual void sessionEnded(const Error& reason) = 0;
    // A target's last store operation of an ended session is done.
    virtual void sessionDrained() {}
    // What a target offers in its session has changed: an export has come, has gone, or is ready.
    virtual void exportsChanged() {}

 protected:
    ~SessionOwner() = default;
};

}  // namespace belay::engine
