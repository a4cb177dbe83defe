#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace belay {

// Writes all of `bytes` to an open descriptor, in as many pieces as it takes; `what` is for the
// error ("write to a pipe"), which has errno. Not for what takes a whole in one write or nothing.
Result<void> writeAll(int fd, ConstByteSpan bytes, const char* what);

}  // namespace belay
