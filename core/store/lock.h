#pragma once

#include "core/base/error.h"

#include <sys/types.h>

#include <optional>

namespace belay::store {

struct Backing;

// Takes the open-file-description lock, for writing unless the backing is read-only, without
// waiting. EBUSY when somebody has it, or when this very description is already locked (then it
// is shared with its holder). `lastHolder` goes into the message if that process still exists.
// Never unlocked by us: the kernel does with the last reference (locks_remove_file in __fput).
Result<void> lockDescription(const Backing& backing, std::optional<pid_t> lastHolder);
// Whether a description other than `fd` has a lock that is in the way of one for `readOnly`.
bool isLocked(int fd, bool readOnly);

}  // namespace belay::store
