#include "core/ffs/aio.h"

#include "core/ffs/aio_guard.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace belay::ffs {

Result<std::unique_ptr<Aio>> Aio::create(unsigned requests) {
    std::unique_ptr<Aio> aio(new Aio);
    aio->events_.reserve(requests);
    aio->reaped_.reserve(requests);
    aio->eventFd_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!aio->eventFd_)
        return systemError("make an eventfd");
    const int error = io_setup(static_cast<int>(requests), &aio->context_);
    if (error < 0)
        return errorFrom(error, "set up Linux AIO", {},
                         error == -EAGAIN   ? "Raise fs.aio-max-nr"
                         : error == -ENOSYS ? "The kernel needs CONFIG_AIO"
                                            : "");
    AioGuard::add(aio->context_);
    return aio;
}

Aio::~Aio() {
    if (context_ == nullptr)
        return;
    io_destroy(context_);
    AioGuard::remove(context_);
}

Aio::Started Aio::read(iocb& request, int fd, ByteSpan buffer, void* tag) {
    io_prep_pread(&request, fd, buffer.data(), buffer.size(), 0);
    io_set_eventfd(&request, eventFd_.get());
    request.data = tag;
    return start(request);
}

Aio::Started Aio::write(iocb& request, int fd, ConstByteSpan buffer, void* tag, Signal signal) {
    // libaio has no const; the kernel only reads.
    io_prep_pwrite(&request, fd, const_cast<std::byte*>(buffer.data()), buffer.size(), 0);
    if (signal == Signal::Yes)
        io_set_eventfd(&request, eventFd_.get());
    request.data = tag;
    return start(request);
}

Aio::Started Aio::start(iocb& request) {
    iocb* list = &request;
    int taken = 0;
    do {
        taken = io_submit(context_, 1, &list);
    } while (taken == -EINTR);
    // EAGAIN: for want of a request's own memory (aio_get_req).
    if (taken == -EAGAIN || taken == -ENOMEM)
        return Started::NoMemory;
    if (taken != 1) {
        errno = taken == 0 ? EIO : -taken;
        return Started::Refused;
    }
    ++underWay_;
    // What the file answered at once is here by now (aio_rw_done), and nothing costs a system call
    // if nothing is (io_getevents of libaio looks at the ring itself).
    const std::size_t before = events_.size();
    gather();
    const auto own = std::find_if(
        events_.begin() + static_cast<std::ptrdiff_t>(before), events_.end(),
        [&](const io_event& event) { return event.obj == &request && resultOf(event) == -ENOMEM; });
    if (own == events_.end())
        return Started::Yes;
    events_.erase(own);
    --underWay_;
    return Started::NoMemory;
}

void Aio::cancel(iocb& request) {
    io_event unused{};
    io_cancel(context_, &request, &unused);
}

void Aio::gather() {
    std::array<io_event, 64> events{};
    int count = 0;
    do {
        timespec now{};
        count = io_getevents(context_, 0, static_cast<long>(events.size()), events.data(), &now);
        if (count > 0)
            events_.insert(events_.end(), events.begin(), events.begin() + count);
    } while (count == static_cast<int>(events.size()));
}

std::span<const io_event> Aio::reap() {
    gather();
    reaped_.clear();
    std::swap(reaped_, events_);
    underWay_ -= static_cast<unsigned>(reaped_.size());
    return reaped_;
}

}  // namespace belay::ffs
