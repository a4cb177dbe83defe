#pragma once

#include <string>

namespace belay::helper {

// belay-gadget's data path: handles every byte from USB. Started by the supervisor with the
// channel as descriptor 3, the reading end of a pipe that tells of its supervisor's life as 4 (see
// ffs::AioGuard), and the stores' files from 5 on. `config`: JSON
//   user        whom to run as once everything is open
//   gadget      our uuid, as hosts see it
//   attachMount, lendMount   FunctionFS mounts to serve; empty: that direction is not offered
//   mimicFastboot            whether the lend interface looks like a boot loader's
//   stores      what to share: a list of {id, label, readOnly, path, blockSize, lastBlockSize,
//               uuid, replaced, losses}
//   stateDir    where stores keep their write-back state
// Messages it takes beyond DeviceServer's:
//   recover                    end the sessions; the host opens new ones
//   report  requests           answered by a report
// Messages it sends beyond DeviceServer's:
//   functions-ready            FunctionFS has its descriptors: the gadget can be bound
//   bound  yes                 put on a UDC, or taken off
// Returns main()'s value.
int gadgetWorkerMain(const std::string& config);

}  // namespace belay::helper
