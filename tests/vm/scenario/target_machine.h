#pragma once

#include "tests/vm/scenario/rig.h"
#include "tests/vm/scenario/store_volume.h"

namespace scenario {

// The machine of the end with the bytes, whose stores are on a StoreVolume.
//
// - To be made before the rig's disks are, and ended after the rig is.
class TargetMachine {
 public:
    explicit TargetMachine(Rig& rig);
    TargetMachine(const TargetMachine&) = delete;
    TargetMachine& operator=(const TargetMachine&) = delete;

    // The stores' contents as they are now survive.
    void sync() { volume_.sync(); }
    // Kills the target and drops what is not on the disk.
    void goDown();
    void comeBack();

 private:
    Rig& rig_;
    StoreVolume volume_;
};

}  // namespace scenario
