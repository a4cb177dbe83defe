#include "core/base/uuid.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cstdlib>

namespace belay {
namespace {

// getrandom(2) without flags only fails before the kernel's pool is initialised or for bad
// pointers, and up to 256 bytes it is never cut short: there is nothing to go on with otherwise.
void fillRandom(void* out, std::size_t length) {
    if (::getrandom(out, length, 0) != static_cast<ssize_t>(length))
        std::abort();
}

int hexDigit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool isDashPlace(std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

}  // namespace

std::string Uuid::toString() const {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (isDashPlace(text.size()))
            text += '-';
        text += fmt::format("{:02x}", bytes[i]);
    }
    return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != 36)
        return std::nullopt;
    Uuid uuid;
    std::size_t nibble = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (isDashPlace(i)) {
            if (text[i] != '-')
                return std::nullopt;
            continue;
        }
        const int digit = hexDigit(text[i]);
        if (digit < 0)
            return std::nullopt;
        auto& byte = uuid.bytes[nibble / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | digit);
        ++nibble;
    }
    return uuid;
}

Uuid Uuid::random() {
    Uuid uuid;
    fillRandom(uuid.bytes.data(), uuid.bytes.size());
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

std::uint64_t randomNonZero64() {
    std::uint64_t value = 0;
    while (value == 0)
        fillRandom(&value, sizeof value);
    return value;
}

}  // namespace belay
