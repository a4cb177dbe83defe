#pragma once

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/end_of_turn.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/ring.h"
#include "core/usb/handle.h"
#include "core/usb/interface.h"
#include "core/usb/transfer.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace belay::usb {

// The fields of a control request (USB 2.0, 9.3) but its length.
struct Setup {
    std::uint8_t requestType = 0;
    std::uint8_t request = 0;
    std::uint16_t value = 0;
    std::uint16_t index = 0;
};

// One gadget, through an opened usbfs descriptor.
//
// - All events come through the ring's thread; the ring must outlive the device.
// - Once the gadget is gone every function fails with ENODEV and everything under way ends.
// - HostLinks keep their device alive.
class Device : public std::enable_shared_from_this<Device> {
 public:
    // What came of a control request: the bytes received (IN) or none (OUT). Error codes: EPIPE
    // for a STALL, ETIMEDOUT, ENODEV, EIO.
    using ControlCallback = std::function<void(Result<std::vector<std::byte>>)>;
    // usbfs takes no more than a page (drivers/usb/core/devio.c: proc_do_submiturb).
    static constexpr std::size_t kMaxControlBytes = 4096;
    static constexpr std::size_t kArenaBytes = 8 << 20;

    // `usbfs`: /dev/bus/usb/BBB/DDD opened for reading and writing, by whoever has the right to.
    // `name` is what errors call the device.
    static Result<std::shared_ptr<Device>> open(Ring& ring, Fd usbfs, std::string name);
    // Ends control requests under way without calling back, and gives up the interfaces.
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    // Reserves an interface for this process, from a kernel driver if one has it. Idempotent.
    // EBUSY: another program has it.
    Result<void> claim(std::uint8_t interface);

    // Asks for at most `length` bytes (kMaxControlBytes or less); sends `data`. Both call back
    // exactly once, from the ring, never before they return.
    void controlIn(const Setup& setup, std::uint16_t length, std::chrono::milliseconds timeout,
                   ControlCallback callback);
    void controlOut(const Setup& setup, ConstByteSpan data, std::chrono::milliseconds timeout,
                    ControlCallback callback);

    // Empties the pipes of a claimed interface at both ends: SET_INTERFACE, alternate setting 0. A
    // FunctionFS gadget's transfers on it end with ESHUTDOWN; of ours none may be under way, so its
    // link must be down. Takes 1 to 2 ms (measured). Calls back as controlOut() does.
    // - Not by USBDEVFS_SETINTERFACE, which waits up to 5 s in the kernel for a silent gadget
    //   (usb_set_interface) and keeps everybody else from the device meanwhile. What that does
    //   beyond this is for a setting that changes: it takes the endpoints' bandwidth back and
    //   reserves it again, and keeps the link out of U1 and U2 meanwhile.
    // - A gadget may refuse (EPIPE) if it has but one setting (USB 2.0, 9.4.10): its pipes are not
    //   known to be empty then.
    using ResetCallback = std::function<void(Result<void>)>;
    void resetInterface(const Interface& interface, std::chrono::milliseconds timeout,
                        ResetCallback callback);

    // Expires when the usbfs descriptor is closed, which memory of arena() may keep open longer
    // than this object lives.
    std::weak_ptr<const void> openHandle() const { return handle_; }

    // Memory that the kernel's USB stack reads and writes without copying (usbfs mmap). Allocated
    // at the first call, up to kArenaBytes; ordinary memory if usbfs has none to give. May outlive
    // the device.
    std::shared_ptr<Arena> arena();

    Ring& ring() const { return ring_; }
    const std::string& name() const { return handle_->name(); }

 private:
    friend class Transfer;
    struct Control;
    struct Watch;

    Device(Ring& ring, std::shared_ptr<Handle> handle);
    Result<void> watchDescriptors();
    void watch(int fd, short events);
    void arm(Watch& watch);
    void unwatch(int fd);
    void handleEvents(int fd, std::uint32_t events);
    void deliver();
    void control(std::vector<std::byte> buffer, bool in, const Setup& setup, std::uint16_t length,
                 std::chrono::milliseconds timeout, ControlCallback callback);
    void finish(Control& control);
    Result<void> resetEndpoints(const Interface& interface);

    Ring& ring_;
    std::shared_ptr<Handle> handle_;
    std::vector<std::unique_ptr<Watch>> watches_;
    // Transfers that are over, their owners not yet told.
    std::vector<Transfer*> completed_;
    std::vector<std::unique_ptr<Control>> controls_;
    std::vector<std::uint8_t> claimed_;
    std::shared_ptr<Arena> arena_;
    EndOfTurn deliverLater_;
};

}  // namespace belay::usb
