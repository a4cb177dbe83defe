#include "tests/vm/usb/host_end.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

using namespace belay;
using namespace std::chrono_literals;

HostEnd::HostEnd() {
    auto made = Ring::create(256);
    if (!made)
        std::abort();
    ring = std::move(*made);
    auto started = usb::Discovery::start(*ring, *this);
    if (!started)
        std::abort();
    discovery = std::move(*started);
}

HostEnd::~HostEnd() {
    close();
    discovery.reset();
    // Whatever is still in the ring lets go of its memory.
    until([] { return false; }, 50ms);
}

bool HostEnd::until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
    const TimePoint deadline = Clock::now() + limit;
    while (!done()) {
        if (Clock::now() >= deadline || !ring->turn(10ms))
            return false;
    }
    return true;
}

std::chrono::milliseconds HostEnd::cpuTimeOf(std::chrono::milliseconds span) {
    const auto used = [] {
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    };
    const auto before = used();
    const TimePoint deadline = Clock::now() + span;
    while (Clock::now() < deadline)
        static_cast<void>(ring->turn(span));
    return std::chrono::duration_cast<std::chrono::milliseconds>(used() - before);
}

std::string HostEnd::open(usb::Role role) {
    if (!until([this] { return gadget.has_value(); }))
        return "no gadget";
    const auto& offered = role == usb::Role::Lend ? gadget->lend : gadget->attach;
    if (!offered)
        return "no such interface";
    interface = *offered;
    Fd node(::open(gadget->devnode.c_str(), O_RDWR | O_CLOEXEC));
    if (!node)
        return systemError("open", gadget->devnode).value().message();
    auto opened = usb::Device::open(*ring, std::move(node), "usb:" + gadget->port);
    if (!opened)
        return opened.error().message();
    device = std::move(*opened);
    if (auto claimed = device->claim(interface.number); !claimed)
        return claimed.error().message();
    return reset();
}

std::string HostEnd::reset() {
    std::optional<Result<void>> outcome;
    device->resetInterface(interface, 1s, [&](const auto& result) { outcome = result; });
    if (!until([&] { return outcome.has_value(); }, 3s))
        return "the reset does not end";
    return *outcome ? std::string() : outcome->error().message();
}

std::string HostEnd::startLink() {
    answers.clear();
    sent.clear();
    received.clear();
    downs.clear();
    onPayload = nullptr;
    link = std::make_unique<usb::HostLink>(device, interface);
    link->start(wire::MessageFraming::native(link->messagePacketBytes()), *this);
    // The gadget makes its end when the reset has ended the one before; what is sent earlier would
    // be lost with that.
    for (const TimePoint deadline = Clock::now() + 5s; Clock::now() < deadline;) {
        const auto ready = controlIn(peer::kGetLink, 0, 1);
        if (ready.code == 0 && ready.bytes == std::vector{std::byte{1}})
            return {};
    }
    return "the gadget makes no link";
}

void HostEnd::close() {
    if (link && downs.empty()) {
        link->shutDown(Error{.what = "end of test", .object = {}, .hint = {}});
        until([this] { return !downs.empty(); });
    }
    link.reset();
    device.reset();
}

void HostEnd::send(const peer::Command& command) {
    std::array<std::byte, peer::kMessageBytes> message;
    peer::encode(command, message);
    link->sendMessages(message);
}

void HostEnd::startTake(ByteSpan memory, std::uint64_t seed) {
    peer::fillPattern(memory, seed);
    send({.op = peer::Op::Take, .length = static_cast<std::uint32_t>(memory.size()), .seed = seed});
    link->sendPayload(memory, nextCookie_++);
}

void HostEnd::startGive(ByteSpan memory, std::uint64_t seed) {
    send({.op = peer::Op::Give, .length = static_cast<std::uint32_t>(memory.size()), .seed = seed});
    link->receivePayload(memory, nextCookie_++);
}

HostEnd::Outcome HostEnd::controlIn(std::uint8_t request, std::uint16_t value, std::uint16_t length,
                                    std::chrono::milliseconds timeout) {
    std::optional<Outcome> outcome;
    device->controlIn(
        {.requestType = 0x41, .request = request, .value = value, .index = interface.number},
        length, timeout, [&](Result<std::vector<std::byte>> result) {
            outcome = result ? Outcome{0, std::move(*result)} : Outcome{result.error().code, {}};
        });
    if (outcome || !until([&] { return outcome.has_value(); }))
        std::abort();
    return *outcome;
}

HostEnd::Outcome HostEnd::controlOut(std::uint8_t request, ConstByteSpan data,
                                     std::chrono::milliseconds timeout) {
    std::optional<Outcome> outcome;
    device->controlOut(
        {.requestType = 0x41, .request = request, .index = interface.number}, data, timeout,
        [&](Result<std::vector<std::byte>> result) {
            outcome = result ? Outcome{0, std::move(*result)} : Outcome{result.error().code, {}};
        });
    if (outcome || !until([&] { return outcome.has_value(); }))
        std::abort();
    return *outcome;
}

void HostEnd::gadgetFound(const usb::Gadget& seen) {
    ++found;
    gadget = seen;
}

void HostEnd::gadgetGone(const std::string& syspath) {
    ++gone;
    if (gadget && gadget->syspath == syspath)
        gadget.reset();
}

void HostEnd::messagesReceived(ConstByteSpan transfer) {
    for (; transfer.size() >= peer::kMessageBytes; transfer = transfer.subspan(peer::kMessageBytes))
        answers.push_back(peer::decode(transfer.first(peer::kMessageBytes)));
}

void HostEnd::payloadSent(std::uint64_t cookie) {
    sent.push_back(cookie);
    if (onPayload)
        onPayload(cookie);
}

void HostEnd::payloadReceived(std::uint64_t cookie) {
    received.push_back(cookie);
    if (onPayload)
        onPayload(cookie);
}

void HostEnd::linkDown(const Error& reason) {
    downs.push_back(reason);
}

std::string writeFile(const std::string& path, const std::string& line) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd || ::write(fd.get(), line.data(), line.size()) < 0)
        return path + ": " + std::to_string(errno);
    return {};
}

std::string readFile(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 256> text{};
    const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

namespace {

// The end of the pipe whose other end the gadget's guard watches (ffs::AioGuard).
Fd gadgetIsWatched;

}  // namespace

pid_t startGadget() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return -1;
    const Fd watched(ends[0]);
    gadgetIsWatched = Fd(ends[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, watched.get(), peer::kAliveFd);
    std::string program = "/proc/self/exe";
    std::string argument = "--gadget";
    std::array<char*, 3> arguments{program.data(), argument.data(), nullptr};
    pid_t pid = -1;
    ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    return pid;
}

void killGadget(pid_t gadget) {
    ::kill(gadget, SIGKILL);
    ::waitpid(gadget, nullptr, 0);
    // As the supervisor does it: what the dead process asked for ends with the binding, and only
    // then may the last user of its memory go.
    unbindGadget();
    gadgetIsWatched = Fd();
}

namespace {

const std::string kUdcFile =
    std::string("/sys/kernel/config/usb_gadget/") + peer::kGadgetName + "/UDC";

}  // namespace

std::string unbindGadget() {
    return writeFile(kUdcFile, "\n");
}

std::string bindGadget() {
    return writeFile(kUdcFile, "dummy_udc.0\n");
}
