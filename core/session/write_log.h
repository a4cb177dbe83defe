#pragma once

#include "core/base/bytes.h"
#include "core/base/units.h"
#include "core/base/uuid.h"
#include "core/wire/message.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace belay::session {

// Copies of the changes of one device that were acknowledged and are not known to be durable, in
// the order of their acknowledgement, in memory that outlives the process (a memfd, mapped).
//
// - One copy of each payload: out of the link's transfer memory, where it still lies when the
//   answer comes, into the log. No system call, no allocation but for the index.
// - Whoever opens the same memory later finds every change whose append() has returned: a record
//   counts once its number is published, which is one store of eight bytes, the last of all. A
//   process that is killed in the middle leaves a torn record, which nobody was told of.
// - Begins at the front whenever it is empty, so it takes up no more memory than was ever unsaved,
//   and what it does not need any more can be given back (takeSpare).
// - Never touches memory that may not be there (useFirst): who writes to the device may be the
//   kernel, which needs its memory for something else, and nobody may wait for more of it then.
// - Numbers go up for ever, so what is left of an earlier lap is never taken for a record.
// - Complete: all that is unsaved is in it. A change that had no room makes it incomplete until a
//   flush covers that one too.
// - The header and the heads of records are trusted no more than their checksums: memory of another
//   version, another export, or with a damaged head up to the last published record gives an
//   incomplete log. Payloads have none: the order of the stores already tells a torn one, and a
//   checksum of each would cost a tenth of all the instructions of a write, for memory that nobody
//   else changes.
// - Little-endian in memory, as on the wire, though it never leaves the machine.
class WriteLog {
 public:
    static constexpr std::size_t kHeaderBytes = 4096;
    static constexpr std::size_t kRecordBytes = 64;  // of a record without its payload
    // How long the memory of a real device's log may be: a few requests of the longest kind at
    // least, and no more than anybody has use for.
    static constexpr std::size_t kLeastBytes = 4 << 20;
    static constexpr std::size_t kMostBytes = std::size_t{1} << 30;
    // Of the ring, what is not given back: a request of the longest kind (1 MiB) and a few others,
    // so that the device goes on, one flush for each, while there is no more memory. Whole pages of
    // any size.
    static constexpr std::size_t kKeptBytes = (1 << 20) + (256 << 10);

    struct Record {
        std::uint64_t number = 0;
        Sequence sequence;
        wire::Op op = wire::Op::Write;
        std::uint16_t flags = 0;   // the request's
        bool durable = false;      // only here because of what it covers:
        std::uint64_t covers = 0;  // records up to this number, which were answered before it was
                                   // sent; nobody knows what the store did first of the others
        std::uint64_t offset = 0;
        std::uint32_t length = 0;   // bytes of the device
        std::uint32_t payload = 0;  // bytes; 0 but for a write that is not durable
        std::size_t position = 0;   // in the ring
    };

    // Opens the log in `memory`, all zeroes or what an earlier process left; 8-byte aligned, longer
    // than kHeaderBytes, and mapped as long as this lives. `unsavedUnknown`: bytes of the export
    // may be unsaved, so that a log which has to begin anew is incomplete.
    WriteLog(ByteSpan memory, const Uuid& uuid, Verifier verifier, bool unsavedUnknown);

    // The target's verifier that the logged changes depend on.
    Verifier verifier() const { return verifier_; }
    bool complete() const { return covered_ >= lost_; }
    bool empty() const { return records_.empty(); }
    std::size_t capacity() const { return ring_.size(); }
    std::size_t used() const { return used_; }
    // Whether there is room for so many bytes of records, as room() counts.
    bool hasRoom(std::size_t bytes) const;

    // Of the ring only the first `bytes` are used from now on, and what is in use already: the rest
    // has no memory. All of it, unless this is called.
    void useFirst(std::size_t bytes);
    // How many that are.
    std::size_t usable() const { return usable_; }
    // There will soon be, or is, no room for more: how many should be usable. 0: it is well as it
    // is.
    std::size_t wanted() const { return wanted_; }
    // Room for so many bytes is needed now, beside what is used.
    void want(std::size_t bytes);
    // The memory of the first `bytes` of the ring, with the header: for the caller to have it there
    // before useFirst().
    ByteSpan first(std::size_t bytes) const {
        return memory_.first(kHeaderBytes + std::min(bytes, ring_.size()));
    }
    // Bytes of the device in records that are not durable.
    std::uint64_t unsavedBytes() const { return unsaved_; }
    // The part of the memory that was usable and that nothing is in, for the caller to give back to
    // the system: it may turn to zeroes, and is not used any more. Empty unless the log is, and
    // when asked again.
    ByteSpan takeSpare();

    // The room that a change with so many bytes of payload takes.
    static std::size_t room(std::size_t payload);
    // The next change, answered without being durable. Without room for it the log becomes
    // incomplete, and the answer is false.
    bool append(const wire::Request& change, ConstByteSpan payload);
    // The same for a durable one that was sent at `mark`. It leaves a record, without its payload,
    // if it covers others that older bytes would else be sent again of.
    bool appendDurable(const wire::Request& change, std::uint64_t mark);

    // What a flush that is sent now covers if it succeeds, and a durable change covers by its
    // bytes.
    std::uint64_t mark() const { return next_ - 1; }
    // A flush that was sent at `mark` has succeeded.
    void flushed(std::uint64_t mark);
    // The target says that all up to `sequence` is durable. Forgets records from the oldest on and
    // stops at the first that is younger, as they must stay in order. Returns the bytes of the
    // device that are saved by it.
    std::uint64_t stableUpTo(Sequence sequence);
    // Forgets all and is complete: nothing is unsaved, or its loss is accepted. From now on changes
    // depend on `verifier`.
    void restart(Verifier verifier);
    // Forgets all and is incomplete until the next flush: what is unsaved is not what it has.
    void abandon(Verifier verifier);

    // Oldest first.
    const std::deque<Record>& records() const { return records_; }
    // A part of a change.
    struct Piece {
        std::size_t record = 0;  // its place among records()
        std::uint64_t offset = 0;
        std::uint32_t length = 0;
    };
    // What is to be sent again, in the order of the records: of each byte of the device its last
    // change, unless a durable one covers it. So no byte ever gets an older value than it may have
    // had, however far it comes, and no two pieces overlap.
    std::vector<Piece> pieces() const;
    // The payload of a piece of a write, into exactly as many bytes.
    void copyPayload(const Piece& piece, ByteSpan out) const;

 private:
    bool load(const Uuid& uuid);
    bool append(Record record, ConstByteSpan payload);
    bool readRecord(std::size_t position, Record& record) const;
    void writeHeader();
    void publish(std::uint64_t number);
    std::uint64_t published() const;
    void forgetFirst();
    std::size_t advance(std::size_t position, std::size_t bytes) const;
    std::size_t tail() const { return advance(head_, used_); }

    ByteSpan memory_;
    ByteSpan ring_;
    Uuid uuid_;
    Verifier verifier_;
    std::deque<Record> records_;
    std::size_t head_ = 0;
    std::size_t used_ = 0;
    std::size_t highest_ = 0;  // bytes of the ring, from its front, that may take up memory
    std::size_t usable_ = 0;   // bytes of the ring, from its front, that have memory
    std::size_t wanted_ = 0;
    std::uint64_t unsaved_ = 0;
    std::uint64_t next_ = 1;        // number
    std::uint64_t covered_ = 0;     // all numbers up to this are durable
    std::uint64_t lost_ = 0;        // the last number that has no record
    std::uint64_t generation_ = 0;  // of the header
};

}  // namespace belay::session
