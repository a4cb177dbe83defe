#include "core/store/identity.h"

#include "core/store/backing.h"
#include "core/store/block_device.h"
#include "core/store/hash.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
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
    if ((backing.stat.stx_mask & STATX_BTIME) != 0)
        hash.add(static_cast<std::uint64_t>(backing.stat.stx_btime.tv_sec))
            .add(std::uint64_t{backing.stat.stx_btime.tv_nsec});
    else
        hash.add(inodeGeneration(backing));
}

std::uint64_t half(const Backing& backing, std::uint64_t seed) {
    Hash hash(seed);
    if (backing.isBlockDevice) {
        hash.add(std::string_view("block device")).add(std::string_view(blockDeviceName(backing)));
    } else {
        hash.add(std::string_view("file")).add(std::string_view(fileSystemId(backing)));
        hash.add(std::uint64_t{backing.stat.stx_ino});
        addBirth(hash, backing);
    }
    return hash.value();
}

}  // namespace

Identity identify(const Backing& backing) {
    Identity identity;
    const std::uint64_t halves[2] = {half(backing, 1), half(backing, 2)};
    auto& bytes = identity.uuid.bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(halves[i / 8] >> (8 * (i % 8)));
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x80);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    Hash hash(3);
    if (!backing.isBlockDevice) {
        hash.add(inodeGeneration(backing));
        addBirth(hash, backing);
    }
    identity.incarnation = hash.value();
    return identity;
}

std::uint64_t generationOf(const Identity& identity, std::uint64_t replaced) {
    const std::uint64_t value = Hash(identity.incarnation).add(replaced).value();
    return value == 0 ? 1 : value;
}

}  // namespace belay::store
