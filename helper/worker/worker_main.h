#pragma once

#include "core/base/error.h"
#include "core/base/ring.h"
#include "helper/protocol/json.h"
#include "helper/worker/confine.h"
#include "helper/worker/role.h"
#include "helper/worker/supervisor_link.h"
#include "helper/worker/syscall_filter.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace belay::helper {

// What main() of each worker process is made of.

// Descriptor 3 of every worker: the channel to its supervisor, or the socket that listens for one.
inline constexpr int kSupervisorFd = 3;

// Half of what it can hold is for one end's requests: see DeviceManager::kMostDevices.
inline constexpr unsigned kWorkerRingEntries = 2048;

// Runs `serve` with what `config` says. Says why if that fails; returns main()'s value.
int workerMain(const char* program, WorkerRole role, const std::string& config,
               const std::function<Result<int>(const Json& config)>& serve);

// The role of a process that was started as PROGRAM ROLE-worker CONFIG.
std::optional<WorkerRole> workerRoleFrom(int argc, char** argv);

// A ring of a worker, which by then is in the memory write-back path.
Result<std::unique_ptr<Ring>> makeWorkerRing(WorkerRole role);

// Everything is open: nothing that needs privileges works from now on. `writable`: as
// giveUpPrivileges() has it.
Result<void> confineWorker(const Json& config, Side side, WorkerRole role,
                           const std::string& writable, bool lasting);

// Serves until its supervisor or its own end; main()'s value.
int runWorker(Ring& ring, SupervisorLink& supervisor);

// A half-dead worker is the one thing that no kernel and no supervisor notices: all or nothing.
[[noreturn]] void endWorker(const Error& reason);

}  // namespace belay::helper
