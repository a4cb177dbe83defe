#pragma once

#include "tests/sim/random.h"
#include "tests/sim/timeline.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace belay::sim {

// One value stands for the content of one block; 0 for zeroes.
using Blocks = std::vector<std::uint32_t>;
inline constexpr std::uint32_t kBlockBytes = 4096;

// A bug that the shells around the session classes have on purpose, to show that it is found.
enum class Plant : std::uint8_t {
    None,
    NoDrain,           // an export is ready while an old session's store I/O still runs
    NoLock,            // a restarted target opens a store that its dead forerunner still writes to
    StaleResponses,    // responses of another epoch are taken for this one's
    ReusedEpoch,       // all sessions have the same epoch
    VerifierIgnored,   // the initiator never looks at verifiers
    VerifierKept,      // the target keeps its verifier when a write-back failed
    CompletedOnLoss,   // losing the link completes what was sent
    ForgottenOnLoss,   // losing the link drops what was sent
    UnsavedForgotten,  // a restarted initiator takes everything for saved
    AnyDisk,           // another disk is taken for the same
    AnsweredEarly,     // a write is answered before the store has done it
    FuaOfWritesOnly,   // write zeroes with FUA are answered without being durable
    FlushSkipped,      // a flush is answered without doing it
    LogTrimmedEarly,   // the write log is trimmed when a flush is sent, not when it has succeeded
    StableTooFar,      // the target says that a flush covers what was answered during it
    StableTooLate,     // what a target said before later answers is believed after them
    LogDropped,        // a failed flush empties the write log
    SharesIgnored,     // the initiator sends as if all the memory were one device's
    HungBlocksAll,     // a session begins only when every store has done its old I/O
    LeavesWithErrors,  // what comes for an export that has left is answered with an error
    LogNotKept,        // a restarted initiator begins a log anew and takes it for complete
};

// What one history is like.
struct Settings {
    std::uint32_t exports = 1;
    std::uint32_t memory = 0;  // for payloads under way in a session, bytes
    std::uint32_t blocks = 16;
    std::uint32_t depth = 4;           // of the kernel's queue
    std::uint32_t maxOutstanding = 4;  // agreed for a session
    std::uint32_t requests = 40;
    std::uint32_t maxPause = 1000;  // between two requests, microseconds
    bool hostIsInitiator = true;    // attach, or lend
    bool canDiscard = true;
    bool payloadCrc = false;
    std::uint32_t logBytes = 0;  // room in the write log; 0: there is none
    bool dirtyPipes = false;     // a reset may leave old messages in the pipes
    Plant plant = Plant::None;
};

// What all parts of one world share: time, luck, its properties, the story so far and the first
// rule that was broken.
struct Context {
    Context(std::uint64_t seed, bool recorded) : random(seed), recording(recorded) {}

    bool planted(Plant plant) const { return settings.plant == plant; }

    // One line of history; costs nothing unless it is recorded.
    template <class... Args>
    void note(fmt::format_string<Args...> format, Args&&... args) {
        if (recording)
            history += fmt::format("{:>11.3f} ms  {}\n", static_cast<double>(time.now()) / 1000,
                                   fmt::format(format, std::forward<Args>(args)...));
    }
    template <class... Args>
    void broken(fmt::format_string<Args...> format, Args&&... args) {
        const std::string text = fmt::format(format, std::forward<Args>(args)...);
        note("*** {}", text);
        if (violation.empty())
            violation = text;
    }

    Timeline time;
    Random random;
    Settings settings;
    const bool recording;
    std::string history;
    std::string violation;
};

}  // namespace belay::sim
