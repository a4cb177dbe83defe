#pragma once

#include "core/base/error.h"
#include "helper/worker/role.h"

#include <cstdint>
#include <span>

namespace belay::helper {

// Which end's worker is to be confined: each has a few system calls that the other has no use for.
enum class Side : std::uint8_t {
    Host,    // usbfs; supervisors that come and go
    Gadget,  // FunctionFS and Linux AIO
};

// The last step into confinement, after giveUpPrivileges(): from now on only the system calls of
// the event loop work (seccomp(2), an allow-list). Every other one ends the process, but for a few
// that libraries try and can do without.
//
// - What has no place in the loop: exec, fork, threads, sockets (but for talking over those it has
//   and, on the host, taking a new supervisor's connection), ptrace, mounts, changes of identity,
//   executable memory, renaming, linking, deleting.
// - Files are opened for reading, or for both without being emptied: the initiator's /dev/ublkcN.
//   The target's may be created: the state of a store. That there is nothing else to be written to
//   is what giveUpPrivileges() sees to.
// - Stores, and what can be asked of a file system or a block device, are the target's alone.
// - What goes through a ring is not seen here: see ringOperations(), and ublk::ServerControl.
Result<void> filterSystemCalls(Side side, WorkerRole role);

// The last step of a process that looks at strangers' bytes through a descriptor it has and says
// what it saw: reading, writing, asking block devices for their sizes, and memory are all that is
// left. Every other system call fails with EPERM.
Result<void> allowReadingOnly();

// All that a worker's event ring is to be restricted to (Ring::create): the initiator's sends ublk
// commands, the target's syncs and punches holes.
std::span<const std::uint8_t> ringOperations(WorkerRole role);

}  // namespace belay::helper
