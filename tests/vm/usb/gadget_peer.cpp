#include "tests/vm/usb/gadget_peer.h"

#include "core/base/log.h"
#include "core/base/ring.h"
#include "core/ffs/aio_guard.h"
#include "core/ffs/configfs.h"
#include "core/ffs/function.h"
#include "core/ffs/gadget_link.h"

#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

namespace peer {

using namespace belay;

void encode(const Command& command, ByteSpan message) {
    std::ranges::fill(message, std::byte{0});
    storeLe(message, 0, static_cast<std::uint8_t>(command.op));
    storeLe(message, 1, command.failed);
    storeLe(message, 4, command.length);
    storeLe(message, 8, command.seed);
    storeLe(message, 16, command.count);
}

Command decode(ConstByteSpan message) {
    return {.op = static_cast<Op>(loadLe<std::uint8_t>(message, 0)),
            .failed = loadLe<std::uint8_t>(message, 1),
            .length = loadLe<std::uint32_t>(message, 4),
            .seed = loadLe<std::uint64_t>(message, 8),
            .count = loadLe<std::uint32_t>(message, 16)};
}

namespace {

std::uint64_t patternWord(std::uint64_t seed, std::size_t index) {
    return (seed + index) * 0x9e3779b97f4a7c15U;
}

}  // namespace

void fillPattern(ByteSpan bytes, std::uint64_t seed) {
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
        const std::uint64_t word = patternWord(seed, at);
        std::memcpy(bytes.data() + at, &word, std::min<std::size_t>(8, bytes.size() - at));
    }
}

bool hasPattern(ConstByteSpan bytes, std::uint64_t seed) {
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
        const std::uint64_t word = patternWord(seed, at);
        if (std::memcmp(bytes.data() + at, &word, std::min<std::size_t>(8, bytes.size() - at)) != 0)
            return false;
    }
    return true;
}

namespace {

// How many payloads of a stream are under way at once.
constexpr std::uint32_t kStreamDepth = 10;

// One interface: its function and, while the host has it enabled, its link.
class Side final : public ffs::FunctionListener, public wire::LinkListener {
 public:
    explicit Side(Ring& ring) : ring_(ring) {}

    void open(const std::string& mount, ffs::Kind kind) {
        auto function = ffs::Function::open(ring_, mount, kind, *this);
        if (!function)
            die(function.error());
        function_ = std::move(*function);
    }

    void bound() override {}
    void unbound() override {}
    void enabled() override {
        if (!link_)
            begin();
    }
    void disabled() override {
        ending_ = true;
        if (link_)
            link_->shutDown(Error{.what = "disabled", .object = {}, .hint = {}});
    }
    void failed(const Error& reason) override { die(reason); }

    ffs::SetupAnswer setup(const ffs::SetupRequest& request) override {
        if (request.isIn() && request.request == kGetPattern) {
            std::vector<std::byte> data(request.value);
            fillPattern(data, 0);
            return ffs::SetupAnswer::reply(std::move(data));
        }
        if (request.isIn() && request.request == kGetKept)
            return ffs::SetupAnswer::reply(kept_);
        if (request.isIn() && request.request == kGetLink)
            return ffs::SetupAnswer::reply({std::byte{link_ != nullptr && !ending_}});
        if (!request.isIn() && request.request == kKeep)
            return ffs::SetupAnswer::accept();
        return ffs::SetupAnswer::stall();
    }
    void setupData(const ffs::SetupRequest&, ConstByteSpan data) override {
        kept_.assign(data.begin(), data.end());
    }

    void messagesReceived(ConstByteSpan transfer) override {
        for (; transfer.size() >= kMessageBytes; transfer = transfer.subspan(kMessageBytes))
            handle(decode(transfer.first(kMessageBytes)), transfer.first(kMessageBytes));
    }
    void payloadReceived(std::uint64_t cookie) override {
        Work& work = under_.at(cookie);
        if (work.command.op == Op::Take) {
            work.command.failed = !hasPattern(work.buffer.bytes(), work.command.seed);
            answer(work.command);
            under_.erase(cookie);
            return;
        }
        next(cookie);
    }
    void payloadSent(std::uint64_t cookie) override {
        if (under_.at(cookie).command.op == Op::Give)
            under_.erase(cookie);
        else
            next(cookie);
    }
    void linkDown(const Error&) override {
        under_.clear();
        link_.reset();
        if (function_->isEnabled())
            begin();
    }

 private:
    struct Work {
        Command command;
        Buffer buffer;
    };

    [[noreturn]] static void die(const Error& error) {
        log::error("gadget: {}", error.message());
        _exit(1);
    }

    void begin() {
        auto link = ffs::GadgetLink::create(ring_, *function_);
        if (!link)
            return;  // disabled again already
        link_ = std::move(*link);
        ending_ = false;
        link_->start(wire::MessageFraming::native(link_->messagePacketBytes()), *this);
    }

    void answer(const Command& command) {
        std::array<std::byte, kMessageBytes> message;
        encode(command, message);
        link_->sendMessages(message);
    }

    void handle(const Command& command, ConstByteSpan message) {
        if (command.op == Op::Echo) {
            link_->sendMessages(message);
            return;
        }
        const bool stream = command.op == Op::Sink || command.op == Op::Source;
        if (stream)
            left_ = done_ = command.count;
        const std::uint32_t depth = stream ? std::min(command.count, kStreamDepth) : 1;
        for (std::uint32_t i = 0; i < depth; ++i) {
            const std::uint64_t cookie = nextCookie_++;
            auto buffer = link_->arena()->take(command.length);
            if (!buffer)
                die(Error{.what = "out of transfer memory", .object = {}, .hint = {}});
            Work& work = under_[cookie];
            work = Work{.command = command, .buffer = std::move(*buffer)};
            if (command.op == Op::Give)
                fillPattern(work.buffer.bytes(), command.seed);
            left_ -= stream ? 1 : 0;
            move(cookie, work);
        }
    }

    void move(std::uint64_t cookie, Work& work) {
        if (work.command.op == Op::Take || work.command.op == Op::Sink)
            link_->receivePayload(work.buffer.bytes(), cookie);
        else
            link_->sendPayload(work.buffer.bytes(), cookie);
    }

    // A payload of a stream is through.
    void next(std::uint64_t cookie) {
        Work& work = under_.at(cookie);
        if (--done_ == 0)
            answer(work.command);
        if (left_ > 0) {
            --left_;
            move(cookie, work);
        } else {
            under_.erase(cookie);
        }
    }

    Ring& ring_;
    std::unique_ptr<ffs::Function> function_;
    std::unique_ptr<ffs::GadgetLink> link_;
    bool ending_ = false;
    std::vector<std::byte> kept_{std::byte{0}};
    std::map<std::uint64_t, Work> under_;
    std::uint64_t nextCookie_ = 1;
    std::uint32_t left_ = 0;
    std::uint32_t done_ = 0;
};

}  // namespace

int run() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    log::setup("gadget", log::Level::Notice);
    if (auto guarded = ffs::AioGuard::start(Fd(kAliveFd)); !guarded) {
        log::error("{}", guarded.error().message());
        return 1;
    }
    auto ring = Ring::create(256);
    auto config = ffs::GadgetConfig::create({.name = kGadgetName,
                                             .vendorId = 0x1d6b,
                                             .productId = 0x0104,
                                             .manufacturer = "Belay tests",
                                             .product = "Loop \x1b gadget",
                                             .serial = "usb-link",
                                             .kinds = {ffs::Kind::Lend, ffs::Kind::Attach},
                                             .runtimeFolder = "/run/belay-usb-test"});
    if (!ring || !config) {
        log::error("{}", !ring ? ring.error().message() : config.error().message());
        return 1;
    }
    Side lend(**ring);
    Side attach(**ring);
    lend.open(config->mountOf(ffs::Kind::Lend), ffs::Kind::Lend);
    attach.open(config->mountOf(ffs::Kind::Attach), ffs::Kind::Attach);
    if (auto bound = config->bind(); !bound) {
        log::error("{}", bound.error().message());
        return 1;
    }
    if (auto ran = (*ring)->run(); !ran)
        log::error("{}", ran.error().message());
    return 1;
}

}  // namespace peer
