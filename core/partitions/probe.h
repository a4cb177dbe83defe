#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/partitions/table.h"

#include <memory>
#include <vector>

namespace belay::partitions {

// Reads the partition table of an open disk, with libblkid: GPT, MBR with its logical partitions,
// Apple's and others that Linux knows. A disk that is one file system has none.
//
// - A parser of strangers' bytes: prepare() may be called with privileges, entries() should not.
// - Both read the disk, and wait for its server as any reader does.
class Probe {
 public:
    // What does not depend on the disk's content: its size and block size. Looks into sysfs.
    static Result<Probe> prepare(Fd disk);
    Probe(Probe&&) noexcept;
    Probe& operator=(Probe&&) noexcept;
    ~Probe();

    // None if there is no table. Uses the descriptor alone.
    Result<std::vector<Entry>> entries();

 private:
    struct State;
    explicit Probe(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace belay::partitions
