#include "helper/supervisor/content_records.h"

#include "core/base/log.h"

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>

namespace belay::helper {
namespace {

constexpr int kWitness = 3;
constexpr const char* kRights = "Run as root, or choose another --state-dir";

}  // namespace

Result<store::CleanRecord> ContentRecords::begin(const std::string& directory, int fd,
                                                 const std::string& path, bool writable) {
    std::error_code made;
    std::filesystem::create_directories(directory, made);
    if (!made)
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, made);
    // As in beginRecord(): nothing can be kept here, now or ever.
    if (made == std::errc::read_only_file_system) {
        log::notice("{}: {}; changes by others while nobody offers it will not be noticed", path,
                    errorFrom(made.value(), "make the directory", directory).value().message());
        return store::unrecorded(fd, path);
    }
    if (made)
        return errorFrom(made.value(), "make the directory", directory, kRights);
    auto record = store::beginRecord(directory, fd, path, writable);
    if (!record && record.error().code == EACCES)
        record.error().hint = kRights;
    return record;
}

void ContentRecords::noteBlockSize(store::CleanRecord& record, std::uint32_t blockSize) {
    if (record.blockSize == blockSize)
        return;
    record.blockSize = blockSize;
    const auto noted = store::noteBlockSize(directory_, record, blockSize);
    // Where nothing can be kept, begin() has said so.
    if (!noted && noted.error().code != EROFS && noted.error().code != ENOENT)
        log::warning("{}; its block size of {} will not be remembered", noted.error().message(),
                     blockSize);
}

void ContentRecords::end(const store::CleanRecord& record, int witness, const std::string& path,
                         std::function<void()> done) {
    if (record.use == 0) {
        done();
        return;
    }
    const auto use = record.use;
    std::vector<Fd> fds;
    fds.emplace_back(::fcntl(witness, F_DUPFD_CLOEXEC, 0));
    auto child = Child::spawn(ring_,
                              {{},
                               {"belay-record", kEndRecordArgument, directory_, path,
                                record.uuid.toString(), std::to_string(use)},
                               std::move(fds)},
                              [this, use, done](int) {
                                  ring_.destroyLater(std::move(ending_.extract(use).mapped()));
                                  done();
                              });
    if (child) {
        ending_[use] = std::move(*child);
        return;
    }
    log::warning("{}", child.error().message());
    done();
}

int endRecordMain(char** arguments) {
    log::setup("belay-record", log::Level::Notice);
    const store::CleanRecord begun{.uuid = Uuid::parse(arguments[2]).value_or(Uuid{}),
                                   .use = std::strtoull(arguments[3], nullptr, 10)};
    const auto ended =
        store::endRecord(arguments[0], kWitness, arguments[1], begun, ContentRecords::kPatience);
    if (ended)
        return EXIT_SUCCESS;
    log::warning("{}; changes by others until it is offered again will not be noticed",
                 ended.error().message());
    return EXIT_FAILURE;
}

}  // namespace belay::helper
