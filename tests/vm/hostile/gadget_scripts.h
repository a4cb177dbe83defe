#pragma once

#include "core/wire/control.h"
#include "core/wire/message.h"
#include "tests/vm/hostile/fake_gadget.h"

#include <functional>
#include <map>
#include <string>

namespace hostile {

// The disk that the gadget pretends to have, where its script lets it come to that.
inline constexpr std::uint64_t kDiskBytes = 1 << 20;
belay::wire::ExportInfo disk(std::uint32_t id = 1);

// One session of the hostile gadget, in its script's hands.
struct Session {
    FakeGadget& gadget;
    FakeInterface& side;
    belay::wire::Open terms;

    // One message transfer with these.
    bool send(const belay::wire::Request& request) const;
    bool send(const belay::wire::Response& response) const;
    bool send(const Bytes& transfer) const;
    bool sendPayload(std::size_t bytes) const;
    // The answer that an honest target would give.
    belay::wire::Response answerTo(const belay::wire::Request& request) const;
    // An honest initiator's next read.
    belay::wire::Request read() const;
};

// What the gadget does; what is empty it does as an honest one would.
struct Script {
    // The data stages. Nothing: STALL.
    std::function<std::optional<Bytes>(belay::wire::Hello)> hello;
    std::function<std::optional<Bytes>(const belay::wire::Open&)> opened;
    std::function<std::optional<Bytes>(belay::Epoch, std::uint16_t page)> exports;
    bool stallsOpen = false;
    bool stallsStatus = false;
    // Attach. The first is called when the session begins, the second with each request; false
    // ends the session's script.
    std::function<bool(const Session&)> begin;
    std::function<bool(const Session&, const belay::wire::Request&)> request;
    // Lend: the whole session of an initiator.
    std::function<void(const Session&)> initiator;
};

// By name.
const std::map<std::string, Script>& scripts();

}  // namespace hostile
