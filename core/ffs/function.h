#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/ring.h"
#include "core/ffs/descriptors.h"

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::ffs {

// A SETUP packet (USB 2.0, 9.3), in the machine's byte order.
struct SetupRequest {
    std::uint8_t requestType = 0;
    std::uint8_t request = 0;
    std::uint16_t value = 0;
    std::uint16_t index = 0;
    std::uint16_t length = 0;

    // True when the host asks for data, false when it brings some (or none).
    bool isIn() const { return (requestType & 0x80) != 0; }

    bool operator==(const SetupRequest&) const = default;
};

// What to do with a SETUP request.
class SetupAnswer {
 public:
    // Refuse it: the host sees a STALL.
    static SetupAnswer stall() { return {}; }
    // IN only: answer with this, cut off at the request's length. Nothing to send is a refusal.
    static SetupAnswer reply(std::vector<std::byte> data) {
        SetupAnswer answer;
        answer.data_ = std::move(data);
        return answer;
    }
    template <std::size_t N>
    static SetupAnswer reply(const std::array<std::byte, N>& data) {
        return reply(std::vector(data.begin(), data.end()));
    }
    // OUT only: take the data; setupData() gets it.
    static SetupAnswer accept() { return reply(std::vector<std::byte>()); }

 private:
    friend class Function;
    std::optional<std::vector<std::byte>> data_;
};

// Whatever happens to a Function. Called from the event ring, never from inside a Function
// function; it may destroy the Function from within failed() only.
class FunctionListener {
 public:
    // The gadget was put on a UDC, and taken off.
    virtual void bound() = 0;
    virtual void unbound() = 0;
    // The host configured the interface, or reset it: the pipes are clean and can be used until
    // disabled(). Always in pairs, and inside bound() .. unbound(): what the kernel's event queue
    // leaves out (__ffs_event_add drops events that a later one overtakes) is made up for here.
    virtual void enabled() = 0;
    virtual void disabled() = 0;
    // The host stopped or resumed talking to us. Not in pairs.
    virtual void suspended() {}
    virtual void resumed() {}

    // A control request to our interface. Answer at once: the host's patience runs out.
    virtual SetupAnswer setup(const SetupRequest& request) = 0;
    // The data of an accepted OUT request. The host has been told "done" by then (the kernel
    // acknowledges as part of reading): a refusal must be readable by another request.
    virtual void setupData(const SetupRequest& request, ConstByteSpan data) = 0;

    // ep0 is of no use any more (somebody unmounted the file system, or the kernel failed).
    virtual void failed(const Error& reason) = 0;

 protected:
    ~FunctionListener() = default;
};

// One FunctionFS instance: its ep0 and its four endpoint files.
//
// - Belongs to the ring's thread. `ring` and `listener` must outlive it.
// - Closing it (destruction, or the death of the process) makes the kernel take the whole gadget
//   off its UDC (ffs_closed), with all the gadget's functions. ep0 is really closed once the ring
//   has had a turn, which lets go of what it polled.
// - ep0 is non-blocking and polled: a read blocked on it holds the mutex that unbinding needs, and
//   6.12 deadlocks there (measured). Data stages run in io_uring's worker, as the kernel waits
//   there for the host (__ffs_ep0_queue_wait) and a host that gave up is noticed late.
class Function {
 public:
    // Opens the instance mounted at `mount`, and writes descriptors and strings: from then on the
    // gadget can be bound. Errors say which file and what to do.
    static Result<std::unique_ptr<Function>> open(Ring& ring, const std::string& mount, Kind kind,
                                                  FunctionListener& listener,
                                                  LendTriple triple = LendTriple::Own);
    ~Function();
    Function(const Function&) = delete;
    Function& operator=(const Function&) = delete;

    Kind kind() const { return kind_; }
    bool isEnabled() const { return enabled_; }

    // An endpoint's file, non-blocking. Stays the Function's.
    int endpointFd(Endpoint endpoint) const {
        return endpoints_[static_cast<std::size_t>(endpoint)].get();
    }
    // wMaxPacketSize now in force, in bytes (FUNCTIONFS_ENDPOINT_DESC). ESHUTDOWN or EAGAIN when
    // the function is not enabled.
    Result<std::uint16_t> currentMaxPacket(Endpoint endpoint) const;
    // The speed of the link: that of the payload endpoints.
    Result<Speed> currentSpeed() const;

    // Throws away what the endpoints' FIFOs hold (FUNCTIONFS_FIFO_FLUSH), for a clean start without
    // the host's help. Only with no transfer under way. UDCs that cannot do it ignore it; data
    // toggles stay, as the host would not know.
    Result<void> resetEndpoints();

 private:
    class Transfer;

    Function(Ring& ring, Kind kind, FunctionListener& listener)
        : ring_(ring), kind_(kind), listener_(listener) {}
    Result<void> openFiles(const std::string& mount, LendTriple triple);
    void watch();
    void readEvents();
    void handleState(std::uint8_t type);
    void leaveEnabled();
    void leaveBound();
    void handleSetup(const SetupRequest& request);
    void refuse(const SetupRequest& request);
    void transferred(const SetupRequest& request, ByteSpan data, int result);
    void fail(Error reason);

    Ring& ring_;
    Kind kind_;
    FunctionListener& listener_;
    std::string mount_;
    Fd ep0_;
    std::array<Fd, kEndpoints> endpoints_;
    std::unique_ptr<FdWatch> watch_;
    Transfer* transfer_ = nullptr;  // under way on ep0; owns itself
    bool bound_ = false;
    bool enabled_ = false;
};

}  // namespace belay::ffs
