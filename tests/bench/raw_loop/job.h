#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace rawloop {

// The pipes of one interface, in USB's sense: In is towards the host. In the order in which the
// endpoints stand in the descriptors.
enum class Pipe : std::uint8_t { MessageIn, MessageOut, PayloadIn, PayloadOut };

inline constexpr std::size_t kPipes = 4;
inline constexpr std::array<Pipe, kPipes> kAllPipes = {Pipe::MessageIn, Pipe::MessageOut,
                                                       Pipe::PayloadIn, Pipe::PayloadOut};

enum class End : std::uint8_t { Host, Gadget };

enum class Kind : std::uint8_t {
    Send,   // the initiator sends payloads, one after the other
    Read,   // a message to the target, a payload and a message back
    Write,  // a message and a payload to the target, a message back
};

// Length of a message, of Belay's native protocol, in bytes.
inline constexpr std::uint32_t kMessageBytes = 64;

// One measurement: so many payloads of one size, so many under way at once.
struct Job {
    Kind kind = Kind::Send;
    End initiator = End::Host;
    std::uint32_t payloadBytes = 0;
    std::uint32_t depth = 1;
    std::uint32_t count = 0;
};

// Every job there is a figure for, without the count. Send at 64 KiB and 1 MiB is what sequential
// reading and writing compare with; Read and Write at 4 KiB with random access.
std::vector<Job> allJobs();

// Its name on the command line, such as "out-64k-8" or "host-read-4k-32".
std::string name(const Job& job);

}  // namespace rawloop
