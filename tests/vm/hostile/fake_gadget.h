#pragma once

#include "core/ffs/configfs.h"
#include "core/ffs/function.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hostile {

using Bytes = std::vector<std::byte>;

// One interface of a gadget, played by hand: control requests go to callbacks (on the gadget's
// thread), the endpoints are read and written by whoever wants to (on a thread of its own).
class FakeInterface final : public belay::ffs::FunctionListener {
 public:
    // IN: the answer, nothing for a STALL. OUT: anything but nothing accepts it.
    std::function<std::optional<Bytes>(const belay::ffs::SetupRequest&)> onSetup;
    std::function<void(const belay::ffs::SetupRequest&, belay::ConstByteSpan)> onData;
    // The host has configured the interface, or it has reset or lost it.
    std::function<void(bool)> onEnabled;

    // Both block until the host has taken or brought the bytes. False (or nothing) when the
    // interface is reset or gone.
    bool write(belay::ffs::Endpoint endpoint, belay::ConstByteSpan bytes);
    std::optional<Bytes> read(belay::ffs::Endpoint endpoint, std::size_t most);
    // The host sees a STALL on it until it clears it.
    void halt(belay::ffs::Endpoint endpoint);

 private:
    friend class FakeGadget;

    void bound() override {}
    void unbound() override {}
    void enabled() override;
    void disabled() override;
    void failed(const belay::Error& reason) override;
    belay::ffs::SetupAnswer setup(const belay::ffs::SetupRequest& request) override;
    void setupData(const belay::ffs::SetupRequest& request, belay::ConstByteSpan data) override;

    std::unique_ptr<belay::ffs::Function> function_;
};

// A gadget on dummy_udc.0 that ends in order at SIGTERM, whatever its script waits for.
class FakeGadget {
 public:
    // `kinds`: its interfaces.
    FakeGadget(std::string serial, std::vector<belay::ffs::Kind> kinds,
               belay::ffs::LendTriple triple = belay::ffs::LendTriple::Own);
    ~FakeGadget();

    FakeInterface& attach() { return attach_; }
    FakeInterface& lend() { return lend_; }
    // Puts it on the bus, takes it off; errors end the process.
    void plugIn();
    void unplug();
    // Serves ep0 until SIGTERM; then takes the gadget off, so that whoever waits on an endpoint
    // returns.
    void run();
    // True from SIGTERM on.
    static bool isEnding();
    // Sleeps; returns early, with false, at SIGTERM.
    static bool sleep(int milliseconds);

 private:
    std::unique_ptr<belay::Ring> ring_;
    std::vector<belay::ffs::Kind> kinds_;
    std::optional<belay::ffs::GadgetConfig> config_;
    FakeInterface attach_;
    FakeInterface lend_;
};

}  // namespace hostile
