#include "core/store/identity.h"

#include "core/store/backing.h"
#include "core/store/block_device.h"
#include "core/store/hash.h"
#include "core/store/mount.h"
#include "core/store/writeback_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <cstring>
#include <string>

namespace belay::store {
namespace {

// linux/fs.h has these since 6.9.
struct FsUuid {
    std::uint8_t length;
    std::uint8_t uuid[16];
};
constexpr unsigned long kGetFsUuid = _IOR(0x15, 0, FsUuid);

std::string fileSystemId(const Backing& backing) {
    FsUuid id{};
    if (::ioctl(backing.fd.get(), kGetFsUuid, &id) == 0 && id.length == sizeof id.uuid)
        return std::string(reinterpret_cast<const char*>(id.uuid), sizeof id.uuid);
    struct statfs stat {};
    if (::fstatfs(backing.fd.get(), &stat) == 0) {
        std::string fsid(sizeof stat.f_fsid, '\0');
        std::memcpy(fsid.data(), &stat.f_fsid, sizeof stat.f_fsid);
        if (fsid.find_first_not_of('\0') != std::string::npos)
            return fsid;
    }
    return std::to_string(backing.stat.stx_dev_major) + ":" +
           std::to_string(backing.stat.stx_dev_minor);
}

std::uint64_t inodeGeneration(const Backing& backing) {
    // The kernel writes an int, whatever the ioctl's number says (ext4_ioctl, EXT4_IOC_GETVERSION).
    std::uint32_t generation[2] = {0, 0};
    return ::ioctl(backing.fd.get(), FS_IOC_GETVERSION, generation) == 0 ? generation[0] : 0;
}

void addBirth(Hash& hash, const Backing& backing) {
    // Of local time only what is the same in every time zone.
    constexpr std::int64_t kQuarter = 15 * 60;
    const std::int64_t seconds = backing.stat.stx_btime.tv_sec;
    if ((backing.stat.stx_mask & STATX_BTIME) != 0)
        hash.add(static_cast<std::uint64_t>(keepsLocalTime(backing) ? seconds % kQuarter : seconds))
            .add(std::uint64_t{backing.stat.stx_btime.tv_nsec});
    else
        hash.add(inodeGeneration(backing));
}

// How a file is found again on its file system.
enum class FoundBy { Inode, PathOnMedium, PathOnMount };

FoundBy foundBy(const Backing& backing) {
    struct statfs stat {};
    if (::fstatfs(backing.fd.get(), &stat) != 0)
        return FoundBy::Inode;
    constexpr std::uint32_t kExfatMagic = 0x2011bab0;  // linux/magic.h has it since 5.8
    switch (static_cast<std::uint32_t>(stat.f_type)) {
        case MSDOS_SUPER_MAGIC:
        case kExfatMagic:
            return FoundBy::PathOnMedium;
        case FUSE_SUPER_MAGIC:
            return FoundBy::PathOnMount;
        default:
            return FoundBy::Inode;
    }
}

// Of a block device that nothing names: what it is until the next boot, or until it is pulled.
std::string thisBootsName(dev_t device) {
    const auto bootId = readBootId();
    const auto sequence = diskSequence(device);
    return fmt::format(
        "boot {} {}", bootId ? bootId->toString() : Uuid::random().toString(),
        sequence ? std::to_string(*sequence) : fmt::format("{}:{}", major(device), minor(device)));
}

std::string blockDeviceText(const Backing& backing, const std::optional<MediumContent>& content) {
    const BlockDeviceName name = blockDeviceName(backing.device());
    const std::string says = content ? content->name : std::string();
    if (!name.hardware.empty() && (!name.removable || says.empty()))
        return name.hardware + name.place;
    if (!name.hardware.empty())
        return name.hardware + name.place + " with " + says;
    if (!says.empty())
        return fmt::format("{}{} size {}", says, name.place, backing.sizeBytes);
    return thisBootsName(backing.device()) + name.place;
}

std::string pathText(const Backing& backing, FoundBy by,
                     const std::optional<MediumContent>& content) {
    const MountedFile file = mountedFile(backing.fd.get());
    if (by == FoundBy::PathOnMount)
        return fmt::format("{} {} {}", file.type, file.source, file.path);
    const dev_t device = backing.device();
    if (content && !content->name.empty())
        return content->name + " " + file.path;
    const BlockDeviceName name = blockDeviceName(device);
    return (name.hardware.empty() ? thisBootsName(device) : name.hardware) + name.place + " " +
           file.path;
}

std::string storeText(const Backing& backing, const std::optional<MediumContent>& content) {
    if (backing.isBlockDevice)
        return blockDeviceText(backing, content);
    const FoundBy by = foundBy(backing);
    return by == FoundBy::Inode ? fileSystemId(backing) : "path " + pathText(backing, by, content);
}

std::uint64_t half(const Backing& backing, const std::string& name, std::uint64_t seed) {
    Hash hash(seed);
    hash.add(std::string_view(backing.isBlockDevice ? "block device" : "file"));
    hash.add(std::string_view(name));
    if (!backing.isBlockDevice && foundBy(backing) == FoundBy::Inode) {
        hash.add(std::uint64_t{backing.stat.stx_ino});
        addBirth(hash, backing);
    }
    return hash.value();
}

}  // namespace

Fd mediumOf(const Backing& backing) {
    if (backing.isBlockDevice)
        return Fd(::fcntl(backing.fd.get(), F_DUPFD_CLOEXEC, 0));
    if (foundBy(backing) != FoundBy::PathOnMedium)
        return {};
    auto device = openBlockDevice(backing.device());
    return device ? std::move(*device) : Fd();
}

bool isNamedByMedium(const Backing& backing) {
    if (!backing.isBlockDevice)
        return foundBy(backing) == FoundBy::PathOnMedium;
    const BlockDeviceName device = blockDeviceName(backing.device());
    return device.hardware.empty() || device.removable;
}

Identity identify(const Backing& backing, const std::optional<MediumContent>& content) {
    Identity identity;
    const std::string name = storeText(backing, content);
    const std::uint64_t halves[2] = {half(backing, name, 1), half(backing, name, 2)};
    auto& bytes = identity.uuid.bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(halves[i / 8] >> (8 * (i % 8)));
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x80);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    identity.incarnation = incarnationOf(backing);
    return identity;
}

Result<Identity> identify(const Backing& backing) {
    const Fd medium = isNamedByMedium(backing) ? mediumOf(backing) : Fd();
    if (!medium)
        return identify(backing, std::nullopt);
    const auto content = readMedium(medium.get());
    if (!content)
        return tl::make_unexpected(content.error());
    return identify(backing, *content);
}

std::uint64_t incarnationOf(const Backing& backing) {
    Hash hash(3);
    if (!backing.isBlockDevice) {
        hash.add(inodeGeneration(backing));
        addBirth(hash, backing);
    }
    return hash.value();
}

bool keepsLocalTime(const Backing& backing) {
    struct statfs stat {};
    return !backing.isBlockDevice && ::fstatfs(backing.fd.get(), &stat) == 0 &&
           stat.f_type == MSDOS_SUPER_MAGIC;
}

std::uint64_t generationOf(std::uint64_t incarnation, std::uint64_t replaced) {
    const std::uint64_t value = Hash(incarnation).add(replaced).value();
    return value == 0 ? 1 : value;
}

}  // namespace belay::store
