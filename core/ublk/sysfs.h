#pragma once

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/ublk/device.h"

namespace belay::ublk {

// Puts the limits on a started device's request queue that make a dead server noticed in time,
// where the kernel needs them (DeviceInfo::noticesDeathLate()); otherwise does nothing.
//
// - One request less than the queue has tags: Linux before 6.16 notices a death at once only
//   through a tag that is not in the server (30 to 70 ms against 31 s, measured on 6.12).
// - A block layer timeout of 5 s, for the case that all tags are in the server nevertheless.
// - May block in the kernel until the device's server has answered everything, so it runs in a
//   control process. Needs CAP_SYS_ADMIN and GET_DEV_INFO.
Result<void> tune(DeviceId id);

// The two writes that tune() consists of. The kernel takes no less than 4 requests.
Result<void> limitRequests(DeviceId id, unsigned requests);
Result<void> setIoTimeout(DeviceId id, std::chrono::milliseconds timeout);

// Makes everything durable that the disk has acknowledged. Waits for the server, without limit.
Result<void> sync(DeviceId id);

}  // namespace belay::ublk
