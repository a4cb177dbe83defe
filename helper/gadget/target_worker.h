#pragma once

#include <string>

namespace belay::helper {

// belay-gadget's worker for what is shared: has the stores, and handles every byte that comes from
// the host's end of the attach function. It has no ublk device. Started by the supervisor with the
// channel as descriptor 3, and kAliveFd. `config`: JSON
//   user        whom to run as once everything is open
//   gadget      our uuid, as hosts see it
//   mount       the FunctionFS mount to serve
//   stateDir    where stores keep their write-back state
// Messages it takes beyond WorkerStores':
//   recover                    end the session; the host opens a new one
//   report  requests           answered by a report of stores
// Messages it sends beyond WorkerStores' and FunctionEnd's:
//   ready                      a supervisor has connected
// Returns main()'s value.
int gadgetTargetMain(const std::string& config);

}  // namespace belay::helper
