#pragma once

#include <string>

namespace belay::helper {

// belay-hostd's worker for what is attached: a process without privileges that serves the ublk
// devices of one gadget and handles every byte that comes from its shares. Started by the
// supervisor with the channel, or the socket that listens for one, as descriptor 3. `config`: JSON
//   user        whom to run as
//   host        our uuid, as the gadget sees it
//   payloadCrc  whether payloads are to be checked
//   smooWriteBack  has no meaning here
//   lasting     whether it outlives its supervisor
// Messages it takes beyond DeviceServer's and GadgetOnBus's:
//   report  requests                             answered by a report of devices
// Messages it sends beyond theirs:
//   ready  devices, gadget                       a supervisor has connected; what devices and the
//                                                session are at follows
// Returns main()'s value.
int hostInitiatorMain(const std::string& config);

}  // namespace belay::helper
