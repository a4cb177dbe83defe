#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace ffstest {

// What the host end of the test tells the gadget end, by vendor requests to the interface. Both
// run on one machine, so plain structures will do.
enum Command : std::uint8_t {
    kStart = 0x70,      // OUT Job: begin on a new link
    kAsk = 0x71,        // IN Report
    kSwallow = 0x72,    // OUT, any length: counted and summed in the report
    kPattern = 0x73,    // IN, any length: pattern(7)
    kSlow = 0x74,       // IN, wValue milliseconds late
    kShutDown = 0x75,   // OUT, no data: shut the link down
    kRefuseOut = 0x76,  // OUT: stalled, whatever it brings
};

struct Job {
    std::uint32_t smooFraming = 0;
    std::uint32_t echo = 0;          // send every message back
    std::uint32_t receiveCount = 0;  // payloads to expect, and to check
    std::uint32_t sendCount = 0;
    std::uint32_t size = 0;
    std::uint32_t vary = 0;   // lengths from 1 to size instead of size
    std::uint32_t check = 1;  // 0: neither fill nor check
    std::uint32_t depth = 1;
    std::uint32_t chunk = 0;  // 0: the link's own
};

struct Report {
    std::uint32_t bound = 0, unbound = 0, enabled = 0, disabled = 0;
    std::uint32_t linksUp = 0, linksDown = 0, downCode = 0;
    std::uint32_t received = 0, sent = 0, wrong = 0, messages = 0;
    std::uint32_t swallowed = 0, swallowedSum = 0;
    std::uint32_t shutDownMicroseconds = 0;
    std::uint32_t pid = 0;
};

inline std::uint32_t lengthOf(const Job& job, std::uint32_t index) {
    return job.vary != 0 ? 1 + index * 2654435761U % job.size : job.size;
}

// The content of payload `index`: no two are alike, nor two places in one.
inline void fill(std::span<std::byte> bytes, std::uint32_t index) {
    std::uint64_t word = (index + 1) * 0x9e3779b97f4a7c15ULL;
    for (std::size_t at = 0; at < bytes.size(); at += sizeof word, ++word)
        std::memcpy(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at));
}

inline bool isFilled(std::span<const std::byte> bytes, std::uint32_t index) {
    std::uint64_t word = (index + 1) * 0x9e3779b97f4a7c15ULL;
    for (std::size_t at = 0; at < bytes.size(); at += sizeof word, ++word)
        if (std::memcmp(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at)) != 0)
            return false;
    return true;
}

}  // namespace ffstest
