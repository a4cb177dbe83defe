#pragma once

#include "core/base/fd.h"
#include "tests/bench/raw_loop/exchange.h"

#include <libaio.h>

#include <memory>
#include <string>
#include <vector>

namespace rawloop {

// The gadget's end: FunctionFS endpoint files and Linux AIO, which is the one way to have several
// transfers under way on an endpoint that a killed process does not leave behind.
class GadgetTransport final : public Transport {
 public:
    // `mount`: an instance whose descriptors are written and which a host has enabled.
    static belay::Result<std::unique_ptr<GadgetTransport>> open(const std::string& mount);
    ~GadgetTransport() override;
    GadgetTransport(const GadgetTransport&) = delete;
    GadgetTransport& operator=(const GadgetTransport&) = delete;

    belay::Result<void> prepare(const std::array<std::uint32_t, kPipes>& lengths,
                                std::uint32_t depth, Listener& listener) override;
    belay::ByteSpan buffer(Pipe pipe, std::uint32_t slot) override;
    belay::Result<void> start(Pipe pipe, std::uint32_t slot) override;
    belay::Result<void> wait() override;

 private:
    struct Slot {
        iocb control{};
        Pipe pipe{};
    };
    struct Channel {
        belay::Fd file;
        std::size_t length = 0;
        std::vector<std::byte> memory;
        std::vector<Slot> slots;
    };

    GadgetTransport() = default;
    Channel& channel(Pipe pipe) { return channels_[static_cast<std::size_t>(pipe)]; }

    io_context_t context_ = nullptr;
    std::array<Channel, kPipes> channels_;
    std::vector<iocb*> gathered_;
    std::vector<io_event> events_;
    Listener* listener_ = nullptr;
};

}  // namespace rawloop
