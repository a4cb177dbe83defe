#pragma once

#include "tests/sim/context.h"

#include <cstdint>
#include <vector>

namespace belay::sim {

// The oracle: which values each block may have, going by what the kernel asked for and was told.
//
// - A read may return what any write left behind that had begun before the read ended, unless
//   another one began after that one had ended, and ended, well, before the read began. Writes
//   that overlap in time have no order; a failed write may or may not have happened.
// - Nothing is ever forgotten but when the loss was told: then each block may have any value
//   since the last write that a successful flush covers.
class ModelDisk {
 public:
    using Tick = std::uint64_t;

    explicit ModelDisk(std::uint32_t blocks);

    // The moment, later than every earlier one.
    Tick now() { return ++tick_; }

    // A write of `value` to these blocks begins. Its name is the moment.
    Tick beginWrite(std::uint32_t first, std::uint32_t count, std::uint32_t value);
    void endWrite(Tick begun, std::uint32_t first, std::uint32_t count, bool ok, bool durable);
    // A flush that began at `begun` has succeeded.
    void flushed(Tick begun);
    // The issuer was told that what is not flushed may be lost.
    void lossTold();
    // Whether a read that began at `begun` and ends now may see this value.
    bool mayRead(std::uint32_t block, std::uint32_t value, Tick begun) const;

 private:
    static constexpr Tick kNever = ~Tick{0};
    struct Write {
        Tick name;
        Tick begin;
        Tick end;
        std::uint32_t value;
        bool ok;
        bool durable;
        Tick gone = kNever;  // covered when a loss was told
    };

    std::vector<std::vector<Write>> blocks_;
    Tick tick_ = 0;
};

}  // namespace belay::sim
