#include "helper/supervisor/kernel_device.h"

#include "core/ublk/control.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace belay::helper {
namespace {

constexpr std::uint16_t kDepth = 64;
constexpr std::uint32_t kMaxDiscard = 1 << 30;
// A mark: "BELA", 22 bits for the process that made the device (PID_MAX_LIMIT), 10 for a count.
constexpr std::uint64_t kOurs = 0x42454c41;
constexpr unsigned kOursShift = 32;
constexpr unsigned kMakerShift = 10;
constexpr std::uint64_t kMakerMask = (1 << 22) - 1;
constexpr std::uint64_t kCountMask = (1 << kMakerShift) - 1;

std::uint64_t nextMark() {
    static std::uint64_t count = 0;
    return kOurs << kOursShift |
           (static_cast<std::uint64_t>(::getpid()) & kMakerMask) << kMakerShift |
           (++count & kCountMask);
}

std::string holderText(const ublk::Holder& holder) {
    switch (holder.kind) {
        case ublk::Holder::Kind::Mount:
            return "mounted on " + holder.name;
        case ublk::Holder::Kind::Swap:
            return "used as swap";
        case ublk::Holder::Kind::Kernel:
            return "used by " + holder.name;
        case ublk::Holder::Kind::Process:
            break;
    }
    return "open in process " + holder.name;
}

}  // namespace

ublk::DeviceSpec specOf(const wire::ExportInfo& info, std::uint32_t maxIo, bool fua) {
    ublk::DeviceSpec spec;
    spec.depth = kDepth;
    spec.maxIoBytes = std::min(kMaxIo, maxIo);
    spec.logicalBlockBytes = info.blockSize;
    spec.physicalBlockBytes = std::max<std::uint32_t>(info.blockSize, 4096);
    spec.sizeBytes = info.sizeBytes;
    spec.readOnly = info.readOnly;
    spec.volatileCache = true;
    spec.fua = fua;
    if (info.canDiscard && !info.readOnly)
        spec.maxDiscardBytes = kMaxDiscard;
    if (info.canWriteZeroes && !info.readOnly)
        spec.maxWriteZeroesBytes = kMaxDiscard;
    spec.ownData = nextMark();
    return spec;
}

Result<ublk::DeviceInfo> infoOf(DeviceId id) {
    auto control = ublk::Control::open();
    if (!control)
        return tl::make_unexpected(control.error());
    return control->deviceInfo(id);
}

bool isOurs(const ublk::DeviceInfo& info) {
    return info.ownData >> kOursShift == kOurs;
}

pid_t makerOf(const ublk::DeviceInfo& info) {
    return static_cast<pid_t>(info.ownData >> kMakerShift & kMakerMask);
}

std::vector<ublk::DeviceInfo> idleDevices() {
    std::vector<ublk::DeviceInfo> idle;
    for (const DeviceId id : ublk::devices())
        if (const auto info = infoOf(id);
            info && isOurs(*info) && info->state == ublk::DeviceState::Dead)
            idle.push_back(*info);
    return idle;
}

Result<void> giveAway(DeviceId id, uid_t uid, gid_t gid) {
    const std::string node = ublk::serverNode(id);
    if (::chown(node.c_str(), uid, gid) < 0)
        return systemError("give away", node);
    return {};
}

Result<void> needUnused(DeviceId id) {
    const auto holders = ublk::holdersOf(id);
    if (!holders || holders->empty())
        return {};
    std::vector<std::string> texts;
    for (const ublk::Holder& holder : *holders)
        texts.push_back(holderText(holder));
    return errorFrom(EBUSY, "stop", ublk::diskName(id),
                     fmt::format("It is {}. Close it, or use --force, which loses what is not "
                                 "saved",
                                 fmt::join(texts, ", ")));
}

}  // namespace belay::helper
