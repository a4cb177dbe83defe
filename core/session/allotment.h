#pragma once

#include "core/base/units.h"

#include <cstdint>
#include <map>

namespace belay::session {

// How a session's transfer memory, and with it its number of outstanding requests, is shared out
// among the exports: each has a guaranteed part, and the rest is whoever's needs it first. So a
// store that hangs cannot take what another one needs to go on.
//
// - An initiator counts a request from the moment it is sent until its answer is there, a target
//   from its arrival until it is answered. So what an initiator finds room for, a target has room
//   for: it need not know of parts, which come and go with what the initiator knows of the exports.
// - A request takes its payload in whole pages, and at least so much that no more than
//   `maxOutstanding` of them have room together.
// - What an export has taken stays taken when it leaves, until it is given back.
class Allotment {
 public:
    // Nothing has room.
    Allotment() = default;
    Allotment(std::uint64_t memory, std::uint32_t maxOutstanding);

    // What each of so many exports is guaranteed: half of the memory is theirs, in equal parts, but
    // a part is never less than one request of one block takes.
    static std::uint32_t part(std::uint64_t memory, std::uint32_t maxOutstanding,
                              std::size_t exports, std::uint32_t blockSize);

    // Rounded up, by less than a byte for each request.
    std::uint64_t memory() const { return memory_; }
    // False: there is no room for its part now. Joined already: changes nothing.
    bool join(ExportId id, std::uint64_t guaranteed);
    void leave(ExportId id);
    bool hasJoined(ExportId id) const;

    // `length`: bytes of payload; 0 for what has none.
    bool hasRoom(ExportId id, std::uint32_t length) const;
    void take(ExportId id, std::uint32_t length);
    void giveBack(ExportId id, std::uint32_t length);
    bool hasTaken(ExportId id) const;
    // Its part; 0 if it has none.
    std::uint64_t guaranteed(ExportId id) const;

 private:
    struct Part {
        bool joined = false;
        std::uint64_t guaranteed = 0;
        std::uint64_t taken = 0;
        std::uint64_t bound() const { return taken > guaranteed ? taken : guaranteed; }
    };

    std::uint64_t cost(std::uint32_t length) const;

    std::uint64_t memory_ = 0;
    std::uint64_t least_ = 0;
    std::uint64_t bound_ = 0;  // the sum of all bounds
    std::map<ExportId, Part> parts_;
};

}  // namespace belay::session
