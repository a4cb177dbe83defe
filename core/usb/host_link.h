#pragma once

#include "core/base/end_of_turn.h"
#include "core/base/ring.h"
#include "core/usb/device.h"
#include "core/usb/interface.h"
#include "core/usb/transfer.h"
#include "core/wire/link.h"

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::usb {

// The host's end of a Link: the four endpoints of one interface.
//
// - Claim and reset the interface before making one, so that it begins with clean pipes.
// - Transfers have no time limit here: noticing a silent peer is the session's business. A gadget
//   that is gone, halts an endpoint, sends more or less than was asked for, or an interface reset
//   under the link takes it down.
// - usbfs may have no memory for a transfer at the moment (see transfer_memory.h); it then waits,
//   in order, until there is some.
// - Payloads may lie in any memory, but those in arena() are not copied by the kernel. They are
//   at least one byte long.
// - After shutDown(), or once the link is going down, all other functions do nothing.
class HostLink final : public wire::Link, private TransferOwner {
 public:
    HostLink(std::shared_ptr<Device> device, const Interface& interface);
    ~HostLink() override;

    std::size_t messagePacketBytes() const override {
        return pipes_[static_cast<std::size_t>(Kind::MessageOut)].endpoint.maxPacketBytes;
    }
    void start(const wire::MessageFraming& framing, wire::LinkListener& listener) override;
    void sendMessages(ConstByteSpan messages) override;
    void sendPayload(ConstByteSpan payload, std::uint64_t cookie) override;
    void receivePayload(ByteSpan buffer, std::uint64_t cookie) override;
    // Nothing: payloads go to the kernel as they are asked for, and messages that go one by one
    // cost more than they gain.
    void submit() override {}
    void shutDown(Error reason) override;
    std::shared_ptr<Arena> arena() override { return device_->arena(); }

 private:
    enum class Kind : std::uint8_t { MessageIn, MessageOut, PayloadIn, PayloadOut };
    static constexpr std::size_t kKinds = 4;
    struct Slot;
    // One endpoint's transfers.
    struct Pipe {
        Endpoint endpoint;
        const char* name = "";
        std::vector<std::unique_ptr<Slot>> owned;
        std::vector<Slot*> free;
        std::deque<Slot*> waiting;  // for usbfs memory
    };

    Pipe& pipe(Kind kind) { return pipes_[static_cast<std::size_t>(kind)]; }
    void addSlot(Kind kind);
    Slot& takeSlot(Kind kind);
    void giveBack(Slot& slot);
    void submit(Slot& slot);
    // False when usbfs had no memory for it.
    bool trySubmit(Slot& slot);
    void submitWaiting();
    void retryLater();
    void transferDone(Transfer& transfer) override;
    void succeeded(Slot& slot);
    void failed(const Slot& slot, int code, std::string hint);
    void endOfTurn();
    void flushMessages();

    std::shared_ptr<Device> device_;
    std::array<Pipe, kKinds> pipes_;
    wire::MessageFraming framing_;
    wire::LinkListener* listener_ = nullptr;
    std::vector<std::byte> messageMemory_;
    // Messages not yet in a transfer.
    std::vector<std::byte> queue_;
    std::size_t inFlight_ = 0;
    std::uint64_t submissions_ = 0;
    std::optional<Error> reason_;
    std::optional<Ring::TimerId> retry_;
    EndOfTurn endOfTurn_;
};

}  // namespace belay::usb
