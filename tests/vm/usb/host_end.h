#pragma once

#include "core/base/ring.h"
#include "core/usb/device.h"
#include "core/usb/discovery.h"
#include "core/usb/host_link.h"
#include "core/wire/link.h"
#include "tests/vm/usb/gadget_peer.h"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// The host's end in a test: a ring, a discovery, and at most one device with one link at a time.
class HostEnd final : public belay::usb::DiscoveryListener, public belay::wire::LinkListener {
 public:
    HostEnd();
    ~HostEnd();

    // Runs the ring until `done` says so; false when that took longer than the limit.
    bool until(const std::function<bool()>& done,
               std::chrono::milliseconds limit = std::chrono::seconds(10));
    // Runs the ring for as long as that, and returns the processor time it took.
    std::chrono::milliseconds cpuTimeOf(std::chrono::milliseconds span);

    // Opens the device node as root, claims and resets the interface. An error as text, or "".
    std::string open(belay::usb::Role role);
    std::string startLink();
    // Shuts the link down and waits for the end; lets go of link and device.
    void close();

    // Empties the pipes; the link must be down. An error as text, or "".
    std::string reset();

    // Sends a command without a payload of ours, or with one (Take, Give).
    void send(const peer::Command& command);
    void startTake(belay::ByteSpan memory, std::uint64_t seed);
    void startGive(belay::ByteSpan memory, std::uint64_t seed);
    // The outcome of a control request: bytes, or an errno in `code`.
    struct Outcome {
        int code = 0;
        std::vector<std::byte> bytes;
    };
    Outcome controlIn(std::uint8_t request, std::uint16_t value, std::uint16_t length,
                      std::chrono::milliseconds timeout = std::chrono::seconds(5));
    Outcome controlOut(std::uint8_t request, belay::ConstByteSpan data,
                       std::chrono::milliseconds timeout = std::chrono::seconds(5));

    void gadgetFound(const belay::usb::Gadget& gadget) override;
    void gadgetGone(const std::string& syspath) override;
    void messagesReceived(belay::ConstByteSpan transfer) override;
    void payloadSent(std::uint64_t cookie) override;
    void payloadReceived(std::uint64_t cookie) override;
    void linkDown(const belay::Error& reason) override;

    std::unique_ptr<belay::Ring> ring;
    std::unique_ptr<belay::usb::Discovery> discovery;
    std::optional<belay::usb::Gadget> gadget;
    int found = 0;
    int gone = 0;

    std::shared_ptr<belay::usb::Device> device;
    belay::usb::Interface interface;
    std::unique_ptr<belay::usb::HostLink> link;
    std::vector<peer::Command> answers;
    std::vector<std::uint64_t> sent;
    std::vector<std::uint64_t> received;
    std::vector<belay::Error> downs;
    // Called after each completion of a payload.
    std::function<void(std::uint64_t)> onPayload;

 private:
    std::uint64_t nextCookie_ = 1;
};

// Writes a line to a file of sysfs or configfs; an error as text, or "".
std::string writeFile(const std::string& path, const std::string& line);
std::string readFile(const std::string& path);

// Starts this program once more as the gadget.
pid_t startGadget();
// kill -9, waits for its end, and takes the gadget off the bus.
void killGadget(pid_t gadget);
// Pulls the gadget's cable, or plugs it in again, at the gadget's end.
std::string unbindGadget();
std::string bindGadget();
