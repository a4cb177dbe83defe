#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "helper/supervisor/channel.h"

namespace belay::helper {

// A file or block device to be offered, as the command line names it.
struct StoreArg {
    std::string path;
    std::string label;  // empty: the file's name
    bool readOnly = false;
    std::uint32_t blockSize = 0;  // 0: the store's own choice
};

// The "stores" part of a worker's configuration; ids count from 1.
Json configOf(const std::vector<StoreArg>& stores);
// Opens each store for one worker, in the same order: a description of its own, so that the lock
// on it ends with that worker's last I/O.
Result<std::vector<Fd>> openFor(const std::vector<StoreArg>& stores);

}  // namespace belay::helper
