#include "core/ffs/aio.h"

#include "core/ffs/aio_guard.h"

#include <sys/eventfd.h>

namespace belay::ffs {

Result<std::unique_ptr<Aio>> Aio::create(unsigned requests) {
    std::unique_ptr<Aio> aio(new Aio(requests));
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

void Aio::prepareRead(iocb& request, int fd, ByteSpan buffer, void* tag) {
    io_prep_pread(&request, fd, buffer.data(), buffer.size(), 0);
    io_set_eventfd(&request, eventFd_.get());
    request.data = tag;
    prepared_.push_back(&request);
}

void Aio::prepareWrite(iocb& request, int fd, ConstByteSpan buffer, void* tag, Signal signal) {
    // libaio has no const; the kernel only reads.
    io_prep_pwrite(&request, fd, const_cast<std::byte*>(buffer.data()), buffer.size(), 0);
    if (signal == Signal::Yes)
        io_set_eventfd(&request, eventFd_.get());
    request.data = tag;
    prepared_.push_back(&request);
}

Result<void> Aio::submit() {
    std::span<iocb*> left = prepared_;
    int error = 0;
    while (!left.empty() && error == 0) {
        const int taken = io_submit(context_, static_cast<long>(left.size()), left.data());
        if (taken > 0) {
            underWay_ += static_cast<unsigned>(taken);
            left = left.subspan(static_cast<std::size_t>(taken));
        } else if (taken != -EINTR) {
            error = taken == 0 ? -EAGAIN : taken;
        }
    }
    prepared_.clear();
    if (error != 0)
        return errorFrom(error, "submit transfers");
    return {};
}

void Aio::cancel(iocb& request) {
    io_event unused{};
    io_cancel(context_, &request, &unused);
}

std::span<const io_event> Aio::reap() {
    timespec now{};
    const int count =
        io_getevents(context_, 0, static_cast<long>(events_.size()), events_.data(), &now);
    if (count <= 0)
        return {};
    underWay_ -= static_cast<unsigned>(count);
    return {events_.data(), static_cast<std::size_t>(count)};
}

}  // namespace belay::ffs
