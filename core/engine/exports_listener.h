#pragma once

#include "core/base/error.h"
#include "core/wire/message.h"

#include <vector>

namespace belay::engine {

// What the session's target can do beyond reads and writes.
struct TargetTraits {
    bool fua = true;                // v0 has no FUA: the device must not advertise it
    std::uint32_t maxTransfer = 0;  // bytes
};

// Who makes devices of what a target offers; the initiator's end, in either direction.
class ExportsListener {
 public:
    // A session is open and these exports are in it, as far as they are ready. Nothing flows to a
    // device before it is offered to the engine (InitiatorEngine::exportOffered).
    virtual void exportsOffered(const std::vector<wire::ExportInfo>& exports,
                                const TargetTraits& traits) = 0;
    // The session goes on, and its target offers these now: some are new, gone, or ready.
    virtual void exportsChanged(const std::vector<wire::ExportInfo>& exports) = 0;
    // The session is over; devices wait.
    virtual void exportsLost(const Error& reason) = 0;

 protected:
    ~ExportsListener() = default;
};

}  // namespace belay::engine
