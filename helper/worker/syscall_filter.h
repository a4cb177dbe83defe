#pragma once

#include "core/base/error.h"

#include <liburing.h>

#include <array>
#include <cstdint>

namespace belay::helper {

// Which worker is to be confined: each has a few system calls that the other has no use for.
enum class Side : std::uint8_t {
    Host,    // usbfs; supervisors and stores that come and go
    Gadget,  // FunctionFS and Linux AIO
};

// The last step into confinement, after giveUpPrivileges(): from now on only the system calls of
// the event loop work (seccomp(2), an allow-list). Every other one ends the process, but for a few
// that libraries try and can do without.
//
// - What has no place in the loop: exec, fork, threads, sockets (but for talking over those it has
//   and, on the host, taking a new supervisor's connection), ptrace, mounts, changes of identity,
//   executable memory, renaming, linking, deleting.
// - Files are opened for reading, or for both without being emptied: /dev/ublkcN. On the host they
//   may be created: the state of a store. That there is nothing else to be written to is what
//   giveUpPrivileges() sees to.
// - What goes through a ring is not seen here: see kRingOperations, and ublk::ServerControl.
Result<void> filterSystemCalls(Side side);

// The last step of a process that looks at strangers' bytes through a descriptor it has and says
// what it saw: reading, writing, asking block devices for their sizes, and memory are all that is
// left. Every other system call fails with EPERM.
Result<void> allowReadingOnly();

// All that a worker's event ring is to be restricted to (Ring::create).
inline constexpr std::array<std::uint8_t, 11> kRingOperations = {
    IORING_OP_NOP,       IORING_OP_POLL_ADD,       IORING_OP_POLL_REMOVE,
    IORING_OP_TIMEOUT,   IORING_OP_TIMEOUT_REMOVE, IORING_OP_ASYNC_CANCEL,
    IORING_OP_READ,      IORING_OP_WRITE,          IORING_OP_FSYNC,
    IORING_OP_FALLOCATE, IORING_OP_URING_CMD};

}  // namespace belay::helper
