#pragma once

#include "core/base/ring.h"
#include "core/store/medium.h"

namespace belay::helper {

// Reads the start of a medium in a process of its own, this program with kReadMediumArgument, since
// a disk that hangs would keep its reader for ever; who waits is kept for ten seconds at most,
// and gets ETIMEDOUT then. `fd` stays the caller's.
Result<store::MediumContent> readMediumElsewhere(Ring& ring, int fd);

// The hidden first argument of that process: see ownProcessMain(). Descriptor 3 is the medium, 4 a
// pipe for the answer. The value is main()'s.
inline constexpr const char* kReadMediumArgument = "read-medium";
int readMediumMain();

}  // namespace belay::helper
