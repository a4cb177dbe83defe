#pragma once

#include <cstddef>

namespace belay::engine {

// What a turn of the ring prepares goes out together at its end, which saves system calls; but once
// it is about so many bytes of payload, what there is goes out at once, in the middle of the turn.
// Else all large requests would be copied while the cable is idle, and then all cross it while the
// processor is. Bytes.
inline constexpr std::size_t kBatchBytes = std::size_t{64} << 10;

}  // namespace belay::engine
