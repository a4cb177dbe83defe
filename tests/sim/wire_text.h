#pragma once

#include "core/wire/message.h"
#include "tests/sim/context.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace belay::sim {

inline const char* nameOf(wire::Op op) {
    constexpr std::array kNames = {"read", "write", "flush", "discard", "write-zeroes"};
    return kNames[static_cast<std::size_t>(op)];
}

inline std::string rangeText(wire::Op op, std::uint64_t offset, std::uint32_t length) {
    if (op == wire::Op::Flush)
        return nameOf(op);
    const auto first = offset / kBlockBytes;
    return fmt::format("{} of {}..{}", nameOf(op), first, first + length / kBlockBytes - 1);
}

inline std::string textOf(const wire::Request& request) {
    return fmt::format("#{} {}{}{}", request.sequence.value,
                       rangeText(request.op, request.offset, request.length),
                       (request.flags & wire::kFlagFua) != 0 ? ", FUA" : "",
                       (request.flags & wire::kFlagReplay) != 0 ? ", again" : "");
}

inline std::string textOf(const wire::Response& response) {
    return fmt::format("#{} {}: {}, verifier {}", response.sequence.value,
                       rangeText(response.op, response.offset, response.length),
                       response.status == 0 ? "done" : fmt::format("error {}", response.status),
                       response.verifier.value);
}

// Stands for the CRC of a payload.
inline std::uint32_t checksum(const Blocks& blocks) {
    std::uint32_t sum = 1;
    for (const std::uint32_t block : blocks)
        sum = sum * 31 + block;
    return sum;
}

}  // namespace belay::sim
