#pragma once

#include <cstdint>

namespace belay {

// A pointer as the kernel takes it in 64 bits. Not by one cast: to a longer type GCC extends a
// 32-bit pointer by its sign, and the kernel would not find what is above 2 GiB.
inline std::uint64_t addressOf(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace belay
