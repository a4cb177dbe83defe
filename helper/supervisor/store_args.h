#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "helper/supervisor/channel.h"

#include <string>
#include <vector>

namespace belay::helper {

// A file or block device to be offered, as the command line names it.
struct StoreArg {
    std::string path;
    std::string label;  // empty: the file's name
    bool readOnly = false;
    std::uint32_t blockSize = 0;  // 0: the store's own choice
};

// The stores of a supervisor, opened anew for each of its workers.
class StoreSet {
 public:
    explicit StoreSet(std::vector<StoreArg> stores) : stores_(std::move(stores)) {}

    bool empty() const { return stores_.empty(); }
    // The "stores" part of a worker's configuration; ids count from 1.
    Json config() const;
    // Two descriptors per store for one worker: an open file description of the worker's own, so
    // that the lock on it ends with that worker's last I/O; and the witness, which is older than
    // every worker (see store::StoreOptions::witness).
    Result<std::vector<Fd>> openForWorker();

 private:
    std::vector<StoreArg> stores_;
    std::vector<Fd> witnesses_;
};

}  // namespace belay::helper
