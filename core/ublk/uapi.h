#pragma once

#include <linux/ioctl.h>

#include <cstddef>
#include <cstdint>

// The ublk driver's interface, written out from its documentation (Linux,
// Documentation/block/ublk.rst) because the headers that distributions ship are often older than
// their kernels. Everything is in host byte order. Only the ioctl-encoded commands are here: the
// older numbering is a build option of the kernel (BLKDEV_UBLK_LEGACY_OPCODES).
namespace belay::ublk::uapi {

// Payload of a control command, at byte 48 of a 128-byte submission entry.
struct ControlCommand {
    std::uint32_t deviceId;
    // 0xffff for a command that is not about one queue.
    std::uint16_t queueId;
    // Bytes at `address`.
    std::uint16_t length;
    std::uint64_t address;
    // START_DEV and END_USER_RECOVERY: the server's process id.
    std::uint64_t data;
    std::uint16_t devicePathLength;
    std::uint16_t pad;
    std::uint32_t reserved;
};
static_assert(sizeof(ControlCommand) == 32 && offsetof(ControlCommand, data) == 16);

inline constexpr std::uint16_t kNoQueue = 0xffff;
inline constexpr std::uint32_t kAnyDevice = 0xffffffff;
inline constexpr std::size_t kCommandOffsetInSqe = 48;

// Argument of ADD_DEV and GET_DEV_INFO.
struct DeviceInfo {
    std::uint16_t queues;
    std::uint16_t depth;
    std::uint16_t state;
    std::uint16_t pad0;
    std::uint32_t maxIoBytes;
    std::uint32_t deviceId;
    std::int32_t serverPid;
    std::uint32_t pad1;
    std::uint64_t flags;
    // Opaque to the kernel, which keeps it for the server.
    std::uint64_t serverFlags;
    std::uint32_t ownerUid;
    std::uint32_t ownerGid;
    std::uint64_t reserved1;
    std::uint64_t reserved2;
};
static_assert(sizeof(DeviceInfo) == 64 && offsetof(DeviceInfo, flags) == 24);

inline constexpr std::uint32_t kGetDevInfo = _IOR('u', 0x02, ControlCommand);
inline constexpr std::uint32_t kAddDev = _IOWR('u', 0x04, ControlCommand);
inline constexpr std::uint32_t kDelDev = _IOWR('u', 0x05, ControlCommand);
inline constexpr std::uint32_t kStartDev = _IOWR('u', 0x06, ControlCommand);
inline constexpr std::uint32_t kStopDev = _IOWR('u', 0x07, ControlCommand);
inline constexpr std::uint32_t kSetParams = _IOWR('u', 0x08, ControlCommand);
inline constexpr std::uint32_t kStartUserRecovery = _IOWR('u', 0x10, ControlCommand);
inline constexpr std::uint32_t kEndUserRecovery = _IOWR('u', 0x11, ControlCommand);
inline constexpr std::uint32_t kGetFeatures = _IOR('u', 0x13, ControlCommand);
inline constexpr std::uint32_t kDelDevAsync = _IOR('u', 0x14, ControlCommand);
inline constexpr std::uint32_t kTryStopDev = _IOWR('u', 0x17, ControlCommand);

// Feature bits. ADD_DEV drops bits it does not know without an error.
inline constexpr std::uint64_t kUserRecovery = 1ULL << 3;
inline constexpr std::uint64_t kUserRecoveryReissue = 1ULL << 4;
inline constexpr std::uint64_t kUserCopy = 1ULL << 7;
// Since 6.16, always on: the kernels that have it notice a server's death when its files close.
inline constexpr std::uint64_t kPerIoDaemon = 1ULL << 13;
// Since 7.0.
inline constexpr std::uint64_t kSafeStopDev = 1ULL << 17;
inline constexpr std::uint64_t kNoAutoPartScan = 1ULL << 18;

// DeviceInfo::state.
inline constexpr std::uint16_t kStateDead = 0;
inline constexpr std::uint16_t kStateLive = 1;
inline constexpr std::uint16_t kStateQuiesced = 2;
inline constexpr std::uint16_t kStateFailIo = 3;

struct ParamBasic {
    std::uint32_t attributes;
    std::uint8_t logicalBlockShift;
    std::uint8_t physicalBlockShift;
    std::uint8_t optimalIoShift;
    std::uint8_t minimalIoShift;
    std::uint32_t maxSectors;
    std::uint32_t chunkSectors;
    std::uint64_t deviceSectors;
    std::uint64_t virtualBoundaryMask;
};

struct ParamDiscard {
    std::uint32_t alignment;
    std::uint32_t granularity;
    std::uint32_t maxDiscardSectors;
    std::uint32_t maxWriteZeroesSectors;
    // The kernel accepts only 1.
    std::uint16_t maxDiscardSegments;
    std::uint16_t reserved;
};

// Argument of SET_PARAMS, up to the last group we use: the kernel reads `length` bytes.
struct Params {
    std::uint32_t length;
    std::uint32_t types;
    ParamBasic basic;
    ParamDiscard discard;
    std::uint32_t pad;
};
static_assert(offsetof(Params, basic) == 8 && offsetof(Params, discard) == 40);
static_assert(sizeof(ParamBasic) == 32 && sizeof(ParamDiscard) == 20);

inline constexpr std::uint32_t kParamsBytes = offsetof(Params, pad);
inline constexpr std::uint32_t kParamTypeBasic = 1U << 0;
inline constexpr std::uint32_t kParamTypeDiscard = 1U << 1;
inline constexpr std::uint32_t kAttributeReadOnly = 1U << 0;
inline constexpr std::uint32_t kAttributeVolatileCache = 1U << 2;
inline constexpr std::uint32_t kAttributeFua = 1U << 3;

// Payload of an I/O command on /dev/ublkcN, at byte 48 of the submission entry.
struct IoCommand {
    std::uint16_t queueId;
    std::uint16_t tag;
    std::int32_t result;
    // 0 in USER_COPY mode.
    std::uint64_t address;
};
static_assert(sizeof(IoCommand) == 16 && offsetof(IoCommand, address) == 8);

inline constexpr std::uint32_t kFetchReq = _IOWR('u', 0x20, IoCommand);
inline constexpr std::uint32_t kCommitAndFetchReq = _IOWR('u', 0x21, IoCommand);

// What one request is: an entry of the array that mmap of /dev/ublkcN gives, by tag.
struct IoDesc {
    std::uint32_t opFlags;
    std::uint32_t sectors;
    std::uint64_t startSector;
    std::uint64_t address;
};
static_assert(sizeof(IoDesc) == 24 && offsetof(IoDesc, startSector) == 8);

inline constexpr std::uint32_t kOpMask = 0xff;
inline constexpr std::uint32_t kOpRead = 0;
inline constexpr std::uint32_t kOpWrite = 1;
inline constexpr std::uint32_t kOpFlush = 2;
inline constexpr std::uint32_t kOpDiscard = 3;
inline constexpr std::uint32_t kOpWriteZeroes = 5;
inline constexpr std::uint32_t kIoFua = 1U << 13;
inline constexpr std::uint32_t kIoNoUnmap = 1U << 15;

inline constexpr std::uint32_t kSectorBytes = 512;
inline constexpr unsigned kMaxDepth = 4096;
inline constexpr std::uint32_t kMaxIoBytes = 32U << 20;

// Where pread(2) and pwrite(2) on /dev/ublkcN find the bytes of the request with this tag
// (UBLKSRV_IO_BUF_OFFSET; tag at bit 25, queue at bit 41). `offset` < kMaxIoBytes.
constexpr std::uint64_t userCopyOffset(std::uint16_t queue, std::uint16_t tag,
                                       std::uint32_t offset) {
    return 0x80000000ULL + (std::uint64_t{queue} << 41) + (std::uint64_t{tag} << 25) + offset;
}

}  // namespace belay::ublk::uapi
