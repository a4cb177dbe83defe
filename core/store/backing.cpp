#include "core/store/backing.h"

#include "core/base/log.h"
#include "core/store/block_device.h"
#include "core/store/gpt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>

#include <array>
#include <bit>

namespace belay::store {
namespace {

constexpr std::uint32_t kLeastBlock = 512;
constexpr std::uint32_t kMostBlock = 65536;

Result<struct statx> examine(int directory, const char* name, int flags, const std::string& path) {
    struct statx found {};
    const unsigned wanted = STATX_BASIC_STATS | STATX_BTIME;
    if (::statx(directory, name, flags, wanted, &found) == 0)
        return found;
    switch (errno) {
        case ENOENT:
            return systemError("open the store", path, "There is nothing at this path: check it");
        case ENOTDIR:
            return systemError("open the store", path, "A part of this path is not a folder");
        case EACCES:
            return systemError("open the store", path,
                               "Give this process permission to enter the folders of the path");
        default:
            return systemError("open the store", path);
    }
}

Result<void> checkType(const struct statx& stat, const std::string& path) {
    if (S_ISREG(stat.stx_mode) || S_ISBLK(stat.stx_mode))
        return {};
    if (S_ISDIR(stat.stx_mode))
        return errorFrom(EISDIR, "open the store", path, "Name a disk image inside of it");
    return failure("the store is neither a regular file nor a block device:", path,
                   "Choose a disk image or a disk");
}

tl::unexpected<Error> openError(const std::string& path, bool blockDevice) {
    const std::string what = "open the store";
    switch (errno) {
        case EACCES:
            return systemError(what, path,
                               "Change its permissions, or offer it read-only if it may be read");
        case EPERM:
            return systemError(what, path, "It may be marked immutable: see lsattr");
        case EROFS:
            return systemError(what, path, "Offer it read-only, or remount it writable");
        case EBUSY:
            return systemError(what + ", in use by the system or another daemon", path,
                               "Unmount it, or stop what has it open (see lsblk and fuser)");
        case ETXTBSY:
            return systemError(what, path, "It is in use as a program or as swap space");
        case ENXIO:
        case ENODEV:
            return systemError(what, path, "The device behind this node is gone");
        case ENOMEDIUM:
            return systemError(what, path, "Put a card or disk in");
        default:
            return systemError(what, path,
                               blockDevice ? "The kernel log may say why: see dmesg" : "");
    }
}

bool isPossible(const Backing& backing, std::uint32_t blockSize) {
    return std::has_single_bit(blockSize) && blockSize >= kLeastBlock && blockSize <= kMostBlock &&
           backing.sizeBytes % blockSize == 0;
}

// Read while nobody is served from it yet. `atOnce`: only what is in memory, for a disk that may
// hang.
std::optional<std::uint32_t> partitionedFor(const Backing& backing, bool atOnce) {
    std::array<std::byte, kGptSearchBytes> start{};
    const iovec memory{start.data(), start.size()};
    const ssize_t got = ::preadv2(backing.fd.get(), &memory, 1, 0, atOnce ? RWF_NOWAIT : 0);
    return got < 0 ? std::nullopt
                   : gptBlockSize(ConstByteSpan(start).first(static_cast<std::size_t>(got)));
}

// For a file of which nobody says what block size it is to have.
void chooseByItself(Backing& backing, std::uint32_t last) {
    backing.partitionedFor = partitionedFor(backing, last != 0);
    if (last != 0 && isPossible(backing, last)) {
        backing.blockSize = last;
        backing.blockSizeReason = BlockSizeReason::Remembered;
    } else if (const auto table = backing.partitionedFor.value_or(kLeastBlock);
               table != kLeastBlock && isPossible(backing, table)) {
        backing.blockSize = table;
        backing.blockSizeReason = BlockSizeReason::PartitionTable;
    }
}

Result<void> chooseBlockSize(Backing& backing, const StoreOptions& options, std::uint32_t logical) {
    const std::uint32_t least = backing.isBlockDevice ? logical : kLeastBlock;
    const std::uint32_t asked = options.blockSize;
    if (asked == 0) {
        backing.blockSize = least;
        if (!backing.isBlockDevice)
            chooseByItself(backing, options.lastBlockSize);
        return {};
    }
    if (!std::has_single_bit(asked) || asked < kLeastBlock || asked > kMostBlock)
        return failure(fmt::format("block size {} cannot be used for", asked), backing.path,
                       fmt::format("Use a power of two from {} to {}", kLeastBlock, kMostBlock));
    if (asked < least)
        return failure(fmt::format("block size {} is below the device's own {}:", asked, least),
                       backing.path, fmt::format("Use {} or more", least));
    backing.blockSize = asked;
    backing.blockSizeReason = BlockSizeReason::Asked;
    return {};
}

Result<void> measure(Backing& backing, const StoreOptions& options) {
    BlockDeviceFacts facts;
    if (backing.isBlockDevice) {
        auto found = blockDeviceFacts(backing);
        if (!found)
            return tl::make_unexpected(std::move(found.error()));
        facts = *found;
        if (facts.readOnly && !backing.readOnly)
            return errorFrom(EROFS, "open the store, a read-only block device,", backing.path,
                             "Offer it read-only, or allow writing: blockdev --setrw");
        backing.sizeBytes = facts.sizeBytes;
        backing.punchesHoles = facts.punchesHoles;
    } else {
        backing.sizeBytes = backing.stat.stx_size;
        backing.punchesHoles = true;
    }
    if (backing.sizeBytes == 0)
        return failure("the store is empty (0 bytes):", backing.path,
                       backing.isBlockDevice ? "Put a card or disk in"
                                             : "Give it its size, e.g.: truncate -s 1G");
    if (auto chosen = chooseBlockSize(backing, options, facts.logicalBlock); !chosen)
        return chosen;
    if (const std::uint64_t rest = backing.sizeBytes % backing.blockSize; rest != 0)
        return failure(
            fmt::format("size {} is not a multiple of the block size {}:", backing.sizeBytes,
                        backing.blockSize),
            backing.path,
            fmt::format("Change the size, e.g. to {}{}",
                        backing.sizeBytes - rest + backing.blockSize,
                        backing.blockSize > kLeastBlock ? ", or use a smaller block size" : ""));
    return {};
}

Result<Backing> finishOpen(Fd fd, bool readOnly, const StoreOptions& options) {
    auto backing = examineBacking(std::move(fd), options.path);
    if (!backing)
        return backing;
    backing->readOnly = readOnly;
    if (auto good = measure(*backing, options); !good)
        return tl::make_unexpected(std::move(good.error()));
    return backing;
}

}  // namespace

Result<Backing> examineBacking(Fd fd, const std::string& path) {
    Backing backing;
    backing.fd = std::move(fd);
    backing.path = path;
    auto stat = examine(backing.fd.get(), "", AT_EMPTY_PATH, path);
    if (!stat)
        return tl::make_unexpected(std::move(stat.error()));
    backing.stat = *stat;
    if (auto good = checkType(backing.stat, path); !good)
        return tl::make_unexpected(std::move(good.error()));
    backing.isBlockDevice = S_ISBLK(backing.stat.stx_mode);
    return backing;
}

Result<Backing> openBacking(const StoreOptions& options) {
    // Asked before opening: to open a pipe would wait, to open a device may do something.
    const auto stat = examine(AT_FDCWD, options.path.c_str(), 0, options.path);
    if (!stat)
        return tl::make_unexpected(stat.error());
    if (auto good = checkType(*stat, options.path); !good)
        return tl::make_unexpected(std::move(good.error()));
    const bool blockDevice = S_ISBLK(stat->stx_mode);
    const int flags = O_CLOEXEC | O_NOCTTY | O_LARGEFILE | (options.readOnly ? O_RDONLY : O_RDWR) |
                      (blockDevice ? O_EXCL : 0);
    Fd fd(::open(options.path.c_str(), flags));
    if (!fd)
        return openError(options.path, blockDevice);
    return finishOpen(std::move(fd), options.readOnly, options);
}

Result<Backing> adoptBacking(Fd fd, const StoreOptions& options) {
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0)
        return systemError("use the descriptor passed for", options.path);
    const int access = flags & O_ACCMODE;
    if ((flags & O_PATH) != 0 || access == O_WRONLY)
        return failure("the descriptor cannot be read from:", options.path,
                       "Open it for reading, or for reading and writing");
    // With O_APPEND the kernel ignores a write's position (pwrite(2), BUGS); O_DIRECT asks for
    // aligned buffers; O_NONBLOCK makes io_uring give EAGAIN instead of waiting.
    const int unwanted = O_APPEND | O_DIRECT | O_NONBLOCK;
    if ((flags & unwanted) != 0 && ::fcntl(fd.get(), F_SETFL, flags & ~unwanted) != 0)
        return systemError("clear the flags of the descriptor passed for", options.path,
                           "Open it without O_APPEND and O_DIRECT");
    return finishOpen(std::move(fd), options.readOnly || access == O_RDONLY, options);
}

void sayBlockSize(const Backing& backing) {
    if (backing.blockSizeReason == BlockSizeReason::PartitionTable)
        log::notice("store {}: offered with blocks of {} bytes, as its partition table has",
                    backing.path, backing.blockSize);
    else if (backing.partitionedFor && *backing.partitionedFor != backing.blockSize)
        log::notice(
            "store {}: offered with blocks of {} bytes{}, though its partition table was "
            "made for {}; the option block-size chooses",
            backing.path, backing.blockSize,
            backing.blockSizeReason == BlockSizeReason::Remembered ? ", as last time" : "",
            *backing.partitionedFor);
}

}  // namespace belay::store
