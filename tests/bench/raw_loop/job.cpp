#include "tests/bench/raw_loop/job.h"

#include <fmt/format.h>

namespace rawloop {

std::vector<Job> allJobs() {
    constexpr std::uint32_t kKibibyte = 1024;
    std::vector<Job> jobs;
    for (const End initiator : {End::Host, End::Gadget}) {
        for (const std::uint32_t bytes : {64 * kKibibyte, 1024 * kKibibyte})
            for (const std::uint32_t depth : {1, 8, 32})
                jobs.push_back({Kind::Send, initiator, bytes, depth, 0});
        for (const Kind kind : {Kind::Read, Kind::Write})
            for (const std::uint32_t depth : {1, 16, 32})
                jobs.push_back({kind, initiator, 4 * kKibibyte, depth, 0});
    }
    return jobs;
}

std::string name(const Job& job) {
    const bool host = job.initiator == End::Host;
    std::string words;
    switch (job.kind) {
        case Kind::Send:
            words = host ? "out" : "in";
            break;
        case Kind::Read:
            words = host ? "host-read" : "gadget-read";
            break;
        case Kind::Write:
            words = host ? "host-write" : "gadget-write";
            break;
    }
    const std::uint32_t kibibytes = job.payloadBytes / 1024;
    const std::string size =
        kibibytes < 1024 ? fmt::format("{}k", kibibytes) : fmt::format("{}m", kibibytes / 1024);
    return fmt::format("{}-{}-{}", words, size, job.depth);
}

}  // namespace rawloop
