#include "core/ffs/function.h"

#include "core/base/log.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/usb/functionfs.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace belay::ffs {
namespace {

// How long the host may take to fetch or bring the data of a control request. USB 2.0, 9.2.6.4
// gives a device 500 ms between data stages; a host still interested is not slower than that.
constexpr auto kDataStage = std::chrono::seconds(2);

Result<Fd> openFile(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd)
        return systemError("open", path, errno == ENOENT ? "Is FunctionFS mounted there?" : "");
    return fd;
}

Result<void> writeAll(int fd, const std::vector<std::byte>& bytes, std::string what,
                      const std::string& path) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0)
        return systemError(std::move(what), path,
                           errno == EBADFD ? "Another program uses this FunctionFS instance" : "");
    if (static_cast<std::size_t>(written) != bytes.size())
        return failure(std::move(what) + " in full", path);
    return {};
}

SetupRequest decode(const usb_ctrlrequest& setup) {
    return {setup.bRequestType, setup.bRequest, le16toh(setup.wValue), le16toh(setup.wIndex),
            le16toh(setup.wLength)};
}

}  // namespace

// The data stage of one control request, read or written by an io_uring worker. Outlives its
// Function when that goes first.
class Function::Transfer final : public Operation {
 public:
    Transfer(Function& function, const SetupRequest& request, std::vector<std::byte> data)
        : function_(&function), request_(request), data_(std::move(data)) {
        Ring& ring = function.ring_;
        const int fd = function.ep0_.get();
        io_uring_sqe* sqe = ring.prepare(this);
        const auto length = static_cast<unsigned>(data_.size());
        if (request.isIn())
            io_uring_prep_write(sqe, fd, data_.data(), length, 0);
        else
            io_uring_prep_read(sqe, fd, data_.data(), length, 0);
        // Straight to a worker: the kernel waits for the host even on a non-blocking file.
        sqe->flags |= IOSQE_ASYNC;
        timer_ = ring.callAfter(kDataStage, [this] { cancel(); });
    }

    // The Function goes away; the worker is interrupted and what it returns is dropped.
    void orphan() {
        function_->ring_.cancel(timer_);
        cancel();
        function_ = nullptr;
    }

    void complete(int result, std::uint32_t) override {
        const std::unique_ptr<Transfer> self(this);
        if (function_ == nullptr)
            return;
        function_->ring_.cancel(timer_);
        function_->transfer_ = nullptr;
        function_->transferred(request_, data_, result);
    }

 private:
    // Ends the worker's wait with EINTR.
    void cancel() {
        io_uring_prep_cancel(function_->ring_.prepare(nullptr), static_cast<Operation*>(this), 0);
    }

    Function* function_;
    SetupRequest request_;
    std::vector<std::byte> data_;
    Ring::TimerId timer_ = 0;
};

Result<std::unique_ptr<Function>> Function::open(Ring& ring, const std::string& mount, Kind kind,
                                                 FunctionListener& listener, LendTriple triple) {
    std::unique_ptr<Function> function(new Function(ring, kind, listener));
    if (auto opened = function->openFiles(mount, triple); !opened)
        return tl::make_unexpected(opened.error());
    function->watch();
    return function;
}

Result<void> Function::openFiles(const std::string& mount, LendTriple triple) {
    mount_ = mount;
    const std::string path = mount + "/ep0";
    auto ep0 = openFile(path);
    if (!ep0)
        return tl::make_unexpected(ep0.error());
    ep0_ = std::move(*ep0);
    if (auto wrote = writeAll(ep0_.get(), descriptors(kind_, triple), "write descriptors to", path);
        !wrote)
        return wrote;
    if (auto wrote = writeAll(ep0_.get(), strings(kind_), "write strings to", path); !wrote)
        return wrote;
    for (std::size_t i = 0; i < kEndpoints; ++i) {
        auto endpoint = openFile(mount + "/ep" + std::to_string(i + 1));
        if (!endpoint)
            return tl::make_unexpected(endpoint.error());
        endpoints_[i] = std::move(*endpoint);
    }
    return {};
}

Function::~Function() {
    if (transfer_ != nullptr)
        transfer_->orphan();
}

void Function::watch() {
    watch_ = std::make_unique<FdWatch>(ring_, ep0_.get(), POLLIN,
                                       [this](std::uint32_t) { readEvents(); });
}

void Function::readEvents() {
    // One event per read, so that a SETUP is dealt with before what came after it.
    while (transfer_ == nullptr) {
        usb_functionfs_event event{};
        const ssize_t got = ::read(ep0_.get(), &event, sizeof event);
        if (got == sizeof event) {
            if (event.type == FUNCTIONFS_SETUP)
                handleSetup(decode(event.u.setup));
            else
                handleState(event.type);
            continue;
        }
        if (got >= 0)
            return fail({"read an event from", mount_ + "/ep0", 0, {}});
        // EIDRM: the host took back the SETUP that was read before (ffs_ep0_read); the read after
        // it has what came instead.
        if (errno == EIDRM || errno == EINTR)
            continue;
        // Also when an unbind holds the mutex; the poll tells when to try again.
        if (errno == EAGAIN)
            return;
        return fail({"read an event from", mount_ + "/ep0", errno, {}});
    }
}

void Function::handleState(std::uint8_t type) {
    switch (type) {
        case FUNCTIONFS_BIND:
            leaveBound();
            bound_ = true;
            return listener_.bound();
        case FUNCTIONFS_UNBIND:
            return leaveBound();
        case FUNCTIONFS_ENABLE:
            leaveEnabled();
            if (!std::exchange(bound_, true))
                listener_.bound();
            enabled_ = true;
            return listener_.enabled();
        case FUNCTIONFS_DISABLE:
            return leaveEnabled();
        case FUNCTIONFS_SUSPEND:
            return listener_.suspended();
        case FUNCTIONFS_RESUME:
            return listener_.resumed();
        default:
            log::debug("{}: event {} is not known here", mount_, type);
    }
}

void Function::leaveEnabled() {
    if (std::exchange(enabled_, false))
        listener_.disabled();
}

void Function::leaveBound() {
    leaveEnabled();
    if (std::exchange(bound_, false))
        listener_.unbound();
}

void Function::handleSetup(const SetupRequest& request) {
    SetupAnswer answer = listener_.setup(request);
    if (!answer.data_)
        return refuse(request);
    std::vector<std::byte>& data = *answer.data_;
    // Cut here, not by the kernel: io_uring takes ep0 for a regular file, because of its mode, and
    // tries again after a short write.
    data.resize(request.isIn() ? std::min<std::size_t>(data.size(), request.length)
                               : request.length);
    if (data.empty() && request.isIn())
        return refuse(request);
    // With nothing to read one byte is asked for and the kernel cuts it off (ffs_ep0_read), because
    // io_uring does not pass on a call for none.
    if (data.empty())
        data.resize(1);
    // No polling meanwhile: poll cannot get the mutex either, and would spin.
    watch_.reset();
    transfer_ = new Transfer(*this, request, std::move(data));
}

// A STALL is a transfer in the direction the host did not ask for (ffs_ep0_read, ffs_ep0_write),
// which fails with EL2HLT when it worked and EIDRM when the host has taken its request back.
void Function::refuse(const SetupRequest& request) {
    const ssize_t result =
        request.isIn() ? ::read(ep0_.get(), nullptr, 0) : ::write(ep0_.get(), nullptr, 0);
    if (result < 0 && errno != EL2HLT && errno != EIDRM && errno != ESRCH)
        log::warning("{}: cannot refuse control request {:#04x}/{:#04x}: errno {}", mount_,
                     request.requestType, request.request, errno);
}

void Function::transferred(const SetupRequest& request, ByteSpan data, int result) {
    // Interrupted, the request is still pending in the kernel, and would be taken for the next one.
    if (result == -EINTR || result == -ECANCELED || result == -EAGAIN) {
        log::warning("{}: control request {:#04x}/{:#04x} was not finished: errno {}", mount_,
                     request.requestType, request.request, -result);
        refuse(request);
    }
    const bool gotAll = result == request.length;
    if (result >= 0 && !gotAll && !request.isIn())
        log::warning("{}: control request {:#04x} came with {} bytes of {}", mount_,
                     request.request, result, request.length);
    watch();
    if (!request.isIn() && gotAll)
        listener_.setupData(request, data.first(request.length));
}

void Function::fail(Error reason) {
    watch_.reset();
    leaveBound();
    listener_.failed(reason);
}

Result<std::uint16_t> Function::currentMaxPacket(Endpoint endpoint) const {
    usb_endpoint_descriptor descriptor{};
    if (::ioctl(endpointFd(endpoint), FUNCTIONFS_ENDPOINT_DESC, &descriptor) < 0)
        return systemError("ask for the endpoint descriptor of", mount_);
    return static_cast<std::uint16_t>(le16toh(descriptor.wMaxPacketSize) & USB_ENDPOINT_MAXP_MASK);
}

Result<Speed> Function::currentSpeed() const {
    const auto maxPacket = currentMaxPacket(Endpoint::PayloadIn);
    if (!maxPacket)
        return tl::make_unexpected(maxPacket.error());
    for (const Speed speed : {Speed::Full, Speed::High})
        if (*maxPacket == maxPacketBytes(speed))
            return speed;
    return Speed::Super;
}

Result<void> Function::resetEndpoints() {
    for (const Endpoint endpoint : kAllEndpoints)
        if (::ioctl(endpointFd(endpoint), FUNCTIONFS_FIFO_FLUSH) < 0 && errno != EOPNOTSUPP)
            return systemError("flush an endpoint of", mount_);
    return {};
}

}  // namespace belay::ffs
