#pragma once

#include "core/base/arena.h"
#include "core/usb/handle.h"

#include <cstddef>
#include <memory>

namespace belay::usb {

// Transfer memory of the device's usbfs descriptor, `bytes` long or shorter, or null if there is
// none to be had. Keeps the handle open until the arena and all its buffers are gone.
//
// usbfs gives one budget to the whole system (usbcore's usbfs_memory_mb, 16 MiB by default), and
// transfers in other memory draw on it as well (drivers/usb/core/devio.c:
// usbfs_increase_memory_usage). So when it is exhausted one chunk is given back: otherwise other
// gadgets, and programs, could not submit anything at all.
std::shared_ptr<Arena> transferMemory(std::shared_ptr<Handle> handle, std::size_t bytes);

}  // namespace belay::usb
