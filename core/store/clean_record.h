#pragma once

#include "core/base/clock.h"
#include "core/base/error.h"

#include <cstdint>
#include <optional>
#include <string>

namespace belay::store {

// What of a regular file changes with its content. The change time is not asked: renaming it or
// changing its mode would make it another disk.
struct FileStamp {
    std::uint64_t sizeBytes = 0;
    std::int64_t modifiedSeconds = 0;
    std::uint32_t modifiedNanoseconds = 0;

    bool operator==(const FileStamp&) const = default;
};

// What is known of a file over the times when nobody offers it: DIRECTORY/UUID.record, in a
// directory that survives reboots and that only its users may write to.
//
// - A *use* is the time for which one supervisor offers the file for writing, whatever becomes of
//   its workers. It begins with beginRecord() and ends with endRecord(); one that was not ended
//   (kill, power loss) leaves nothing to compare with, because the last change may have been ours.
// - Block devices have no record: nothing tells when they were changed.
struct CleanRecord {
    // How often the content was found changed by others: StoreOptions::replaced.
    std::uint64_t replaced = 0;
    // What it looked like at the end of the last use; nothing during one and after an unclean end.
    std::optional<FileStamp> clean;
    // Names the use under way; 0: none, so nothing is to be ended.
    std::uint64_t use = 0;
    // What it was offered with last: StoreOptions::lastBlockSize. 0: unknown, also when the content
    // was found changed.
    std::uint32_t blockSize = 0;
};

// Before a file is offered: compares it with its record, and for one that is `writable` notes
// durably that a use begins, in place of any other. While somebody has the store (lock.h), that
// one's use goes on. `fd`: the file, opened for reading; `path` is its name for messages. In a
// directory on a read-only file system nothing is noted, and a message says so.
Result<CleanRecord> beginRecord(const std::string& directory, int fd, const std::string& path,
                                bool writable);

// Notes durably which block size the file is offered with, in the use that began with `use`. Does
// nothing when another one has begun, and for block devices.
Result<void> noteBlockSize(const std::string& directory, int fd, const std::string& path,
                           std::uint64_t use, std::uint32_t blockSize);

// When nobody of `use` writes any more: makes the file durable, and notes what it looks like. May
// take as long as a flush.
//
// - `fd`: a description older than the use, to which the kernel reports each write-back that
//   failed meanwhile (errseq_t): then nothing is noted.
// - A killed worker's last I/O is waited for, as long as `patience`; then EBUSY.
// - Does nothing when another use has begun.
Result<void> endRecord(const std::string& directory, int fd, const std::string& path,
                       std::uint64_t use, Duration patience);

}  // namespace belay::store
