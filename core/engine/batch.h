#pragma once

#include <cstddef>

namespace belay::engine {

// What a turn of the ring prepares goes out together at its end, which saves system calls; but once
// it is about so many bytes of payload, what there is goes to the link at once. Else the large
// requests of a turn would all be copied while the cable is idle, and then all cross it while the
// processor is. Bytes. With 128 KiB, eight requests of 64 KiB at high speed already lose a tenth.
inline constexpr std::size_t kBatchBytes = std::size_t{64} << 10;

}  // namespace belay::engine
