#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"

#include <cstdint>
#include <vector>

namespace belay::usb {

// From the device to the host, in an endpoint's address and in a control request's type (USB 2.0,
// tables 9-2 and 9-13).
inline constexpr std::uint8_t kDirectionIn = 0x80;

// What one of a gadget's interfaces is for.
enum class Role : std::uint8_t {
    Lend,      // FF/53/4D: the host has the bytes; messages on interrupt endpoints
    Attach,    // FF/53/4E: the gadget has the bytes; messages on bulk endpoints
    Fastboot,  // FF/42/03: fastboot's triple, which smoo's gadget can wear instead of FF/53/4D
};

struct Endpoint {
    std::uint8_t address = 0;  // bEndpointAddress
    bool interrupt = false;    // else bulk
    std::uint16_t maxPacketBytes = 0;

    bool operator==(const Endpoint&) const = default;
};

// Four endpoints that can carry a Link.
struct Interface {
    Role role = Role::Lend;
    std::uint8_t configuration = 0;  // bConfigurationValue
    std::uint8_t number = 0;         // bInterfaceNumber
    Endpoint messageIn;
    Endpoint messageOut;
    Endpoint payloadIn;
    Endpoint payloadOut;

    bool operator==(const Interface&) const = default;
};

// What a device's descriptors say that we care about.
struct Descriptors {
    std::uint16_t vendorId = 0;
    std::uint16_t productId = 0;
    // In the order of the descriptors, of all configurations; at most one per role and
    // configuration (the first).
    std::vector<Interface> interfaces;

    bool operator==(const Descriptors&) const = default;
};

// The most that is looked at: more than any device has (a configuration may have 65535 bytes, but
// real ones stay below one page).
inline constexpr std::size_t kMaxDescriptorBytes = 64 * 1024;

// Reads a device descriptor followed by whole configurations, as in sysfs' "descriptors" file
// (drivers/usb/core/sysfs.c: descriptors_read) and as usbfs gives them.
//
// - The bytes are the device's own, unchecked: lengths that don't fit are an error, never a guess.
// - Interfaces are found by triple and alternate setting 0; endpoints by direction and kind. Where
//   both kinds of a direction are bulk, the first is for messages. Interfaces with one of our
//   triples but without the four endpoints are left out, and so are further endpoints.
Result<Descriptors> parseInterfaces(ConstByteSpan bytes);

}  // namespace belay::usb
