#pragma once

#include <array>
#include <cstdint>

namespace belay::helper {

// What a worker is for: each gadget, and each host of one, has one of each kind that is in use.
//
// - The initiator's serves ublk devices, and opens no store: nothing that it does can hang in the
//   kernel, so that it can always be killed and buried, which is all that a kernel understands as
//   the end of a block device's server.
// - The target's has the stores, and no ublk device: it may hang with one of them.
enum class WorkerRole : std::uint8_t { Initiator, Target };

inline constexpr std::array kWorkerRoles = {WorkerRole::Initiator, WorkerRole::Target};

// Also what its process is started with as its first argument, with "-worker" after it.
constexpr const char* nameOf(WorkerRole role) {
    return role == WorkerRole::Initiator ? "initiator" : "target";
}

}  // namespace belay::helper
