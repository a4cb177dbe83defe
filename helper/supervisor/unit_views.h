#pragma once

#include "core/base/clock.h"
#include "helper/supervisor/fleet.h"
#include "helper/supervisor/lending.h"
#include "helper/supervisor/managed_device.h"

#include <vector>

namespace belay::helper {

// From what supervision knows to what is shown; ids and gadget are left to the caller.
DeviceView viewOf(const ManagedDevice& device);
DeviceView viewOf(const LentStore& store);
// Of a worker's report; all zero if there is none.
DeviceCounters countersFrom(const Json& report);
// Adds what has been read and written, not what is so just now.
void addTotals(DeviceCounters& counters, const DeviceCounters& earlier);
// Of a worker's report with requests. May throw Json::exception.
std::vector<RequestView> requestsFrom(const Json& report);
std::vector<HolderView> holdersOfDisk(DeviceId id);
// A monotonic time on the realtime clock, in microseconds.
std::uint64_t realtimeUs(TimePoint time);

}  // namespace belay::helper
