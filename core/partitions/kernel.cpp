#include "core/partitions/kernel.h"

#include "core/base/fd.h"
#include "core/ublk/device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/blkpg.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

namespace belay::partitions {
namespace {

namespace fs = std::filesystem;

// What "size" and "start" in sysfs count in, whatever the disk's blocks are.
constexpr std::uint64_t kSector = 512;

std::optional<std::uint64_t> number(const fs::path& path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    if (file >> value)
        return value;
    return std::nullopt;
}

fs::path folderOf(DeviceId disk) {
    return fs::path("/sys/block") / ublk::diskName(disk);
}

int apply(const Fd& node, const Change& change) {
    blkpg_partition partition{};
    partition.pno = static_cast<int>(change.partition.number);
    partition.start = static_cast<long long>(change.partition.start);
    partition.length = static_cast<long long>(change.partition.length);
    blkpg_ioctl_arg argument{};
    switch (change.kind) {
        case Change::Kind::Remove:
            argument.op = BLKPG_DEL_PARTITION;
            break;
        case Change::Kind::Grow:
            argument.op = BLKPG_RESIZE_PARTITION;
            break;
        case Change::Kind::Add:
            argument.op = BLKPG_ADD_PARTITION;
            break;
    }
    argument.datalen = sizeof partition;
    argument.data = &partition;
    return ::ioctl(node.get(), BLKPG, &argument) < 0 ? errno : 0;
}

}  // namespace

Result<Geometry> geometryOf(DeviceId disk) {
    const auto sectors = number(folderOf(disk) / "size");
    const auto block = number(folderOf(disk) / "queue/logical_block_size");
    if (!sectors || !block || *block < kSector)
        return errorFrom(ENODEV, "look at", ublk::diskName(disk));
    return Geometry{.sizeBytes = *sectors * kSector,
                    .blockBytes = static_cast<std::uint32_t>(*block)};
}

std::vector<Partition> presentOf(DeviceId disk) {
    std::vector<Partition> found;
    std::error_code error;
    for (fs::directory_iterator entry(folderOf(disk), error), end; !error && entry != end;
         entry.increment(error)) {
        const auto partition = number(entry->path() / "partition");
        const auto start = number(entry->path() / "start");
        const auto size = number(entry->path() / "size");
        if (partition && start && size)
            found.push_back(
                {static_cast<std::uint32_t>(*partition), *start * kSector, *size * kSector});
    }
    std::ranges::sort(found);
    return found;
}

std::string partitionName(DeviceId disk, std::uint32_t number) {
    return fmt::format("{}p{}", ublk::diskName(disk), number);
}

Result<std::vector<int>> apply(DeviceId disk, const std::vector<Change>& changes) {
    const std::string path = ublk::diskNode(disk);
    // To open it for writing would tell everybody, at the close, that it was written to.
    const Fd node(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!node)
        return systemError("open", path);
    std::vector<int> results;
    for (const Change& change : changes)
        results.push_back(apply(node, change));
    return results;
}

void announceChange(const std::string& name) {
    std::ofstream(fs::path("/sys/class/block") / name / "uevent") << "change" << std::flush;
}

}  // namespace belay::partitions
