#pragma once

#include "core/base/clock.h"
#include "core/base/units.h"
#include "core/wire/message.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace belay::session {

// How far one request has come.
enum class EntryState : std::uint8_t {
    Parked,   // held here: not sent in this session
    Sent,     // the target has it or will have it
    Filling,  // answered; its payload is on the way
};

// Whose request it is.
enum class Origin : std::uint8_t {
    Kernel,
    Replay,    // a logged change that is sent again
    OwnFlush,  // so that the write log can be trimmed
    Probe,     // a read, to hear of the target
    Nobody,    // one of our own whose device is gone or whose answer is of no use any more
};

// One request that is not yet completed, of the kernel unless `origin` says something else.
struct Entry {
    Sequence sequence;
    DeviceId device;
    Tag tag;
    wire::Op op = wire::Op::Read;
    std::uint16_t flags = 0;  // kFlagFua, kFlagNoUnmap
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
    TimePoint arrived;  // the caller's clock; only ever shown
    EntryState state = EntryState::Parked;
    bool sentBefore = false;        // in this or an earlier session: a resend is a replay
    std::uint32_t payloadCrc = 0;   // of the answer, once known
    std::uint64_t writtenMark = 0;  // Flush: bytes of the export written when it was sent
    std::uint64_t logMark = 0;      // how far the write log was when it was sent
    Origin origin = Origin::Kernel;
    std::size_t piece = 0;     // Replay: which piece of the log
    std::size_t reserved = 0;  // room in the write log
    ExportId sentTo;           // the session's name for where it went
    // A request for which there was no room as a whole is cut: its beginning goes first, the rest
    // is an entry of its own, which waits for that.
    std::uint32_t inRequest = 0;        // where in the kernel's request this begins, bytes
    std::optional<Sequence> rest;       // of a beginning
    std::optional<Sequence> beginning;  // of a rest
};

// The requests under way, found by sequence in constant time and without allocation.
//
// - An entry's slot is its sequence modulo the capacity; next() skips sequences whose slot is
//   taken, so gaps in the numbers are normal.
// - Capacity only grows, and is at least twice the number of requests that can be under way.
class Ledger {
 public:
    // `first`: where numbering starts; must be above every sequence an earlier process used.
    Ledger(std::size_t capacity, Sequence first);

    // Room for so many from here on. Entries keep their sequences, and have other addresses.
    void grow(std::size_t capacity);

    // Adds a request under a fresh sequence; nothing when the ledger is full.
    Entry* add(const Entry& request);
    Entry* find(Sequence sequence);
    // v0 carries 32 bits: the one entry with these low bits, or null.
    Entry* findByLowBits(std::uint32_t low);
    void remove(Sequence sequence);

    std::size_t size() const { return size_; }
    std::size_t capacity() const { return slots_.size(); }

    // Every entry in ascending sequence; for the rare events (session end, listing).
    std::vector<Entry*> inOrder();

 private:
    std::vector<std::optional<Entry>> slots_;
    std::uint64_t next_;
    std::size_t size_ = 0;
};

}  // namespace belay::session
