#pragma once

#include <string>

namespace belay::helper {

// belay-gadget's worker for what hosts lend: serves the ublk devices and handles every byte that
// comes from the host's end of the lend function. Started by the supervisor with the channel as
// descriptor 3, and kAliveFd. `config`: JSON
//   user        whom to run as once everything is open
//   gadget      our uuid, as hosts see it
//   mount       the FunctionFS mount to serve
//   mimicFastboot            whether the interface looks like a boot loader's
// Messages it takes beyond DeviceServer's:
//   recover                    end the session; the host opens a new one
//   report  requests           answered by a report of devices
// Messages it sends beyond DeviceServer's and FunctionEnd's:
//   ready  devices             it serves none yet
// Returns main()'s value.
int gadgetInitiatorMain(const std::string& config);

}  // namespace belay::helper
