#include "tests/vm/scenario/volumes.h"

#include "tests/vm/scenario/program.h"

#include <QDir>
#include <utility>

namespace scenario {

FreezableVolume::FreezableVolume(QString folder) : folder_(std::move(folder)) {
    require(QDir().mkpath(folder_), "cannot make " + folder_);
    const QString image = folder_ + ".img";
    mustRun({"truncate", "-s", "48M", image});
    mustRun({"mkfs.ext4", "-q", "-F", image});
    mustRun({"mount", "-o", "loop", image, folder_});
}

FreezableVolume::~FreezableVolume() {
    if (frozen_)
        run({"fsfreeze", "-u", folder_});
    run({"umount", "-l", folder_});
}

void FreezableVolume::freeze() {
    mustRun({"fsfreeze", "-f", folder_});
    frozen_ = true;
}

void FreezableVolume::thaw() {
    mustRun({"fsfreeze", "-u", folder_});
    frozen_ = false;
}

VolumeOnDisk::VolumeOnDisk(const Disk& disk) : folder_("/run/belay-scenario/on-" + disk.label()) {
    require(QDir().mkpath(folder_), "cannot make " + folder_);
    mustRun({"mkfs.ext4", "-q", "-F", disk.node()});
    mustRun({"mount", disk.node(), folder_});
}

VolumeOnDisk::~VolumeOnDisk() {
    run({"umount", "-l", folder_});
}

}  // namespace scenario
