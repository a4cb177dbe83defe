#include "tests/bench/raw_loop/gadget_transport.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace rawloop {

using belay::Result;

namespace {
// Four pipes of the greatest depth.
constexpr int kMostEvents = 4 * 32;
}  // namespace

Result<std::unique_ptr<GadgetTransport>> GadgetTransport::open(const std::string& mount) {
    auto transport = std::unique_ptr<GadgetTransport>(new GadgetTransport);
    if (const int code = io_setup(kMostEvents, &transport->context_); code < 0)
        return belay::errorFrom(code, "io_setup");
    transport->events_.resize(kMostEvents);
    for (const Pipe pipe : kAllPipes) {
        // FunctionFS numbers the files from 1, in the order of the descriptors.
        const std::string path = fmt::format("{}/ep{}", mount, static_cast<int>(pipe) + 1);
        belay::Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        if (!file)
            return belay::systemError("open", path);
        transport->channel(pipe).file = std::move(file);
    }
    return transport;
}

GadgetTransport::~GadgetTransport() {
    if (context_ != nullptr)
        io_destroy(context_);
}

Result<void> GadgetTransport::prepare(const std::array<std::uint32_t, kPipes>& lengths,
                                      std::uint32_t depth, Listener& listener) {
    listener_ = &listener;
    gathered_.clear();
    for (const Pipe pipe : kAllPipes) {
        Channel& its = channel(pipe);
        its.length = lengths[static_cast<std::size_t>(pipe)];
        its.memory.assign(its.length * depth, std::byte{});
        its.slots.assign(its.length == 0 ? 0 : depth, Slot{});
        for (Slot& slot : its.slots)
            slot.pipe = pipe;
    }
    return {};
}

belay::ByteSpan GadgetTransport::buffer(Pipe pipe, std::uint32_t slot) {
    Channel& its = channel(pipe);
    return belay::ByteSpan(its.memory).subspan(its.length * slot, its.length);
}

Result<void> GadgetTransport::start(Pipe pipe, std::uint32_t slot) {
    Channel& its = channel(pipe);
    Slot& started = its.slots[slot];
    const belay::ByteSpan bytes = buffer(pipe, slot);
    if (pipe == Pipe::MessageIn || pipe == Pipe::PayloadIn)
        io_prep_pwrite(&started.control, its.file.get(), bytes.data(), bytes.size(), 0);
    else
        io_prep_pread(&started.control, its.file.get(), bytes.data(), bytes.size(), 0);
    started.control.data = &started;
    gathered_.push_back(&started.control);
    return {};
}

Result<void> GadgetTransport::wait() {
    for (std::size_t submitted = 0; submitted < gathered_.size();) {
        const int count = io_submit(context_, static_cast<long>(gathered_.size() - submitted),
                                    gathered_.data() + submitted);
        if (count < 0)
            return belay::errorFrom(count, "io_submit");
        submitted += static_cast<std::size_t>(count);
    }
    gathered_.clear();
    const int count = io_getevents(context_, 1, kMostEvents, events_.data(), nullptr);
    if (count < 0)
        return belay::errorFrom(count, "io_getevents");
    for (int i = 0; i < count; ++i) {
        const io_event& event = events_[static_cast<std::size_t>(i)];
        const Slot& slot = *static_cast<const Slot*>(event.data);
        // libaio declares a negative errno as an unsigned result.
        const auto result = static_cast<long>(event.res);
        if (result < 0)
            return belay::errorFrom(static_cast<int>(result), "transfer", "gadget");
        if (static_cast<std::size_t>(result) != channel(slot.pipe).length)
            return belay::failure("short transfer", "gadget");
        listener_->completed(slot.pipe);
    }
    return {};
}

}  // namespace rawloop
