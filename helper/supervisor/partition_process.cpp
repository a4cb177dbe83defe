#include "helper/supervisor/partition_process.h"

#include "core/base/log.h"
#include "core/partitions/kernel.h"
#include "core/partitions/list.h"
#include "core/partitions/probe.h"
#include "core/ublk/device.h"
#include "core/ublk/holders.h"
#include "helper/worker/syscall_filter.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

namespace belay::helper {
namespace {

using partitions::Change;
using partitions::Entry;

// For each partition one that goes and one that comes.
constexpr std::size_t kMostChanges = std::size_t{2} * partitions::kHighestNumber;

// A table that has its reader go round in circles.
constexpr rlim_t kMostCpuSeconds = 5;
constexpr rlim_t kMostMemory = rlim_t{64} << 20;

static_assert(std::is_trivially_copyable_v<Change>);

std::uint32_t numberFrom(const char* text) {
    return static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

template <class T>
std::vector<std::byte> bytesOf(const std::vector<T>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    return {bytes.begin(), bytes.end()};
}

template <class T>
Result<std::vector<T>> valuesOf(const std::vector<std::byte>& bytes) {
    if (bytes.size() % sizeof(T) != 0)
        return failure("a message between processes of one program is cut off");
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty())
        std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

Result<Fd> openDisk(DeviceId id) {
    const std::string path = ublk::diskNode(id);
    // To open it for writing would tell everybody, at the close, that it was written to.
    Fd disk(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!disk)
        return systemError("open", path);
    struct stat status {};
    if (::fstat(disk.get(), &status) < 0 || !S_ISBLK(status.st_mode))
        return errorFrom(ENOTBLK, "open", path);
    return disk;
}

Result<void> limitResources() {
    constexpr std::pair<__rlimit_resource, rlim_t> kLimits[] = {{RLIMIT_CPU, kMostCpuSeconds},
                                                                {RLIMIT_DATA, kMostMemory},
                                                                {RLIMIT_CORE, 0},
                                                                {RLIMIT_FSIZE, 0},
                                                                {RLIMIT_NPROC, 0}};
    for (const auto& [resource, most] : kLimits) {
        const rlimit limit{most, most};
        if (::setrlimit(resource, &limit) < 0)
            return systemError("limit a process");
    }
    return {};
}

Result<std::vector<Entry>> entriesOf(DeviceId id, const Identity& identity) {
    auto disk = openDisk(id);
    if (!disk)
        return tl::make_unexpected(disk.error());
    auto probe = partitions::Probe::prepare(std::move(*disk));
    if (!probe)
        return tl::make_unexpected(probe.error());
    if (auto limited = limitResources(); !limited)
        return tl::make_unexpected(limited.error());
    if (auto dropped = giveUpPrivileges(identity, {}, false); !dropped)
        return tl::make_unexpected(dropped.error());
    if (auto filtered = allowReadingOnly(); !filtered)
        return tl::make_unexpected(filtered.error());
    return probe->entries();
}

}  // namespace

std::unique_ptr<OwnTask> readPartitions(Ring& ring, DeviceId disk, const Identity& identity,
                                        std::function<void(Result<std::vector<Entry>>)> callback) {
    OwnTask::Work work;
    work.args = {ublk::kPartitionProcessName, kReadPartitionsArgument, std::to_string(disk.value),
                 std::to_string(identity.uid), std::to_string(identity.gid)};
    work.longestAnswer = partitions::kLongestList;
    return std::make_unique<OwnTask>(
        ring, std::move(work),
        [callback = std::move(callback)](const Result<std::vector<std::byte>>& answer) {
            callback(answer ? partitions::decodeList(*answer)
                            : tl::make_unexpected(answer.error()));
        });
}

std::unique_ptr<OwnTask> changePartitions(Ring& ring, DeviceId disk,
                                          const std::vector<Change>& changes,
                                          std::function<void(Result<std::vector<int>>)> callback) {
    OwnTask::Work work;
    work.args = {ublk::kPartitionProcessName, kChangePartitionsArgument,
                 std::to_string(disk.value)};
    work.input = bytesOf(changes);
    work.longestAnswer = kMostChanges * sizeof(int);
    return std::make_unique<OwnTask>(
        ring, std::move(work),
        [callback = std::move(callback)](const Result<std::vector<std::byte>>& answer) {
            callback(answer ? valuesOf<int>(*answer) : tl::make_unexpected(answer.error()));
        });
}

int readPartitionsMain(char** arguments) {
    nameProcess(ublk::kPartitionProcessName);
    const DeviceId id(numberFrom(arguments[0]));
    const auto entries = entriesOf(id, {numberFrom(arguments[1]), numberFrom(arguments[2])});
    const int code = entries ? 0 : entries.error().code;
    const auto answer = entries ? partitions::encodeList(*entries)
                                : partitions::encodeFailure(code != 0 ? code : EIO);
    return OwnTask::writeAnswer(answer) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int changePartitionsMain(char** arguments) {
    nameProcess(ublk::kPartitionProcessName);
    log::setup(ublk::kPartitionProcessName, log::Level::Notice);
    const DeviceId disk(numberFrom(arguments[0]));
    const auto input = OwnTask::readInput(kMostChanges * sizeof(Change));
    const auto changes = input ? valuesOf<Change>(*input) : tl::make_unexpected(input.error());
    const auto results = changes ? partitions::apply(disk, *changes)
                                 : Result<std::vector<int>>(tl::make_unexpected(changes.error()));
    if (!results) {
        log::warning("{}", results.error().message());
        return EXIT_FAILURE;
    }
    return OwnTask::writeAnswer(bytesOf(*results)) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace belay::helper
