#pragma once

#include "tests/vm/scenario/disk.h"

#include <QString>

namespace scenario {

// An ext4 file system of its own for stores, which can be made to stand still: every write then
// waits in the kernel, whatever becomes of who writes.
class FreezableVolume {
 public:
    // Made anew, and mounted on `folder`.
    explicit FreezableVolume(QString folder);
    // It moves again, and is gone when its last user is.
    ~FreezableVolume();
    FreezableVolume(const FreezableVolume&) = delete;
    FreezableVolume& operator=(const FreezableVolume&) = delete;

    const QString& folder() const { return folder_; }
    void freeze();
    void thaw();

 private:
    QString folder_;
    bool frozen_ = false;
};

// An ext4 file system on a disk of ours, mounted as long as the object is there.
class VolumeOnDisk {
 public:
    explicit VolumeOnDisk(const Disk& disk);
    // Not used any more by who looks for it; gone when its last user is.
    ~VolumeOnDisk();
    VolumeOnDisk(const VolumeOnDisk&) = delete;
    VolumeOnDisk& operator=(const VolumeOnDisk&) = delete;

    const QString& folder() const { return folder_; }

 private:
    QString folder_;
};

}  // namespace scenario
