#include "core/store/gpt.h"

#include <array>
#include <string_view>

namespace belay::store {
namespace {

constexpr std::string_view kSignature = "EFI PART";
constexpr std::size_t kSizeAt = 12;
constexpr std::size_t kChecksumAt = 16;
constexpr std::size_t kOwnBlockAt = 24;
constexpr std::size_t kDiskAt = 56;
constexpr std::size_t kGuidBytes = 16;
constexpr std::uint64_t kLeastHeader = 92;

std::uint64_t number(ConstByteSpan bytes, std::size_t at, std::size_t length) {
    std::uint64_t value = 0;
    for (std::size_t i = length; i-- > 0;)
        value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
    return value;
}

// CRC-32 of ISO 3309, which takes its own field for zeroes. Of one header: no table is worth it.
std::uint32_t checksum(ConstByteSpan header) {
    constexpr std::uint32_t kPolynomial = 0xedb88320;
    std::uint32_t crc = ~std::uint32_t{0};
    for (std::size_t i = 0; i < header.size(); ++i) {
        const bool isChecksum = i >= kChecksumAt && i < kChecksumAt + 4;
        crc ^= isChecksum ? 0 : std::to_integer<std::uint32_t>(header[i]);
        for (int bit = 0; bit < 8; ++bit)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? kPolynomial : 0);
    }
    return ~crc;
}

bool isHeader(ConstByteSpan block) {
    for (std::size_t i = 0; i < kSignature.size(); ++i)
        if (std::to_integer<char>(block[i]) != kSignature[i])
            return false;
    const std::uint64_t size = number(block, kSizeAt, 4);
    return size >= kLeastHeader && size <= block.size() && number(block, kOwnBlockAt, 8) == 1 &&
           checksum(block.first(size)) == number(block, kChecksumAt, 4);
}

}  // namespace

std::optional<std::uint32_t> gptBlockSize(ConstByteSpan start) {
    for (const std::uint32_t blockSize : {512U, 4096U})
        if (start.size() >= std::size_t{2} * blockSize &&
            isHeader(start.subspan(blockSize, blockSize)))
            return blockSize;
    return std::nullopt;
}

std::optional<ConstByteSpan> gptDisk(ConstByteSpan start) {
    const auto blockSize = gptBlockSize(start);
    if (!blockSize)
        return std::nullopt;
    return start.subspan(*blockSize + kDiskAt, kGuidBytes);
}

}  // namespace belay::store
