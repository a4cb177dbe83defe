#include "core/store/clean_record.h"

#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/store/backing.h"
#include "core/store/block_device.h"
#include "core/store/hash.h"
#include "core/store/identity.h"
#include "core/store/known_media.h"
#include "core/store/lock.h"
#include "core/store/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace belay::store {
namespace {

using namespace std::chrono_literals;
constexpr auto kLookAgain = 20ms;
constexpr const char* kHint = "The record directory must exist and be writable for this process";

// What there is to know of a store before it is offered, and after.
struct Look {
    Backing backing;
    std::optional<MediumContent> content;
    std::optional<Error> unread;  // why there is no content, though there should be one
    Identity identity;
};

Result<Look> lookAt(int fd, const std::string& path) {
    Fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!own)
        return systemError("examine the store", path);
    auto backing = examineBacking(std::move(own), path);
    if (!backing)
        return tl::make_unexpected(std::move(backing.error()));
    Look look{std::move(*backing), std::nullopt, std::nullopt, {}};
    if (const Fd medium = mediumOf(look.backing)) {
        auto content = readMedium(medium.get());
        if (content)
            look.content = std::move(*content);
        else
            look.unread =
                Error{content.error().what, path, content.error().code, content.error().hint};
    }
    look.identity = identify(look.backing, look.content);
    return look;
}

// By what it is known. What cannot be read has a say only in some identities, and none in that of a
// medium that has not left its place.
Result<Uuid> uuidOf(const Look& look, const KnownMedia& media) {
    if (isNamedByMedium(look.backing)) {
        if (look.backing.isBlockDevice)
            if (const auto stayed = media.stayed(look.backing.device()))
                return *stayed;
        if (look.unread)
            return tl::make_unexpected(*look.unread);
        if (look.backing.isBlockDevice)
            return media.find(look.identity.uuid);
    }
    if (look.unread)
        log::warning("{}; changes by others while nobody offered it are not noticed",
                     look.unread->message());
    return look.identity.uuid;
}

std::optional<FileStamp> stampOf(const Look& look) {
    const struct statx& stat = look.backing.stat;
    if (!look.backing.isBlockDevice)
        return FileStamp{stat.stx_size, stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec};
    if (!look.content)
        return std::nullopt;
    return FileStamp{0, static_cast<std::int64_t>(look.content->hash), 0};
}

std::uint64_t placeOf(const Backing& backing) {
    return Hash(6)
        .add(std::uint64_t{backing.device()})
        .add(backing.isBlockDevice ? diskSequence(backing.device()).value_or(0)
                                   : std::uint64_t{backing.stat.stx_ino})
        .value();
}

// Whoever reads local time takes it for that of the time zone of the day.
bool isSame(const FileStamp& before, const FileStamp& now, const Backing& backing) {
    constexpr std::int64_t kQuarter = 15 * 60;
    constexpr std::int64_t kMostShift = 26 * 60 * 60;  // from UTC-12 to UTC+14
    if (!keepsLocalTime(backing))
        return before == now;
    const std::int64_t shift = now.modifiedSeconds - before.modifiedSeconds;
    return before.sizeBytes == now.sizeBytes &&
           before.modifiedNanoseconds == now.modifiedNanoseconds && shift % kQuarter == 0 &&
           std::abs(shift) <= kMostShift;
}

constexpr unsigned kVersion = 3;
// Older versions are still understood: the second has no losses, the first no block size either. In
// its day every file was offered with blocks of:
constexpr std::uint32_t kFirstVersionBlock = 512;

std::string encode(const CleanRecord& record, unsigned version = kVersion) {
    std::string text = fmt::format("belay-record {} {}", version, record.replaced);
    if (version >= 2)
        text += fmt::format(" {}", record.blockSize);
    if (version >= 3)
        text += fmt::format(" {}", record.losses);
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
    if (version >= 2 && std::sscanf(rest, "%" SCNu32 "%n", &record.blockSize, &end) == 1)
        rest += end;
    if (version >= 3 && std::sscanf(rest, "%" SCNu64 "%n", &record.losses, &end) == 1)
        rest += end;
    if (std::sscanf(rest, " clean %" SCNu64 " %" SCNd64 " %" SCNu32, &stamp.sizeBytes,
                    &stamp.modifiedSeconds, &stamp.modifiedNanoseconds) == 3)
        record.clean = stamp;
    else if (std::sscanf(rest, " in-use %" SCNu64, &record.use) != 1)
        return std::nullopt;
    // Written back it must be the same text: nothing else counts as a record.
    if (version < 1 || version > kVersion || encode(record, version) != text + "\n")
        return std::nullopt;
    if (version == 1)
        record.blockSize = kFirstVersionBlock;
    return record;
}

// The directory of the records, while nobody else reads or writes in it.
struct Directory {
    std::string path;
    Fd lock;

    static Result<Directory> open(const std::string& path) {
        Directory folder{path, Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC))};
        if (!folder.lock || ::flock(folder.lock.get(), LOCK_EX) != 0)
            return systemError("read the record", path, kHint);
        return folder;
    }
    Result<void> sync() const {
        if (::fsync(lock.get()) != 0)
            return systemError("write the record", path, kHint);
        return {};
    }
};

class RecordFile {
 public:
    RecordFile(const Directory& directory, const Uuid& store)
        : directory_(directory),
          store_(store),
          name_(directory.path + "/" + store.toString() + ".record") {}

    Result<CleanRecord> load() const {
        const auto text = readTextFile(name_);
        if (!text && errno == ENOENT)
            return CleanRecord{.uuid = store_};
        if (!text)
            return systemError("read the record", name_, kHint);
        if (auto record = decode(*text)) {
            record->uuid = store_;
            return *record;
        }
        // Whatever it said: a count that was never used makes the store another one, which is
        // safe.
        log::warning("record {} cannot be understood; the store counts as changed", name_);
        return CleanRecord{.uuid = store_, .replaced = randomNonZero64()};
    }

    Result<void> save(const CleanRecord& record) const {
        if (auto saved = replaceTextFile(name_, encode(record)); !saved)
            return saved;
        return directory_.sync();
    }

 private:
    const Directory& directory_;
    const Uuid store_;
    const std::string name_;
};

Result<void> waitForLastWriter(int fd, const std::string& path, Duration patience) {
    const TimePoint deadline = Clock::now() + patience;
    while (isLocked(fd, false)) {
        if (Clock::now() >= deadline)
            return errorFrom(EBUSY, "note the end of the use of", path);
        std::this_thread::sleep_for(kLookAgain);
    }
    return {};
}

// The record as it is while a use goes on that begins now.
CleanRecord begun(CleanRecord record, const Look& look, bool changed, bool writable) {
    if (look.backing.isBlockDevice && record.use != 0)
        ++record.losses;  // it was not ended
    if (changed) {
        ++record.replaced;
        record.blockSize = 0;
    }
    // Nothing under way could leave a read-only one in doubt: what it looks like now is enough.
    record.use = writable ? randomNonZero64() : 0;
    record.clean = writable ? std::nullopt : stampOf(look);
    return record;
}

// Of the use that began with `begun`; of another one it stays as it is. What it is now.
Result<CleanRecord> changeRecord(const std::string& folder, const CleanRecord& begun,
                                 const std::function<void(CleanRecord& saved)>& change) {
    const auto directory = Directory::open(folder);
    if (!directory)
        return tl::make_unexpected(directory.error());
    const RecordFile file(*directory, begun.uuid);
    auto record = file.load();
    if (!record || record->use != begun.use)
        return record;
    change(*record);
    if (auto saved = file.save(*record); !saved)
        return tl::make_unexpected(std::move(saved.error()));
    return record;
}

Result<void> learnName(const std::string& folder, const CleanRecord& begun, const Look& look) {
    const auto directory = Directory::open(folder);
    if (!directory)
        return tl::make_unexpected(directory.error());
    return KnownMedia(folder).learn(begun.uuid, look.identity.uuid);
}

Result<void> keep(const Directory& directory, const Look& look, const CleanRecord& record) {
    if (look.backing.isBlockDevice && isNamedByMedium(look.backing)) {
        const KnownMedia media(directory.path);
        if (auto kept = media.stays(look.backing.device(), record.uuid); !kept)
            return kept;
    }
    return RecordFile(directory, record.uuid).save(record);
}

}  // namespace

Result<CleanRecord> unrecorded(int fd, const std::string& path) {
    const auto look = lookAt(fd, path);
    if (!look)
        return tl::make_unexpected(look.error());
    const auto uuid = uuidOf(*look, KnownMedia({}));
    if (!uuid)
        return tl::make_unexpected(uuid.error());
    return CleanRecord{.uuid = *uuid, .place = placeOf(look->backing), .losses = randomNonZero64()};
}

Result<CleanRecord> beginRecord(const std::string& folder, int fd, const std::string& path,
                                bool writable) {
    const auto look = lookAt(fd, path);
    if (!look)
        return tl::make_unexpected(look.error());
    const auto directory = Directory::open(folder);
    if (!directory)
        return tl::make_unexpected(directory.error());
    const auto uuid = uuidOf(*look, KnownMedia(folder));
    if (!uuid)
        return tl::make_unexpected(uuid.error());
    auto before = RecordFile(*directory, *uuid).load();
    if (before)
        before->place = placeOf(look->backing);
    // Somebody has it: a worker that outlived its supervisor, whose use goes on, or a stranger,
    // because of whom this one is going to fail.
    if (!before || isLocked(fd, !writable))
        return before;
    const auto now = stampOf(*look);
    const bool same = before->clean && now && isSame(*before->clean, *now, look->backing);
    const bool changed = before->clean && now && !same;
    if (changed)
        log::notice("store {}: changed since it was last closed", path);
    const CleanRecord record = begun(*before, *look, changed, writable);
    if (!writable && same)
        return record;
    auto saved = keep(*directory, *look, record);
    if (!saved && saved.error().code == EROFS) {
        log::notice("{}; changes by others while nobody offers {} will not be noticed",
                    saved.error().message(), path);
        return CleanRecord{.uuid = *uuid,
                           .place = record.place,
                           .replaced = record.replaced,
                           .losses = randomNonZero64(),
                           .blockSize = record.blockSize};
    }
    if (!saved)
        return tl::make_unexpected(std::move(saved.error()));
    return record;
}

bool isStill(const CleanRecord& begun, int fd) {
    Fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!own)
        return false;
    const auto backing = examineBacking(std::move(own), {});
    return backing && placeOf(*backing) == begun.place;
}

Result<void> noteBlockSize(const std::string& folder, const CleanRecord& begun,
                           std::uint32_t blockSize) {
    const auto record =
        changeRecord(folder, begun, [&](CleanRecord& saved) { saved.blockSize = blockSize; });
    return record ? Result<void>() : tl::make_unexpected(record.error());
}

Result<void> endRecord(const std::string& folder, int fd, const std::string& path,
                       const CleanRecord& begun, Duration patience) {
    if (auto ended = waitForLastWriter(fd, path, patience); !ended)
        return ended;
    auto record = changeRecord(folder, begun, [](CleanRecord& saved) { ++saved.losses; });
    if (!record)
        return tl::make_unexpected(record.error());
    if (record->use != begun.use)
        return {};
    // A power loss could also leave an older modification time than the record's, and the next use
    // would take the file for another one.
    if (::fsync(fd) != 0)
        return systemError("save", path);
    const auto look = lookAt(fd, path);
    if (!look)
        return tl::make_unexpected(look.error());
    if (look->unread)
        return tl::make_unexpected(*look->unread);
    if (look->backing.isBlockDevice && isNamedByMedium(look->backing))
        if (auto learned = learnName(folder, begun, *look); !learned)
            return learned;
    record = changeRecord(folder, begun, [&](CleanRecord& saved) {
        --saved.losses;
        saved.use = 0;
        saved.clean = stampOf(*look);
    });
    return record ? Result<void>() : tl::make_unexpected(record.error());
}

}  // namespace belay::store
