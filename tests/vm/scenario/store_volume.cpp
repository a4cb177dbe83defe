#include "tests/vm/scenario/store_volume.h"

#include "core/base/fd.h"
#include "tests/vm/scenario/machine.h"
#include "tests/vm/scenario/program.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <QDir>
#include <QFile>

namespace scenario {
namespace {

// _IOR('X', 125, __u32) and EXT4_GOING_FLAGS_NOLOGFLUSH of Linux' fs/ext4/ext4.h: from then on the
// file system writes nothing any more, not even its journal.
constexpr unsigned long kExt4Shutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t kNoLogFlush = 2;

}  // namespace

StoreVolume::StoreVolume(QString folder)
    : folder_(std::move(folder)), image_(folder_ + ".img") {
    require(QDir().mkpath(folder_), "no folder for the stores");
    QFile::remove(image_);
    mustRun({"truncate", "-s", "96M", image_});
    mustRun({"mkfs.ext4", "-q", image_});
    mount();
}

StoreVolume::~StoreVolume() {
    run({"umount", "-l", folder_});
}

void StoreVolume::mount() {
    mustRun({"mount", "-o", "loop", image_, folder_});
}

void StoreVolume::sync() {
    mustRun({"sync", "-f", folder_});
}

void StoreVolume::losePower() {
    {
        const belay::Fd mounted(::open(qPrintable(folder_), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        std::uint32_t how = kNoLogFlush;
        require(mounted && ::ioctl(mounted.get(), kExt4Shutdown, &how) == 0,
                "the file system does not shut down");
    }
    // Another mount finds what is on the disk.
    const auto unmounted = [this] { return run({"umount", folder_}).status == 0; };
    require(waitUntil(unmounted, 10s, 50ms), "somebody has the stores open still");
    mount();
}

}  // namespace scenario
