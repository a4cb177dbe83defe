#pragma once

#include <string>

namespace belay::helper {

// belay-hostd's worker for what is lent: a process without privileges that has the stores for one
// gadget and handles every byte that the gadget sends for them. It has no ublk device. Started by
// the supervisor with the channel, or the socket that listens for one, as descriptor 3. `config`:
// JSON
//   user        whom to run as
//   host        our uuid, as the gadget sees it
//   payloadCrc  whether payloads are to be checked
//   smooWriteBack  whether a smoo gadget's writes are answered before they are durable
//   mimicFastboot  whether to lend to what looks like a boot loader, too
//   lasting     whether it outlives its supervisor
//   stateDir    where stores keep their write-back state
// Messages it takes beyond WorkerStores' and GadgetOnBus's:
//   report  requests                             answered by a report of stores
// Messages it sends beyond theirs:
//   ready  stores, gadget                        a supervisor has connected; what the session is at
//                                                follows
// Returns main()'s value.
int hostTargetMain(const std::string& config);

}  // namespace belay::helper
