#pragma once

#include <string>

namespace belay::helper {

// belay-hostd's data path for one gadget: a process without privileges that handles every byte
// from USB. Started by the supervisor with the channel, or the socket that listens for one, as
// descriptor 3 and the stores' files from 4 on. `config`: JSON
//   user        whom to run as
//   host        our uuid, as the gadget sees it
//   attach      whether ublk devices are wanted
//   payloadCrc  whether payloads are to be checked
//   smooWriteBack  whether a smoo gadget's writes are answered before they are durable
//   mimicFastboot  whether to lend to what looks like a boot loader, too
//   stores      what to lend: a list of {id, label, readOnly, path}
//   lasting     whether it outlives its supervisor
//   stateDir    where stores keep their write-back state
// Messages it takes beyond DeviceServer's and WorkerStores':
//   gadget  name  (with the usbfs descriptor)    the gadget is plugged in
//   gadget-gone                                  it was unplugged
//   recover                                      reset the port and open the sessions anew
//   report  requests                             answered by a report of devices and stores
// Messages it sends beyond theirs:
//   ready  attach, devices, stores, gadget       a supervisor has connected; what devices and
//                                                sessions are at follows
//   session  direction, state, protocol, reason  connecting | open | lost | refused
// Returns main()'s value.
int hostWorkerMain(const std::string& config);

}  // namespace belay::helper
