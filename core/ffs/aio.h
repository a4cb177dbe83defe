#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/fd.h"

#include <libaio.h>

#include <array>
#include <memory>
#include <span>
#include <vector>

namespace belay::ffs {

// One Linux AIO context with an eventfd that counts completions.
//
// - Not thread-safe. What is prepared must stay where it is until its event is in.
// - Destroying it cancels what is under way and waits for it (io_destroy(2)).
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
    // Requests submitted whose event has not been reaped.
    unsigned underWay() const { return underWay_; }

    enum class Signal : bool { No, Yes };
    // Prepares a request for the next submit(); `tag` comes back with its event. One that does not
    // signal eventFd() is found when another one does: nothing is woken for it.
    void prepareRead(iocb& request, int fd, ByteSpan buffer, void* tag);
    void prepareWrite(iocb& request, int fd, ConstByteSpan buffer, void* tag,
                      Signal signal = Signal::Yes);

    // Starts everything prepared, with one io_submit(2) as a rule. A request that the file refuses
    // is no error here: its event says so.
    Result<void> submit();
    // Forgets what is prepared and not submitted.
    void dropPrepared() { prepared_.clear(); }

    // Asks the kernel to end `request`, which is under way; its event still comes, with
    // ECONNRESET if it was in time (io_cancel(2) says EINPROGRESS, measured on FunctionFS).
    void cancel(iocb& request);

    // Events there are now, at most as many as fit the library's array; empty when there are none.
    // The span is good until the next call.
    std::span<const io_event> reap();

 private:
    explicit Aio(unsigned requests) { prepared_.reserve(requests); }

    io_context_t context_ = nullptr;
    Fd eventFd_;
    unsigned underWay_ = 0;
    std::vector<iocb*> prepared_;
    std::array<io_event, 64> events_{};
};

}  // namespace belay::ffs
