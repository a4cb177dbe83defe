#pragma once

#include "tests/vm/scenario/rig.h"

namespace kill_matrix {

// An ext4 file system on a disk, with a verified fio job on a file in it: direct writes with
// flushes in between, and the journal's own.
class FileSystem {
 public:
    // Makes and mounts it.
    FileSystem(scenario::Rig& rig, scenario::Disk& disk);
    // Lets go of it, whatever state it is in.
    ~FileSystem();

    // Starts the job, unless it runs, and waits until it is in the midst of its work.
    void beBusy();
    const scenario::Program& job() const { return *fio_; }
    // Waits for the job's end; fails unless all it wrote was read back, the file system is clean,
    // and the store, read by itself, is what the device shows. Unmounts.
    void verify();

 private:
    void start();

    scenario::Rig& rig_;
    scenario::Disk& disk_;
    const QString folder_;
    std::unique_ptr<scenario::Program> fio_;
    bool mounted_ = false;
};

}  // namespace kill_matrix
