#pragma once

#include "core/base/bytes.h"

#include <cstdint>
#include <cstring>
#include <vector>

// What the two smoo peers put on the wire, as plain structs: the machines that run these tests are
// little-endian, as the wire is.
namespace smoo {

using Bytes = std::vector<std::byte>;

// ep0: bmRequestType and bRequest.
inline constexpr std::uint8_t kVendorIn = 0xc1;
inline constexpr std::uint8_t kVendorOut = 0x41;
inline constexpr std::uint8_t kClassIn = 0xa1;
inline constexpr std::uint8_t kIdent = 1;
inline constexpr std::uint8_t kConfigExports = 2;
inline constexpr std::uint8_t kStatus = 3;

inline constexpr std::uint8_t kRead = 0;
inline constexpr std::uint8_t kWrite = 1;
inline constexpr std::uint8_t kFlush = 2;
inline constexpr std::uint8_t kDiscard = 3;

#pragma pack(push, 1)
struct Ident {
    char magic[4] = {'S', 'M', 'O', 'O'};
    std::uint16_t major = 0;
    std::uint16_t minor = 1;
};

struct Config {
    std::uint16_t version = 0;
    std::uint16_t count = 0;
    std::uint32_t flags = 0;
};

struct Export {
    std::uint32_t id = 0;
    std::uint32_t blockSize = 0;
    std::uint64_t size = 0;
    std::uint64_t reserved = 0;
};

struct Status {
    std::uint16_t version = 0;
    std::uint16_t flags = 0;
    std::uint32_t exports = 0;
    std::uint64_t session = 0;
};

// Request and response.
struct Message {
    std::uint8_t op = kRead;
    std::uint8_t status = 0;
    std::uint16_t reserved = 0;
    std::uint32_t id = 0;
    std::uint32_t exportId = 0;
    std::uint64_t lba = 0;
    std::uint32_t blocks = 0;
    std::uint32_t flags = 0;
};
#pragma pack(pop)

static_assert(sizeof(Ident) == 8 && sizeof(Config) == 8 && sizeof(Export) == 24 &&
              sizeof(Status) == 16 && sizeof(Message) == 28);

template <class T>
Bytes bytesOf(const T& value) {
    Bytes bytes(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

// The caller has checked the length.
template <class T>
T from(belay::ConstByteSpan bytes) {
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

}  // namespace smoo
