#pragma once

#include <sys/types.h>

#include <cstddef>

namespace belay {

// Child processes that are left behind: they may hang in the kernel, and nobody waits for them.

// Kills it, now or as soon as the kernel lets it die; reapAbandoned() buries it.
void abandon(pid_t child);

// Reaps abandoned processes that have ended meanwhile; the number of those that have not.
std::size_t reapAbandoned();

}  // namespace belay
