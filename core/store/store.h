#pragma once

// core/store: where a target keeps an export's bytes.
//
// What it is for: reading and writing a regular file or a block device through the ring, holding
// it for one process alone, knowing it again later (identity), and never forgetting that bytes
// which were acknowledged may have been lost (verifier).
// What it may know: core/base and Linux files; nothing of sessions, messages, USB or ublk.
// Where to start reading: Store below; store.cpp is the data path, backing.h is what happens at
// open, writeback_state.h is what survives the process.

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/ring.h"
#include "core/base/units.h"
#include "core/base/uuid.h"
#include "core/store/hash.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace belay::store {

struct Backing;
class Operations;
class WritebackState;
struct StoreOperation;

// Why a store has the block size that it has, the first that applies.
enum class BlockSizeReason : std::uint8_t {
    Asked,           // StoreOptions::blockSize
    Remembered,      // StoreOptions::lastBlockSize
    PartitionTable,  // a file with a GUID partition table for 4096-byte blocks, and none for 512
    Usual,           // a file's 512, a block device's own
};

struct StoreOptions {
    // What to open; for adopt() only a name for messages.
    std::string path;
    bool readOnly = false;
    // Bytes, a power of two, 512 .. 65536; of a block device its logical block size at least.
    // 0: see BlockSizeReason.
    std::uint32_t blockSize = 0;
    // What it was offered with last, 0 if nobody knows. Whoever has the disk writes its partition
    // table: to go by that each time would make another disk of it.
    std::uint32_t lastBlockSize = 0;
    // By what it is known (CleanRecord::uuid). Nil: what it says of itself now decides
    // (identity.h).
    Uuid uuid;
    // A directory that lives as long as the boot (under /run), writable for this process: keeps
    // the verifier over restarts of the process. Empty: every open has a new verifier, which is
    // safe but makes the initiator send again what was durable.
    std::string stateDir;
    // Another open file description of the same store, from before the last process that wrote to
    // it, or -1. Stays the caller's, and must stay open until Store::settled(). Proves that a sync
    // which that process left unfinished had lost nothing, so that the verifier stays.
    int witness = -1;
    // How often the content was found changed while nobody offered it: see clean_record.h.
    std::uint64_t replaced = 0;
    // How often its use may have ended without all being durable: CleanRecord::losses.
    std::uint64_t losses = 0;
};

struct Geometry {
    std::uint64_t sizeBytes = 0;
    std::uint32_t blockSize = 0;  // bytes
    BlockSizeReason blockSizeReason = BlockSizeReason::Usual;
    bool readOnly = false;
    // Turns false when the first discard finds that the file system cannot.
    bool canDiscard = false;
    // By real writes where the file system has nothing better.
    bool canWriteZeroes = false;
    // Stable over restarts, reboots and renames within the file system; see identity.h.
    Uuid uuid;
    // Changes when another file took the place, and with StoreOptions::replaced. What happens to
    // a store while it is open cannot be told from our own writes: the generation stays.
    std::uint64_t generation = 0;
};

// Told when an operation is complete. Called from the event ring, never from inside a function of
// Store.
class StoreListener {
 public:
    // `error`: 0 or a positive errno, as the kernel gave it. The buffer is the caller's again.
    // Store::verifier() read from inside this call belongs to this operation.
    virtual void storeDone(std::uint64_t cookie, int error) = 0;
    // Store::settled() has become true.
    virtual void storeSettled() {}

 protected:
    ~StoreListener() = default;
};

// One file or block device in use by this process.
//
// - Nobody else has it: an open-file-description lock (fcntl(2), F_OFD_SETLK; shared when
//   read-only), for block devices also O_EXCL. The kernel lets go only with the last reference to
//   the description, so after kill -9 it is held until the last I/O under way is over.
// - Buffers are the caller's and must stay valid until storeDone().
// - Operations run at the same time and in any order; a flush covers what was *answered* before it
//   was asked for. Flushes that wait for a running one are served by one fdatasync(2).
// - Every operation is one submission (more only for short transfers, retries and emulated write
//   zeroes); nothing is allocated once the most operations ever under way at once is reached,
//   unless the file system cannot use the caller's memory.
// - At most kMostAtOnce operations and one flush are with the kernel, the others wait here in
//   order: each may block one of the ring's workers, and a store that hangs must not take them all.
// - A range outside the store, empty, or not of whole blocks: EINVAL. Changing a read-only store:
//   EROFS. A file that turns out shorter than its geometry: EIO, from then on for everything,
//   because what a later write would put between old and new end reads as zeroes. A write that
//   comes before any read past the new end is not noticed.
// - Not thread-safe. Must not be destroyed from inside storeDone().
class Store {
 public:
    static constexpr unsigned kMostAtOnce = 16;

    // Opens `options.path`. EBUSY means that somebody has it, perhaps a process just killed whose
    // I/O is not over yet: try again later; this never waits for it.
    static Result<std::unique_ptr<Store>> open(Ring& ring, const StoreOptions& options,
                                               StoreListener& listener);
    // Takes over a descriptor opened by somebody with the right to; read-only if it is opened so.
    // - It must be an open file description of its own: one that is kept by whoever passed it
    //   would keep the lock as well and no longer tell a dead process's I/O from none (one that
    //   already carries a lock is refused with EBUSY). Who keeps a file for later opens
    //   /proc/self/fd/N anew for each process.
    // - Block devices should have been opened with O_EXCL.
    // - O_APPEND, O_DIRECT and O_NONBLOCK are switched off.
    static Result<std::unique_ptr<Store>> adopt(Ring& ring, Fd fd, const StoreOptions& options,
                                                StoreListener& listener);
    // inFlight() must be 0, or the process is aborted: the kernel would go on writing to buffers
    // that are gone.
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    const Geometry& geometry() const { return geometry_; }
    // Changes, for this and every later process of this boot, whenever acknowledged bytes may
    // have been lost:
    // - after a reboot;
    // - when the page cache that held the bytes is another one: see instance.h;
    // - when StoreOptions::losses has grown;
    // - when a flush failed, a FUA write failed, or another change failed with EIO;
    // - at open, when the last process ended in the middle of a flush or FUA write: had that one
    //   failed, the kernel would have told nobody (it reports a write-back error once for each
    //   open file description, errseq_t).
    // A change that was under way when it changed is done again before it is answered, so that
    // the verifier read in storeDone() is true of its bytes.
    Verifier verifier() const;

    // False for a while after it was opened for writing, for as long as its file system likes: what
    // that must be asked is under way in the ring. Until then geometry().canDiscard and verifier()
    // are not known, no operation may be started, and inFlight() is not 0.
    bool settled() const { return settling_ == 0; }

    // Offsets and lengths in bytes. Each ends in storeDone(cookie).
    void read(std::uint64_t offset, ByteSpan out, std::uint64_t cookie);
    // Reads at once what the system has in memory (preadv2(2), RWF_NOWAIT). False if that is not
    // all of it, or anything else is in the way: then read() is to be asked, and tells what.
    bool readCached(std::uint64_t offset, ByteSpan out) const;
    // `fua`: durable before it is answered (RWF_DSYNC).
    void write(std::uint64_t offset, ConstByteSpan data, bool fua, std::uint64_t cookie);
    // fdatasync(2). An error that a FUA write met is also told to the flush after it, since it
    // may be about bytes of other writes.
    void flush(std::uint64_t cookie);
    // Gives space back; EOPNOTSUPP where that is not possible. Reads as zeroes afterwards.
    void discard(std::uint64_t offset, std::uint64_t length, std::uint64_t cookie);
    // `noUnmap`: keeps (or gets) the space.
    void writeZeroes(std::uint64_t offset, std::uint64_t length, bool noUnmap,
                     std::uint64_t cookie);

    // Operations whose storeDone() has not been called yet.
    unsigned inFlight() const { return inFlight_; }
    // Everything answered from now on goes to `listener`, whoever asked for it.
    void setListener(StoreListener& listener) { listener_ = &listener; }

 private:
    friend struct StoreOperation;
    using Op = StoreOperation;

    Store(Ring& ring, Backing backing, StoreListener& listener);
    static Result<std::unique_ptr<Store>> make(Ring& ring, Backing backing,
                                               const StoreOptions& options,
                                               StoreListener& listener);

    Op& take(std::uint64_t offset, std::uint64_t length, std::uint64_t cookie);
    int refusal(std::uint64_t offset, std::uint64_t length, bool changes) const;
    void answerLater(Op& op, int error);
    void begin(Op& op);
    void submit(Op& op);
    void beginNext();
    void issue(Op& op);
    void completed(Op& op, int result);
    void transferred(Op& op, int result);
    void changed(Op& op);
    void failed(Op& op, int error);
    bool tryAnotherWay(Op& op);
    static bool useOrdinaryMemory(Op& op);
    void finish(Op& op, int error);

    void settle(int witness);
    void settled(Op& op, int result);

    void syncBegins();
    void syncEnds();
    void fuaEnded(const Op& op);
    void startFlush();
    void flushed(int result);
    void answerFlushes();
    void writeBackFailed(int error);
    void truncatedInUse();

    Ring& ring_;
    StoreListener* listener_;
    std::unique_ptr<Backing> backing_;
    std::unique_ptr<WritebackState> writeback_;
    std::unique_ptr<Operations> operations_;
    Geometry geometry_;
    Hash verifierSeed_{0};
    unsigned settling_ = 0;  // questions under way
    unsigned inFlight_ = 0;
    unsigned running_ = 0;  // with the kernel, without flushes and answers
    Op* firstWaiting_ = nullptr;
    Op* lastWaiting_ = nullptr;
    unsigned syncs_ = 0;
    bool truncated_ = false;
    int loggedError_ = 0;

    // Flushes: one fdatasync at a time. The kernel hands each write-back error to one caller
    // only, so a flush that succeeded is not answered before every FUA write that ran beside it
    // has shown whether it got the error: those are in fua_[1 - fuaPhase_].
    Op* flushing_ = nullptr;
    Op* flushWaiting_ = nullptr;
    int flushResult_ = 0;
    bool flushReturned_ = false;
    int owedFlushError_ = 0;
    unsigned fua_[2] = {0, 0};
    unsigned fuaPhase_ = 0;
};

}  // namespace belay::store
