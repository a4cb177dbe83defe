#pragma once

#include <string>

namespace belay::helper {

// belay-gadget's worker for what is shared: has the stores, and handles every byte that comes from
// the host's end of the attach function. It has no ublk device. Started by the supervisor with the
// channel as descriptor 3, kAliveFd, and the stores' files from 5 on. `config`: JSON
//   user        whom to run as once everything is open
//   gadget      our uuid, as hosts see it
//   mount       the FunctionFS mount to serve
//   stores      what to share: a list of {id, label, readOnly, path, blockSize, lastBlockSize,
//               uuid, replaced, losses}
//   mayLack     as WorkerStores::offer() has it
//   stateDir    where stores keep their write-back state
// Messages it takes beyond WorkerStores':
//   recover                    end the session; the host opens a new one
//   report  requests           answered by a report of stores
// Messages it sends beyond WorkerStores' and FunctionEnd's:
//   ready  stores              those that it has opened
// Returns main()'s value.
int gadgetTargetMain(const std::string& config);

}  // namespace belay::helper
