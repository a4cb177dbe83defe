// The start of a disk: the header of a partition table, which decides a file's block size, and what
// names a medium. Whoever has the disk at the other end writes it. What is found has a signature, a
// size that fits its block and, put right here so that the fuzzer gets past it, a checksum.

#include "core/store/gpt.h"
#include "core/store/medium.h"
#include "tests/fuzz/fuzz.h"

namespace belay::fuzz {
namespace {

constexpr std::size_t kSizeAt = 12;
constexpr std::size_t kChecksumAt = 16;

// CRC-32 of ISO 3309.
std::uint32_t crc32(ConstByteSpan bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const std::byte byte : bytes) {
        crc ^= std::to_integer<std::uint32_t>(byte);
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

Bytes sealedAt(Bytes start, std::size_t blockSize) {
    if (start.size() < 2 * blockSize)
        return start;
    const ByteSpan block = ByteSpan(start).subspan(blockSize, blockSize);
    const std::uint64_t size = loadLe<std::uint32_t>(block, kSizeAt);
    if (size >= kChecksumAt + 4 && size <= blockSize) {
        storeLe<std::uint32_t>(block, kChecksumAt, 0);
        storeLe<std::uint32_t>(block, kChecksumAt, crc32(block.first(size)));
    }
    return start;
}

void check(const Bytes& start) {
    require(store::MediumContent::of(start) == store::MediumContent::of(start));
    const auto found = store::gptBlockSize(start);
    if (!found)
        return;
    require(*found == 512 || *found == 4096);
    require(start.size() >= std::size_t{2} * *found);
    const ConstByteSpan block = ConstByteSpan(start).subspan(*found, *found);
    require(std::memcmp(block.data(), "EFI PART", 8) == 0);
    const std::uint64_t size = loadLe<std::uint32_t>(block, kSizeAt);
    require(size >= 92 && size <= *found);
    require(sealedAt(start, *found) == start);
}

}  // namespace
}  // namespace belay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = belay::fuzz::copyOf(data, size);
    belay::fuzz::check(input);
    belay::fuzz::check(belay::fuzz::sealedAt(input, 512));
    belay::fuzz::check(belay::fuzz::sealedAt(input, 4096));
    return 0;
}
