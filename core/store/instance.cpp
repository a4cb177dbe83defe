#include "core/store/instance.h"

#include "core/store/backing.h"
#include "core/store/block_device.h"
#include "core/store/hash.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace belay::store {
namespace {

// linux/stat.h has it since 6.8.
constexpr unsigned kUniqueMountId = 0x4000;

std::uint64_t mountId(int fd) {
    struct statx stat {};
    for (const unsigned kind : {kUniqueMountId, unsigned{STATX_MNT_ID}})
        if (::statx(fd, "", AT_EMPTY_PATH, kind, &stat) == 0 && (stat.stx_mask & kind) != 0)
            return stat.stx_mnt_id;
    return 0;
}

}  // namespace

std::uint64_t instanceOf(const Backing& backing) {
    Hash hash(5);
    hash.add(std::uint64_t{backing.device()}).add(diskSequence(backing.device()).value_or(0));
    if (!backing.isBlockDevice)
        hash.add(mountId(backing.fd.get()));
    return hash.value();
}

}  // namespace belay::store
