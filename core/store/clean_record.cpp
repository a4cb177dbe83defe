#include "core/store/clean_record.h"

#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/store/backing.h"
#include "core/store/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>

namespace belay::store {
namespace {

constexpr const char* kHint = "The record directory must exist and be writable for this process";

std::string recordName(const std::string& directory, const Uuid& store) {
    return directory + "/" + store.toString() + ".record";
}

FileStamp stampOf(const struct statx& stat) {
    return {stat.stx_size, stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec};
}

std::string encode(const CleanRecord& record) {
    if (!record.clean)
        return fmt::format("belay-record 1 {} in-use\n", record.replaced);
    return fmt::format("belay-record 1 {} clean {} {} {}\n", record.replaced,
                       record.clean->sizeBytes, record.clean->modifiedSeconds,
                       record.clean->modifiedNanoseconds);
}

std::optional<CleanRecord> decode(const std::string& text) {
    CleanRecord record;
    FileStamp stamp;
    const int fields = std::sscanf(
        text.c_str(), "belay-record 1 %" SCNu64 " clean %" SCNu64 " %" SCNd64 " %" SCNu32,
        &record.replaced, &stamp.sizeBytes, &stamp.modifiedSeconds, &stamp.modifiedNanoseconds);
    if (fields == 4)
        record.clean = stamp;
    // Written back it must be the same text: nothing else counts as a record.
    return fields >= 1 && encode(record) == text + "\n" ? std::optional(record) : std::nullopt;
}

Result<CleanRecord> load(const std::string& name) {
    const auto text = readTextFile(name);
    if (!text && errno == ENOENT)
        return CleanRecord{};
    if (!text)
        return systemError("read the record", name, kHint);
    if (auto record = decode(*text))
        return *record;
    // Whatever it said: a count that was never used makes the store another one, which is safe.
    log::warning("record {} cannot be understood; the store counts as changed", name);
    return CleanRecord{randomNonZero64(), std::nullopt};
}

// Old or new, never half of it, also after a power loss.
Result<void> save(const std::string& directory, const std::string& name,
                  const CleanRecord& record) {
    const std::string fresh = fmt::format("{}.{}.new", name, ::getpid());
    const std::string text = encode(record);
    const Fd file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file)
        return systemError("write the record", name, kHint);
    const bool written =
        ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file.get()) == 0 && ::rename(fresh.c_str(), name.c_str()) == 0;
    if (!written) {
        auto error = systemError("write the record", name, kHint);
        ::unlink(fresh.c_str());
        return error;
    }
    const Fd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0)
        return systemError("write the record", name, kHint);
    return {};
}

}  // namespace

Result<CleanRecord> beginRecord(const std::string& directory, const Uuid& store,
                                const Backing& backing) {
    const std::string name = recordName(directory, store);
    auto record = load(name);
    if (!record)
        return record;
    // Asked again, now that nobody else of ours can change it.
    struct statx stat {};
    if (::statx(backing.fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stat) != 0)
        return systemError("examine the store", backing.path);
    const bool replaced = record->clean && *record->clean != stampOf(stat);
    if (replaced) {
        ++record->replaced;
        log::notice("store {}: changed since it was last closed", backing.path);
    }
    // A read-only one has nothing under way that an unclean end could leave in doubt.
    if (backing.readOnly && !replaced)
        return record;
    record->clean = backing.readOnly ? std::optional(stampOf(stat)) : std::nullopt;
    if (auto saved = save(directory, name, *record); !saved)
        return tl::make_unexpected(std::move(saved.error()));
    return record;
}

Result<void> endRecord(const std::string& directory, const Uuid& store, const Backing& backing,
                       CleanRecord record) {
    struct statx stat {};
    if (::statx(backing.fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stat) != 0)
        return systemError("examine the store", backing.path);
    record.clean = stampOf(stat);
    return save(directory, recordName(directory, store), record);
}

}  // namespace belay::store
