#pragma once

#include "core/base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <span>

// The gadget's end for tests of the host's: a process of its own, moving real bytes through
// core/ffs and doing what the messages from the host say.
namespace peer {

inline constexpr std::size_t kMessageBytes = 64;
inline constexpr const char* kGadgetName = "belay-usb-test";
// The reading end of a pipe whose other end whoever starts run() holds (see ffs::AioGuard).
inline constexpr int kAliveFd = 3;

enum class Op : std::uint8_t {
    Echo = 1,    // send the message back
    Take = 2,    // receive a payload, compare it with the pattern of the seed, then answer
    Give = 3,    // send a payload with the pattern of the seed
    Sink = 4,    // receive `count` payloads, unseen, several at a time; answer after the last
    Source = 5,  // send `count` payloads of anything, several at a time
};

// A message of kMessageBytes, the same back as answer.
struct Command {
    Op op = Op::Echo;
    std::uint8_t failed = 0;  // answer: the payload was not what it should be
    std::uint32_t length = 0;
    std::uint64_t seed = 0;
    std::uint32_t count = 0;
};

void encode(const Command& command, belay::ByteSpan message);
Command decode(belay::ConstByteSpan message);

// Bytes that depend on the seed and on where they are.
void fillPattern(belay::ByteSpan bytes, std::uint64_t seed);
bool hasPattern(belay::ConstByteSpan bytes, std::uint64_t seed);

// ep0 requests of this peer; others are refused.
inline constexpr std::uint8_t kGetPattern = 0x51;  // IN: wValue bytes of the pattern of seed 0
inline constexpr std::uint8_t kKeep = 0x52;        // OUT
inline constexpr std::uint8_t kGetKept = 0x53;     // IN: what the last kKeep brought
inline constexpr std::uint8_t kGetLink = 0x54;     // IN: one byte, 1 when it has a link up

// Runs the gadget with both interfaces until it is killed. For main().
int run();

}  // namespace peer
