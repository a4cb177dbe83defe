#pragma once

#include "core/base/bytes.h"
#include "core/usb/interface.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace belay::usb {

// A gadget on the bus that offers at least one of our interfaces.
struct Gadget {
    std::string syspath;  // "/sys/devices/.../usb1/1-2/1-2.3"
    std::string devnode;  // "/dev/bus/usb/001/007"
    unsigned busNumber = 0;
    unsigned deviceNumber = 0;  // another one after each plugging in
    std::string port;           // "1-2.3": the same wherever the gadget's cable stays
    std::uint16_t vendorId = 0;
    std::uint16_t productId = 0;
    // As the device says, made printable; empty if it says nothing.
    std::string manufacturer;
    std::string product;
    std::string serial;
    unsigned speedMbps = 0;  // 12, 480, 5000, 10000, 20000
    // Of the active configuration.
    std::optional<Interface> lend;
    std::optional<Interface> attach;
    std::optional<Interface> fastboot;

    // False for what may just as well be a phone in its boot loader, unless that was asked for.
    bool isOurs(bool fastbootToo) const { return lend || attach || (fastbootToo && fastboot); }

    bool operator==(const Gadget&) const = default;
};

// The USB devices there are now, without hubs' root ends: their folders in sysfs, in no order.
std::vector<std::string> listUsbDevices();

// What sysfs says of the device with this folder, without its three strings; nothing if it is not
// (or no longer) a gadget of ours with its interfaces in place.
//
// - Never waits: only attributes are read that the kernel gives without the device's lock, which
//   it holds for seconds while a sick device is being reset. The active configuration therefore is
//   not read (bConfigurationValue takes the lock) but seen in the interfaces' folders.
std::optional<Gadget> readGadget(const std::string& syspath);

// A device's string fit to be shown: valid UTF-8 without control characters, of at most 126
// characters (what a string descriptor can hold: USB 2.0, 9.6.7), without space at either end.
std::string printable(ConstByteSpan text);

}  // namespace belay::usb
