#pragma once

#include "core/ublk/device.h"
#include "core/ublk/holders.h"
#include "core/wire/message.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace belay::helper {

// What is ours to decide about a ublk device, and what the kernel tells of one.

// The longest request that our devices take, if the peer does.
inline constexpr std::uint32_t kMaxIo = 1 << 20;

// The device that shows this export, with a mark that no other one has. `maxIo`: bytes, what the
// session agreed on.
ublk::DeviceSpec specOf(const wire::ExportInfo& info, std::uint32_t maxIo, bool fua);
// What GET_DEV_INFO says; never blocks.
Result<ublk::DeviceInfo> infoOf(DeviceId id);
// Made by us: the kernel keeps a mark of ours with it.
bool isOurs(const ublk::DeviceInfo& info);
// The supervisor that made it.
pid_t makerOf(const ublk::DeviceInfo& info);
// Of all that are ours, those that are not started yet or were stopped.
std::vector<ublk::DeviceInfo> idleDevices();
// The server's node changes hands: whoever serves the device opens it with no privileges left.
Result<void> giveAway(DeviceId id, uid_t uid, gid_t gid);
// Fails with EBUSY, naming who uses the disk and what to do, if anybody does.
Result<void> needUnused(DeviceId id);

}  // namespace belay::helper
