#include "tests/vm/hostile/fake_gadget.h"

#include "core/base/log.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace hostile {

using namespace belay;
using namespace std::chrono_literals;

namespace {

std::atomic<bool> ending{false};

void endAtSigterm() {
    struct sigaction action {};
    action.sa_handler = [](int) { ending = true; };
    ::sigaction(SIGTERM, &action, nullptr);
}

[[noreturn]] void die(const Error& error) {
    log::error("{}", error.message());
    ::_exit(1);
}

}  // namespace

bool FakeInterface::write(ffs::Endpoint endpoint, ConstByteSpan bytes) {
    const int fd = function_->endpointFd(endpoint);
    ssize_t done = -1;
    do
        done = ::write(fd, bytes.data(), bytes.size());
    while (done < 0 && errno == EINTR && !ending);
    return done == static_cast<ssize_t>(bytes.size());
}

std::optional<Bytes> FakeInterface::read(ffs::Endpoint endpoint, std::size_t most) {
    const int fd = function_->endpointFd(endpoint);
    Bytes bytes(most);
    ssize_t done = -1;
    do
        done = ::read(fd, bytes.data(), bytes.size());
    while (done < 0 && errno == EINTR && !ending);
    if (done < 0)
        return std::nullopt;
    bytes.resize(static_cast<std::size_t>(done));
    return bytes;
}

// A transfer in the direction that the endpoint does not have halts it (ffs_epfile_io).
void FakeInterface::halt(ffs::Endpoint endpoint) {
    const int fd = function_->endpointFd(endpoint);
    const bool in = endpoint == ffs::Endpoint::MessageIn || endpoint == ffs::Endpoint::PayloadIn;
    std::byte none{};
    const ssize_t result = in ? ::read(fd, &none, 1) : ::write(fd, &none, 1);
    if (result < 0 && errno != EBADMSG)
        log::warning("cannot halt an endpoint: errno {}", errno);
}

void FakeInterface::enabled() {
    if (onEnabled)
        onEnabled(true);
}

void FakeInterface::disabled() {
    if (onEnabled)
        onEnabled(false);
}

void FakeInterface::failed(const Error& reason) {
    die(reason);
}

ffs::SetupAnswer FakeInterface::setup(const ffs::SetupRequest& request) {
    auto answer = onSetup ? onSetup(request) : std::nullopt;
    if (!answer)
        return ffs::SetupAnswer::stall();
    return request.isIn() ? ffs::SetupAnswer::reply(std::move(*answer))
                          : ffs::SetupAnswer::accept();
}

void FakeInterface::setupData(const ffs::SetupRequest& request, ConstByteSpan data) {
    if (onData)
        onData(request, data);
}

FakeGadget::FakeGadget(std::string serial, std::vector<ffs::Kind> kinds, ffs::LendTriple triple)
    : kinds_(std::move(kinds)) {
    endAtSigterm();
    auto ring = Ring::create(256);
    auto config = ffs::GadgetConfig::create({.name = "hostile",
                                             .vendorId = 0x1d6b,
                                             .productId = 0x0104,
                                             .manufacturer = "Belay tests",
                                             .product = "Peer played by hand",
                                             .serial = std::move(serial),
                                             .kinds = kinds_,
                                             .runtimeFolder = "/run/belay-hostile"});
    if (!ring || !config)
        die(!ring ? ring.error() : config.error());
    ring_ = std::move(*ring);
    config_.emplace(std::move(*config));
    for (const ffs::Kind kind : kinds_) {
        FakeInterface& side = kind == ffs::Kind::Attach ? attach_ : lend_;
        auto function = ffs::Function::open(*ring_, config_->mountOf(kind), kind, side, triple);
        if (!function)
            die(function.error());
        side.function_ = std::move(*function);
    }
}

FakeGadget::~FakeGadget() {
    attach_.function_.reset();
    lend_.function_.reset();
    static_cast<void>(ring_->turn(10ms));
    if (auto removed = config_->remove(); !removed)
        log::warning("{}", removed.error().message());
}

void FakeGadget::plugIn() {
    if (auto bound = config_->bind("dummy_udc.0"); !bound)
        die(bound.error());
}

void FakeGadget::unplug() {
    if (auto unbound = config_->unbind(); !unbound)
        die(unbound.error());
}

void FakeGadget::run() {
    while (!ending)
        if (auto turned = ring_->turn(20ms); !turned)
            die(turned.error());
    unplug();
}

bool FakeGadget::isEnding() {
    return ending;
}

bool FakeGadget::sleep(int milliseconds) {
    for (; milliseconds > 0 && !ending; milliseconds -= 10)
        std::this_thread::sleep_for(10ms);
    return !ending;
}

}  // namespace hostile
