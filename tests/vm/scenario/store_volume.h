#pragma once

#include <QString>

namespace scenario {

// A file system of its own for stores, which can lose power: what was not synced is then gone for
// real.
class StoreVolume {
 public:
    // Made anew, and mounted on `folder`.
    explicit StoreVolume(QString folder);
    ~StoreVolume();
    StoreVolume(const StoreVolume&) = delete;
    StoreVolume& operator=(const StoreVolume&) = delete;

    // The contents as they are now survive.
    void sync();
    // Drops what is not on the disk. Whoever had files of it open must be dead, or dying.
    void losePower();

 private:
    void mount();

    const QString folder_;
    const QString image_;
};

}  // namespace scenario
