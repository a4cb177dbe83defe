#pragma once

#include "core/base/error.h"

#include <string>

namespace belay::ffs {

inline constexpr const char* kGadgets = "/sys/kernel/config/usb_gadget";

// What has the USB device controller `udc`: "gadget NAME" for one of configfs, or the driver's name
// for another; empty when it is free. Gadget `except` does not count.
std::string userOfUdc(const std::string& udc, const std::string& except);

// Picks the USB device controller for the gadget `name`: `wanted`, or if that is empty the first
// free one in /sys/class/udc. Errors say what has it, or which driver is missing.
Result<std::string> chooseUdc(const std::string& wanted, const std::string& name);

}  // namespace belay::ffs
