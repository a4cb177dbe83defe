#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/fd.h"

#include <libaio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace belay::ffs {

// Bytes, or a negative errno. libaio's type for it has no sign, and is no longer than a word.
inline std::int64_t resultOf(const io_event& event) {
    return static_cast<long>(event.res);
}

// One Linux AIO context with an eventfd that counts completions.
//
// - Not thread-safe. What is started must stay where it is until its event is in.
// - Destroying it cancels what is under way and waits for it (io_destroy(2)).
// - One io_submit(2) for each request: of several in one call the kernel starts the later ones also
//   when an earlier one got no memory (io_submit_one: that is the request's own event), and on an
//   endpoint those would move the earlier one's bytes.
class Aio {
 public:
    // Room for `requests` under way at once.
    static Result<std::unique_ptr<Aio>> create(unsigned requests);
    ~Aio();
    Aio(const Aio&) = delete;
    Aio& operator=(const Aio&) = delete;

    // Becomes readable, and is signalled again, when an event that signals has come. Never read, so
    // that it is only good to be watched for that (FdWatch::Trigger::Edge).
    int eventFd() const { return eventFd_.get(); }
    // Requests started whose event has not been reaped.
    unsigned underWay() const { return underWay_; }

    enum class Signal : bool { No, Yes };
    enum class Started : std::uint8_t {
        Yes,       // its event comes
        NoMemory,  // nothing was done, and no event comes: the kernel had no memory for it
        Refused,   // io_submit(2) failed for another reason, which is errno; no event comes
    };
    // `tag` comes back with the event. A request that does not signal eventFd() is found when
    // another one does: nothing is woken for it. What the file refuses is no error here: its event
    // says so.
    Started read(iocb& request, int fd, ByteSpan buffer, void* tag);
    Started write(iocb& request, int fd, ConstByteSpan buffer, void* tag,
                  Signal signal = Signal::Yes);

    // Asks the kernel to end `request`, which is under way; its event still comes, with
    // ECONNRESET if it was in time (io_cancel(2) says EINPROGRESS, measured on FunctionFS).
    void cancel(iocb& request);

    // Events there are now; empty when there are none. The span is good until the next call.
    std::span<const io_event> reap();

 private:
    Aio() = default;
    Started start(iocb& request);
    void gather();

    io_context_t context_ = nullptr;
    Fd eventFd_;
    unsigned underWay_ = 0;
    std::vector<io_event> events_;  // taken from the kernel, not yet handed out
    std::vector<io_event> reaped_;
};

}  // namespace belay::ffs
