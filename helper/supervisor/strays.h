#pragma once

#include "core/base/ring.h"
#include "core/base/units.h"
#include "helper/supervisor/removal.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace belay::helper {

// Takes away devices of ours that were added to the kernel and that nobody will ever start: who
// added them died before a state file named them.
class Strays {
 public:
    explicit Strays(Ring& ring) : ring_(ring) {}

    // All that were never started, or were stopped, and whose maker is gone; but for those of which
    // `known` is true.
    void removeLeft(const std::function<bool(DeviceId device)>& known);
    // The one that was to be made with this mark (DeviceSpec::ownData), if it came to be.
    void removeMarked(std::uint64_t mark);

 private:
    void remove(DeviceId device);

    Ring& ring_;
    std::map<DeviceId, std::unique_ptr<Removal>> removals_;
};

}  // namespace belay::helper
