#include "core/store/clean_record.h"

#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/store/backing.h"
#include "core/store/identity.h"
#include "core/store/lock.h"
#include "core/store/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <thread>

namespace belay::store {
namespace {

using namespace std::chrono_literals;
constexpr auto kLookAgain = 20ms;
constexpr const char* kHint = "The record directory must exist and be writable for this process";

FileStamp stampOf(const struct statx& stat) {
    return {stat.stx_size, stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec};
}

constexpr unsigned kVersion = 2;
// The first version is still understood. In its day every file was offered with blocks of:
constexpr std::uint32_t kFirstVersionBlock = 512;

std::string encode(const CleanRecord& record, unsigned version = kVersion) {
    std::string text = fmt::format("belay-record {} {}", version, record.replaced);
    if (version == kVersion)
        text += fmt::format(" {}", record.blockSize);
    if (!record.clean)
        return text + fmt::format(" in-use {}\n", record.use);
    return text + fmt::format(" clean {} {} {}\n", record.clean->sizeBytes,
                              record.clean->modifiedSeconds, record.clean->modifiedNanoseconds);
}

std::optional<CleanRecord> decode(const std::string& text) {
    CleanRecord record;
    FileStamp stamp;
    unsigned version = 0;
    int end = 0;
    if (std::sscanf(text.c_str(), "belay-record %u %" SCNu64 "%n", &version, &record.replaced,
                    &end) != 2)
        return std::nullopt;
    const char* rest = text.c_str() + end;
    if (version == kVersion && std::sscanf(rest, "%" SCNu32 "%n", &record.blockSize, &end) == 1)
        rest += end;
    if (std::sscanf(rest, " clean %" SCNu64 " %" SCNd64 " %" SCNu32, &stamp.sizeBytes,
                    &stamp.modifiedSeconds, &stamp.modifiedNanoseconds) == 3)
        record.clean = stamp;
    else if (std::sscanf(rest, " in-use %" SCNu64, &record.use) != 1)
        return std::nullopt;
    // Written back it must be the same text: nothing else counts as a record.
    if ((version != 1 && version != kVersion) || encode(record, version) != text + "\n")
        return std::nullopt;
    if (version == 1)
        record.blockSize = kFirstVersionBlock;
    return record;
}

// One file's record, while nobody else reads or writes any in the directory.
class RecordFile {
 public:
    static Result<RecordFile> open(const std::string& directory, const Backing& backing) {
        Fd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!folder || ::flock(folder.get(), LOCK_EX) != 0)
            return systemError("read the record", directory, kHint);
        return RecordFile(directory + "/" + identify(backing).uuid.toString() + ".record",
                          std::move(folder));
    }

    Result<CleanRecord> load() const {
        const auto text = readTextFile(name_);
        if (!text && errno == ENOENT)
            return CleanRecord{};
        if (!text)
            return systemError("read the record", name_, kHint);
        if (auto record = decode(*text))
            return *record;
        // Whatever it said: a count that was never used makes the store another one, which is
        // safe.
        log::warning("record {} cannot be understood; the store counts as changed", name_);
        return CleanRecord{randomNonZero64(), std::nullopt};
    }

    // Old or new, never half of it, also after a power loss.
    Result<void> save(const CleanRecord& record) const {
        const std::string fresh = name_ + ".new";
        const std::string text = encode(record);
        const Fd file(
            ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file)
            return systemError("write the record", name_, kHint);
        const bool written =
            ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
            ::fsync(file.get()) == 0 && ::rename(fresh.c_str(), name_.c_str()) == 0;
        if (!written) {
            auto error = systemError("write the record", name_, kHint);
            ::unlink(fresh.c_str());
            return error;
        }
        if (::fsync(folder_.get()) != 0)
            return systemError("write the record", name_, kHint);
        return {};
    }

 private:
    RecordFile(std::string name, Fd folder) : name_(std::move(name)), folder_(std::move(folder)) {}

    std::string name_;
    Fd folder_;  // its lock is the directory's
};

Result<Backing> lookAt(int fd, const std::string& path) {
    Fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!own)
        return systemError("examine the store", path);
    return examineBacking(std::move(own), path);
}

Result<void> waitForLastWriter(int fd, const std::string& path, Duration patience) {
    const TimePoint deadline = Clock::now() + patience;
    while (isLocked(fd, false)) {
        if (Clock::now() >= deadline)
            return errorFrom(EBUSY, "note the end of the use of", path);
        std::this_thread::sleep_for(kLookAgain);
    }
    return {};
}

}  // namespace

Result<CleanRecord> beginRecord(const std::string& directory, int fd, const std::string& path,
                                bool writable) {
    const auto backing = lookAt(fd, path);
    if (!backing)
        return tl::make_unexpected(backing.error());
    if (backing->isBlockDevice)
        return CleanRecord{};
    const auto file = RecordFile::open(directory, *backing);
    if (!file)
        return tl::make_unexpected(file.error());
    auto record = file->load();
    // Somebody has it: a worker that outlived its supervisor, whose use goes on, or a stranger,
    // because of whom this one is going to fail.
    if (!record || isLocked(fd, !writable))
        return record;
    const FileStamp now = stampOf(backing->stat);
    const bool same = record->clean == now;
    if (record->clean && !same) {
        ++record->replaced;
        record->blockSize = 0;
        log::notice("store {}: changed since it was last closed", path);
    }
    // Nothing under way could leave a read-only one in doubt: what it looks like now is enough.
    record->use = writable ? randomNonZero64() : 0;
    record->clean = writable ? std::nullopt : std::optional(now);
    if (!writable && same)
        return record;
    auto saved = file->save(*record);
    if (!saved && saved.error().code == EROFS) {
        log::notice("{}; changes by others while nobody offers {} will not be noticed",
                    saved.error().message(), path);
        return CleanRecord{record->replaced, std::nullopt, 0, record->blockSize};
    }
    if (!saved)
        return tl::make_unexpected(std::move(saved.error()));
    return record;
}

Result<void> noteBlockSize(const std::string& directory, int fd, const std::string& path,
                           std::uint64_t use, std::uint32_t blockSize) {
    const auto backing = lookAt(fd, path);
    if (!backing)
        return tl::make_unexpected(backing.error());
    if (backing->isBlockDevice)
        return {};
    const auto file = RecordFile::open(directory, *backing);
    if (!file)
        return tl::make_unexpected(file.error());
    auto record = file->load();
    if (!record)
        return tl::make_unexpected(record.error());
    if (record->use != use || record->blockSize == blockSize)
        return {};
    record->blockSize = blockSize;
    return file->save(*record);
}

Result<void> endRecord(const std::string& directory, int fd, const std::string& path,
                       std::uint64_t use, Duration patience) {
    if (auto ended = waitForLastWriter(fd, path, patience); !ended)
        return ended;
    // Without it a power loss could leave an older modification time than the record's, and the
    // next use would take the file for another one.
    if (::fsync(fd) != 0)
        return systemError("save", path);
    const auto backing = lookAt(fd, path);
    if (!backing)
        return tl::make_unexpected(backing.error());
    const auto file = RecordFile::open(directory, *backing);
    if (!file)
        return tl::make_unexpected(file.error());
    auto record = file->load();
    if (!record)
        return tl::make_unexpected(record.error());
    if (record->use != use)
        return {};
    record->clean = stampOf(backing->stat);
    return file->save(*record);
}

}  // namespace belay::store
