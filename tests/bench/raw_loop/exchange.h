#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "tests/bench/raw_loop/job.h"

#include <array>
#include <cstdint>

namespace rawloop {

// What one end of the cable can do with transfers, whatever system calls it takes.
class Transport {
 public:
    // Told of each transfer that is complete; those of one pipe come in order.
    class Listener {
     public:
        virtual void completed(Pipe pipe) = 0;

     protected:
        ~Listener() = default;
    };

    virtual ~Transport() = default;

    // Makes buffers: `depth` of each pipe, of these lengths in bytes (0: the pipe is not used).
    virtual belay::Result<void> prepare(const std::array<std::uint32_t, kPipes>& lengths,
                                        std::uint32_t depth, Listener& listener) = 0;
    // The buffer of one slot, for as long as the job lasts.
    virtual belay::ByteSpan buffer(Pipe pipe, std::uint32_t slot) = 0;
    // Starts the transfer of a slot's whole buffer, at the latest with the next wait().
    virtual belay::Result<void> start(Pipe pipe, std::uint32_t slot) = 0;
    // Sleeps until something is complete and tells the listener. A transfer that failed or is too
    // short is an error.
    virtual belay::Result<void> wait() = 0;
};

// What a job cost at one end.
struct Outcome {
    double seconds = 0;     // from the first transfer's start to the last one's end
    double cpuSeconds = 0;  // of this process, user and system
};

// Does one end's part of a job. Every payload and message carries its number at both ends of its
// buffer; a wrong one is an error.
belay::Result<Outcome> run(const Job& job, End self, Transport& transport);

}  // namespace rawloop
