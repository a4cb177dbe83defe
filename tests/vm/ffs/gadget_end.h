#pragma once

#include "core/ffs/configfs.h"

#include <string>

namespace ffstest {

// Runs a gadget that does what the host end asks for (script.h), until SIGTERM. Prints "ready" and
// the milliseconds it took when it is on the bus. Returns the exit status.
int runGadget(belay::ffs::GadgetIdentity identity, const std::string& udc);

}  // namespace ffstest
