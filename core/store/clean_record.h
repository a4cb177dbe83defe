#pragma once

#include "core/base/error.h"
#include "core/base/uuid.h"

#include <cstdint>
#include <optional>
#include <string>

namespace belay::store {

struct Backing;

// What of a regular file changes with its content. The change time is not asked: renaming it or
// changing its mode would make it another disk.
struct FileStamp {
    std::uint64_t sizeBytes = 0;
    std::int64_t modifiedSeconds = 0;
    std::uint32_t modifiedNanoseconds = 0;

    bool operator==(const FileStamp&) const = default;
};

// The record of a file between two uses, kept in a directory that survives reboots.
struct CleanRecord {
    // How often the content was found changed by others; part of the generation.
    std::uint64_t replaced = 0;
    // What it looked like at the last clean close; nothing while it is open for writing, and
    // after an unclean end.
    std::optional<FileStamp> clean;
};

// Compares the file with its record and, for a writable one, notes durably that it is in use.
Result<CleanRecord> beginRecord(const std::string& directory, const Uuid& store,
                                const Backing& backing);
// Notes a clean close. The file must have been synced.
Result<void> endRecord(const std::string& directory, const Uuid& store, const Backing& backing,
                       CleanRecord record);

}  // namespace belay::store
