#pragma once

#include "core/base/error.h"

#include <sys/types.h>

#include <string>

namespace belay::helper {

// What ps(1) calls this process: started through /proc/self/exe, it would be "exe".
void nameProcess(const char* name);

// Whom a worker runs as.
struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
};

// The user of that name, or the system's "nobody" (and says so) if there is none.
Result<Identity> identityOf(const std::string& user);

// What the process needs privileges for and must have before it gives them up: a place in the
// memory write-back path (PR_SET_IO_FLUSHER, so that it never waits for its own device), pages
// that stay (mlockall on fault), a heap that is there already, and protection from the OOM killer.
// What a container or an old kernel refuses is a warning, not an error.
void joinWriteBackPath();

// Gives everything up for good: a mount namespace of its own with next to nothing in it (a ublk
// server that is the last user of a namespace in which its device is mounted waits for itself at
// exit), no capabilities, no groups, no new privileges. Of what is left nothing can be written to
// by its path, whoever may, but device nodes (/dev/ublkcN) and what is in the directory `writable`
// (empty: none). The process still dies with its parent, unless it is to outlast it. Whatever is
// needed by other paths must be open before.
Result<void> giveUpPrivileges(const Identity& identity, const std::string& writable, bool lasting);

}  // namespace belay::helper
