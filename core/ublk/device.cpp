#include "core/ublk/device.h"

#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace belay::ublk {
namespace {

std::uint8_t shiftOf(std::uint32_t powerOfTwo) {
    return static_cast<std::uint8_t>(std::countr_zero(powerOfTwo));
}

}  // namespace

Result<void> DeviceSpec::check() const {
    const auto page = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE));
    const auto refuse = [](std::string why) { return failure("make a ublk device", {}, why); };
    if (depth < 1 || depth > uapi::kMaxDepth)
        return refuse(fmt::format("The queue depth must be 1 to {}", uapi::kMaxDepth));
    if (maxIoBytes < page || maxIoBytes > uapi::kMaxIoBytes || maxIoBytes % page != 0)
        return refuse(fmt::format("The longest request must be {} to {} bytes, in steps of {}",
                                  page, uapi::kMaxIoBytes, page));
    if (!std::has_single_bit(logicalBlockBytes) || logicalBlockBytes < uapi::kSectorBytes ||
        logicalBlockBytes > page)
        return refuse(fmt::format("The block size must be a power of two, 512 to {}", page));
    if (!std::has_single_bit(physicalBlockBytes) || physicalBlockBytes < logicalBlockBytes)
        return refuse("The physical block must be a power of two, at least the logical block");
    if (sizeBytes == 0 || sizeBytes % logicalBlockBytes != 0)
        return refuse(fmt::format("The size must be a multiple of {}, not 0", logicalBlockBytes));
    if (maxDiscardBytes % logicalBlockBytes != 0 || maxWriteZeroesBytes % logicalBlockBytes != 0)
        return refuse("Discard limits must be multiples of the logical block");
    return {};
}

uapi::Params DeviceSpec::parameters() const {
    uapi::Params params{};
    params.length = uapi::kParamsBytes;
    params.types = uapi::kParamTypeBasic;
    params.basic.attributes = (readOnly ? uapi::kAttributeReadOnly : 0) |
                              (volatileCache ? uapi::kAttributeVolatileCache : 0) |
                              (volatileCache && fua ? uapi::kAttributeFua : 0);
    params.basic.logicalBlockShift = shiftOf(logicalBlockBytes);
    params.basic.physicalBlockShift = shiftOf(physicalBlockBytes);
    params.basic.minimalIoShift = shiftOf(physicalBlockBytes);
    params.basic.optimalIoShift = shiftOf(physicalBlockBytes);
    params.basic.maxSectors = maxIoBytes / uapi::kSectorBytes;
    params.basic.deviceSectors = sizeBytes / uapi::kSectorBytes;
    if (maxDiscardBytes > 0 || maxWriteZeroesBytes > 0) {
        params.types |= uapi::kParamTypeDiscard;
        params.discard.granularity = std::max(logicalBlockBytes, physicalBlockBytes);
        params.discard.maxDiscardSectors = maxDiscardBytes / uapi::kSectorBytes;
        params.discard.maxWriteZeroesSectors = maxWriteZeroesBytes / uapi::kSectorBytes;
        params.discard.maxDiscardSegments = 1;
    }
    return params;
}

DeviceInfo DeviceInfo::from(const uapi::DeviceInfo& kernel) {
    return {.id = DeviceId(kernel.deviceId),
            .state = static_cast<DeviceState>(kernel.state),
            .serverPid = kernel.serverPid,
            .depth = kernel.depth,
            .queues = kernel.queues,
            .maxIoBytes = kernel.maxIoBytes,
            .flags = kernel.flags,
            .ownData = kernel.serverFlags};
}

std::string serverNode(DeviceId id) {
    return fmt::format("/dev/ublkc{}", id.value);
}
std::string diskNode(DeviceId id) {
    return fmt::format("/dev/ublkb{}", id.value);
}
std::string diskName(DeviceId id) {
    return fmt::format("ublkb{}", id.value);
}
bool hasDisk(DeviceId id) {
    return ::access(("/sys/block/" + diskName(id)).c_str(), F_OK) == 0 || errno != ENOENT;
}

std::vector<DeviceId> devices() {
    std::vector<DeviceId> found;
    glob_t nodes{};
    if (::glob("/dev/ublkc[0-9]*", 0, nullptr, &nodes) == 0)
        for (std::size_t i = 0; i < nodes.gl_pathc; ++i)
            if (const std::string_view name = std::strrchr(nodes.gl_pathv[i], 'c') + 1;
                std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
                found.emplace_back(
                    static_cast<std::uint32_t>(std::strtoul(name.data(), nullptr, 10)));
    ::globfree(&nodes);
    return found;
}

}  // namespace belay::ublk
