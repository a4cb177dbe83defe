#pragma once

#include "core/base/clock.h"
#include "core/base/end_of_turn.h"
#include "core/base/ring.h"
#include "core/ffs/aio.h"
#include "core/ffs/function.h"
#include "core/ffs/pipe.h"
#include "core/wire/link.h"

#include <memory>
#include <optional>
#include <vector>

namespace belay::ffs {

// The four endpoints of an enabled Function as a Link, for one session.
//
// - Linux AIO, not io_uring: the kernel cannot cancel io_uring's transfers on FunctionFS
//   (ASYNC_CANCEL says ENOENT), and a killed process that has some leaves a dead gadget on the bus
//   (measured on 6.12 and 7.2). AIO's end with the process, and with io_cancel(2).
// - What is asked for during a turn of the ring is submitted at its end, or by submit().
// - Any error of a transfer ends the link, as ESHUTDOWN does when the host is gone or has reset the
//   interface. Also any read of a payload that is not as long as asked for.
// - A transfer that the kernel has no memory for (ENOMEM) is no error: it is tried again, in
// smaller
//   pieces, and nothing overtakes it.
// - In steady state nothing is allocated here per message or payload.
class GadgetLink final : public wire::Link {
 public:
    // Payloads go to the kernel in pieces of this size. FunctionFS takes a physically contiguous
    // buffer for each (ffs_alloc_buffer) unless the UDC does scatter-gather, and on a phone that
    // has been up for weeks large ones are not to be had. A multiple of every packet size.
    // Out / in MB/s, 6.12 with dummy_hcd, payloads of 1 MiB, better of two runs, in software
    // emulation on a busy machine, where a repeat differs by half:
    //   KiB                16       32       64      128     1024
    //   high, 4 at once 136/141  160/141  163/146  171/157  172/168
    //   super, 1        161/169  186/190  204/191  182/171  179/168
    //   super, 4         86/87   158/124  171/128  164/137  282/296
    //   super, 16       169/143  142/132  175/145  180/143  206/190
    // 1 MiB may be faster at SuperSpeed, but is what a fragmented phone cannot give.
    static constexpr std::size_t kChunkBytes = 64 * 1024;
    // What they become, by halves, while there is no memory for longer ones. Allocations of up to
    // 32 KiB fail only where nobody may wait (PAGE_ALLOC_COSTLY_ORDER), which the request itself is
    // made in (usb_ep_alloc_request with GFP_ATOMIC).
    static constexpr std::size_t kLeastChunkBytes = 4 * 1024;
    // Requested and not completed, per direction: bounds that kernel memory.
    static constexpr std::size_t kWindowBytes = 2 * 1024 * 1024;

    // `function` must be enabled (its packet sizes are asked for), outlive the link and be used by
    // no other one. `chunkBytes`: a multiple of 1024.
    static Result<std::unique_ptr<GadgetLink>> create(Ring& ring, Function& function,
                                                      std::size_t chunkBytes = kChunkBytes);
    ~GadgetLink() override;

    // wMaxPacketSize of the message endpoints: what both ends' framing is worked out from.
    std::size_t messagePacketBytes() const override { return messagePacketBytes_; }

    void start(const wire::MessageFraming& framing, wire::LinkListener& listener) override;
    void sendMessages(ConstByteSpan messages) override;
    void sendPayload(ConstByteSpan payload, std::uint64_t cookie) override;
    void receivePayload(ByteSpan buffer, std::uint64_t cookie) override;
    void submit() override;
    // Queued transfers are cancelled one by one; linkDown comes with the last one's event,
    // milliseconds later.
    void shutDown(Error reason) override;

    // Ordinary memory: FunctionFS copies. DMA-BUF transfers (FUNCTIONFS_DMABUF_ATTACH) would not,
    // but need a UDC with scatter-gather; dummy_hcd has none and refuses with EPERM, so they cannot
    // be tested without hardware and are left out.
    std::shared_ptr<Arena> arena() override { return arena_; }

 private:
    static constexpr std::size_t kMessageReads = 4;
    static constexpr std::size_t kMessageWrites = 32;
    static constexpr std::size_t kPayloadRequests = 64;

    GadgetLink(Ring& ring, Function& function, std::size_t chunkBytes);
    void flush();
    bool started(Aio::Started outcome, Pipe& pipe);
    void waitForMemory();
    void useSmallerPieces(std::size_t refused);
    bool postMessageRead();
    bool flushMessages();
    void flushPayloads(Pipe& pipe, PayloadQueue& queue);
    void completions();
    void advance(Pipe& pipe);
    bool check(const Request& request);
    void messageRead(const Request& request, std::size_t slot);
    void payloadDone(const Request& request);
    void deliverPayloads(Pipe& pipe, PayloadQueue& queue);
    void drain();
    void finish();

    Ring& ring_;
    Kind kind_;
    std::size_t chunkBytes_;
    std::size_t pieceBytes_;  // chunkBytes_, or less while there is no memory for that
    TimePoint refusedAt_;     // the last longer piece
    std::size_t messagePacketBytes_ = 0;
    std::shared_ptr<Arena> arena_;
    std::unique_ptr<Aio> aio_;
    std::unique_ptr<FdWatch> watch_;
    EndOfTurn flush_;

    wire::MessageFraming framing_;
    wire::LinkListener* listener_ = nullptr;
    std::optional<Error> reason_;  // set: the link is going down
    std::optional<Ring::TimerId> draining_;
    std::optional<Ring::TimerId> memoryRetry_;
    bool finished_ = false;

    Pipe messageReads_;
    Pipe messageWrites_;
    Pipe payloadReads_;
    Pipe payloadWrites_;
    std::vector<std::byte> readBuffers_;   // kMessageReads transfers
    std::vector<std::byte> writeBuffers_;  // kMessageWrites transfers
    std::vector<std::byte> waiting_;       // messages not yet in a transfer, from waitingFrom_
    std::size_t waitingFrom_ = 0;
    PayloadQueue receiving_;
    PayloadQueue sending_;
};

}  // namespace belay::ffs
