#pragma once

#include "helper/supervisor/own_task.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belay::helper {

inline constexpr const char* kProbeStoresArgument = "probe-stores";

// Opens these files and reads what identifies them, in a process of its own; calls back when that
// is done, well or badly.
//
// - A supervisor that takes up disks of an earlier life must not open what may lie on one of them
//   before it is served again: it would wait for itself. After this it does not: all that it would
//   have to read is in memory.
std::unique_ptr<OwnTask> probeStores(Ring& ring, const std::vector<std::string>& paths,
                                     std::function<void()> done);

// In the process.
int probeStoresMain();

}  // namespace belay::helper
