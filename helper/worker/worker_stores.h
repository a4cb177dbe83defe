#pragma once

#include "core/base/ring.h"
#include "core/engine/target_engine.h"
#include "helper/supervisor/channel.h"

#include <string>

namespace belay::helper {

// Opens what a worker's configuration lists under "stores" ({id, label, readOnly, path,
// blockSize}), each from the two descriptors of StoreSet::openForWorker(), from number `firstFd`
// on, and offers them through the engine. A store that a dead predecessor still holds is waited
// for, for at most five seconds.
Result<void> offerStores(Ring& ring, engine::TargetEngine& engine, const Json& stores, int firstFd,
                         const std::string& stateDir);

}  // namespace belay::helper
