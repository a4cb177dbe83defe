#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace belay::ffs {

// What one interface of the gadget is for. Each kind is a FunctionFS instance of its own: the
// kernel disables every endpoint of an instance when any of its interfaces is reset.
enum class Kind : std::uint8_t {
    Lend,    // the host has the bytes; interface FF/53/4D, messages on interrupt endpoints
    Attach,  // the gadget has the bytes; interface FF/53/4E, messages on bulk endpoints
};

// What the lend interface says that it is.
enum class LendTriple : std::uint8_t {
    Own,       // FF/53/4D
    Fastboot,  // FF/42/03, a boot loader's: what some hosts have a driver and a permission for
};

// "lend" or "attach": part of instance and file names.
std::string_view name(Kind kind);

// The four endpoints, in the order in which they stand in the interface descriptor. Messages come
// first: it is how a host tells two bulk endpoints of one direction apart, as addresses are given
// out by the UDC. FunctionFS names the files ep1 .. ep4 in the same order.
enum class Endpoint : std::uint8_t { MessageIn = 0, MessageOut = 1, PayloadIn = 2, PayloadOut = 3 };

inline constexpr std::size_t kEndpoints = 4;
inline constexpr std::array<Endpoint, kEndpoints> kAllEndpoints = {
    Endpoint::MessageIn, Endpoint::MessageOut, Endpoint::PayloadIn, Endpoint::PayloadOut};

// Link speeds as far as they matter to the endpoints; SuperSpeedPlus uses SuperSpeed's.
enum class Speed : std::uint8_t { Full = 0, High = 1, Super = 2 };

// wMaxPacketSize of every endpoint at one speed, in bytes.
//
// - Bulk is fixed by the specifications: 64, 512, 1024 (USB 2.0, 5.8.3; USB 3.2, 9.6.6).
// - Interrupt: 64 at full speed, the most there is (USB 2.0, 5.7.3). At high speed 512: FunctionFS
//   lets the UDC choose the endpoint by the full-speed descriptor (__ffs_func_bind_do_descs), so
//   the high-speed one must fit small endpoints too, and two endpoints of 1024 every microframe
//   would reserve two fifths of the host's periodic bandwidth. 1024 at SuperSpeed.
std::uint16_t maxPacketBytes(Speed speed);

// What is written to ep0 first: FunctionFS descriptors, version 2, for all three speeds
// (struct usb_functionfs_descs_head_v2 in linux/usb/functionfs.h).
std::vector<std::byte> descriptors(Kind kind, LendTriple triple = LendTriple::Own);

// What is written to ep0 second: the interface's one string, in US English.
std::vector<std::byte> strings(Kind kind);

}  // namespace belay::ffs
