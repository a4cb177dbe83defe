#pragma once

#include "core/base/error.h"
#include "core/base/units.h"
#include "core/ublk/uapi.h"

#include <cstdint>
#include <string>
#include <vector>

namespace belay::ublk {

// What the kernel says of a device; the truth about whether a server is there.
enum class DeviceState : std::uint16_t {
    Dead = uapi::kStateDead,          // not started yet, or stopped
    Live = uapi::kStateLive,          // a server is there, as far as the kernel has noticed
    Quiesced = uapi::kStateQuiesced,  // the server died; I/O waits for a new one
    FailIo = uapi::kStateFailIo,      // the server died; I/O fails (we never ask for this)
};

// What a device is to be. Plain data: it crosses to the control process as it is.
struct DeviceSpec {
    // kAnyDevice lets the kernel choose.
    std::uint32_t id = uapi::kAnyDevice;
    // 1 .. 4096 requests. At least 5 if limitRequests() is to be of use on Linux 6.12.
    std::uint16_t depth = 64;
    // The longest request; a multiple of the page size, at most 32 MiB.
    std::uint32_t maxIoBytes = 512 << 10;
    // Powers of two, 512 .. page size, logical <= physical.
    std::uint32_t logicalBlockBytes = 512;
    std::uint32_t physicalBlockBytes = 4096;
    // A multiple of the logical block.
    std::uint64_t sizeBytes = 0;
    bool readOnly = false;
    // The device acknowledges writes that are not durable yet, and so is sent flushes and FUA.
    bool volatileCache = true;
    // With a volatile cache: writes can be made durable one by one. Without it the block layer
    // sends a flush after each write that must be durable.
    bool fua = true;
    // 0: the device takes no discards (no write-zeroes requests). Multiples of the logical block.
    std::uint32_t maxDiscardBytes = 0;
    std::uint32_t maxWriteZeroesBytes = 0;
    // Opaque to the kernel, which keeps it with the device.
    std::uint64_t ownData = 0;

    // What the kernel would refuse without saying why.
    Result<void> check() const;
    // The SET_PARAMS argument that says this.
    uapi::Params parameters() const;
};

struct DeviceInfo {
    DeviceId id;
    DeviceState state = DeviceState::Dead;
    // The server's, 0 or -1 if there never was one or it is gone; 6.12 keeps a dead one's.
    std::int32_t serverPid = 0;
    std::uint16_t depth = 0;
    std::uint16_t queues = 0;
    std::uint32_t maxIoBytes = 0;
    std::uint64_t flags = 0;
    std::uint64_t ownData = 0;

    static DeviceInfo from(const uapi::DeviceInfo& kernel);
    // Linux before 6.16: a death while every tag is in the server is noticed only by the block
    // layer's timeout (30 s), and START_USER_RECOVERY cannot be taken back.
    bool noticesDeathLate() const { return (flags & uapi::kPerIoDaemon) == 0; }
};

// What a device of ours cannot do without, and what it has where the kernel knows it.
inline constexpr std::uint64_t kRequiredFlags =
    uapi::kUserRecovery | uapi::kUserRecoveryReissue | uapi::kUserCopy;
inline constexpr std::uint64_t kWantedFlags = kRequiredFlags | uapi::kNoAutoPartScan;

// "/dev/ublkcN": the server's side. "/dev/ublkbN": the disk. "ublkbN": its name in sysfs.
std::string serverNode(DeviceId id);
std::string diskNode(DeviceId id);
std::string diskName(DeviceId id);
// Whether there is a disk: from START_DEV to STOP_DEV, whosoever sent it. Asks sysfs; never blocks.
bool hasDisk(DeviceId id);
// All ublk devices of this machine, whosoever they are.
std::vector<DeviceId> devices();

}  // namespace belay::ublk
