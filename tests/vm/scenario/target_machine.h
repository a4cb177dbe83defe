#pragma once

#include "tests/vm/scenario/rig.h"

namespace scenario {

// The machine of the end with the bytes: its stores are on a file system of their own, which can
// lose power. What was not synced is then gone for real.
//
// - To be made before the rig's disks are, and ended after the rig is.
class TargetMachine {
 public:
    explicit TargetMachine(Rig& rig);
    ~TargetMachine();
    TargetMachine(const TargetMachine&) = delete;
    TargetMachine& operator=(const TargetMachine&) = delete;

    // The stores' contents as they are now survive.
    void sync();
    // Kills the target and drops what is not on the disk.
    void goDown();
    void comeBack();

 private:
    QString folder() const { return rig_.storeFolder(); }
    void mount();

    Rig& rig_;
    const QString image_;
};

}  // namespace scenario
