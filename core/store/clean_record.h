#pragma once

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/uuid.h"
#include "core/store/medium.h"

#include <cstdint>
#include <optional>
#include <string>

namespace belay::store {

// What of a store changes with its content. A regular file's change time is not asked: renaming it
// or changing its mode would make it another disk. A block device has no times: what it has instead
// is in `modifiedSeconds`, MediumContent::hash.
struct FileStamp {
    std::uint64_t sizeBytes = 0;
    std::int64_t modifiedSeconds = 0;
    std::uint32_t modifiedNanoseconds = 0;

    bool operator==(const FileStamp&) const = default;
};

// What is known of a store over the times when nobody offers it: DIRECTORY/UUID.record, in a
// directory that survives reboots and that only its users may write to. Beside it, by which names
// media are known: known_media.h.
//
// - A *use* is the time for which one supervisor offers the store for writing, whatever becomes of
//   its workers. It begins with beginRecord() and ends with endRecord(); one that was not ended
//   (kill, power loss) leaves nothing to compare with, because the last change may have been ours.
// - A use that was ended, but could not make everything durable, counts as a loss: whoever opens
// the
//   store next is told of no error that was met before. So does, for a block device, one that was
//   not ended: the last to close it writes back what is in its page cache, drops that, and tells
//   nobody what came of it (blkdev_put_whole). A file's page cache stays.
struct CleanRecord {
    // By what the store is known: StoreOptions::uuid.
    Uuid uuid;
    // The very file, or the medium in its place, that this is about: isStill(). Not kept.
    std::uint64_t place = 0;
    // How often the content was found changed by others: StoreOptions::replaced.
    std::uint64_t replaced = 0;
    // What it looked like at the end of the last use; nothing during one and after an unclean end.
    std::optional<FileStamp> clean;
    // How often a use may have ended without all that was written being durable:
    // StoreOptions::losses.
    std::uint64_t losses = 0;
    // Names the use under way; 0: none, so nothing is to be ended.
    std::uint64_t use = 0;
    // What it was offered with last: StoreOptions::lastBlockSize. 0: unknown, also when the content
    // was found changed.
    std::uint32_t blockSize = 0;
};

// Before a store is offered: finds out what it is, compares it with its record, and for one that is
// `writable` notes durably that a use begins, in place of any other. While somebody has the store
// (lock.h), that one's use goes on. `fd`: the store, opened for reading; `path` is its name for
// messages. In a directory on a read-only file system nothing is noted, and a message says so.
Result<CleanRecord> beginRecord(const std::string& directory, int fd, const std::string& path,
                                bool writable);
// The same where there is no directory and can be none: it has a uuid and, since no end of a use
// can be noted, a loss.
Result<CleanRecord> unrecorded(int fd, const std::string& path);

// Whether `fd` is open on what the use began with, and not on another file of that name or another
// card in that reader: such a one is another store, whose use begins with another record. True of a
// file as long as the descriptor lives with which its use began, since no other file gets its inode
// number meanwhile.
bool isStill(const CleanRecord& begun, int fd);

// Notes durably which block size the store is offered with, in the use that began with `begun`.
// Does nothing when another one has begun.
Result<void> noteBlockSize(const std::string& directory, const CleanRecord& begun,
                           std::uint32_t blockSize);

// When nobody of that use writes any more: makes the store durable, and notes what it looks like.
// May take as long as a flush, and reads the medium.
//
// - `fd`: a description older than the use, to which the kernel reports each write-back that
//   failed meanwhile (errseq_t): then nothing is noted but a loss. Until all is durable a loss
//   stands in the record, so that one is noted even if this process is killed.
// - A killed worker's last I/O is waited for, as long as `patience`; then EBUSY.
// - Does nothing when another use has begun.
Result<void> endRecord(const std::string& directory, int fd, const std::string& path,
                       const CleanRecord& begun, Duration patience);

}  // namespace belay::store
