#pragma once

#include <string>

namespace rawloop {

// How the host finds the gadget: an unused id of the Linux Foundation, as nothing of
// this is ever seen outside a test guest.
inline constexpr unsigned short kVendor = 0x1d6b;
inline constexpr unsigned short kProduct = 0x01ff;

// The gadget's whole life: sets itself up on a UDC, does the jobs that come over
// `control` (a Job each, answered with an Outcome), and takes itself away when that is closed.
// Returns the exit status.
int runGadget(const std::string& udc, int control);

}  // namespace rawloop
