#include "tests/vm/ffs/gadget_end.h"

#include "core/base/log.h"
#include "core/ffs/function.h"
#include "core/ffs/gadget_link.h"
#include "tests/vm/ffs/script.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <numeric>
#include <thread>

using namespace belay;

namespace ffstest {
namespace {

// One function of the gadget, doing one job after another.
class Worker final : public ffs::FunctionListener, public wire::LinkListener {
 public:
    explicit Worker(Ring& ring) : ring_(ring) { report_.pid = static_cast<unsigned>(getpid()); }

    Result<void> open(const std::string& mount, ffs::Kind kind) {
        auto function = ffs::Function::open(ring_, mount, kind, *this);
        if (!function)
            return tl::make_unexpected(function.error());
        function_ = std::move(*function);
        return {};
    }

    bool hasLink() const { return link_ != nullptr; }

    void bound() override { ++report_.bound; }
    void unbound() override { ++report_.unbound; }
    void enabled() override { ++report_.enabled; }
    void disabled() override { ++report_.disabled; }
    void failed(const Error& reason) override {
        log::error("{}", reason.message());
        ring_.stop();
    }

    ffs::SetupAnswer setup(const ffs::SetupRequest& request) override {
        std::vector<std::byte> answer(request.length);
        switch (request.request) {
            case kStart:
            case kSwallow:
            case kShutDown:
                return request.isIn() ? ffs::SetupAnswer::stall() : ffs::SetupAnswer::accept();
            case kAsk:
                std::memcpy(answer.data(), &report_, std::min(answer.size(), sizeof report_));
                return ffs::SetupAnswer::reply(std::move(answer));
            case kPattern:
                fill(answer, 7);
                return ffs::SetupAnswer::reply(std::move(answer));
            case kSlow:
                std::this_thread::sleep_for(std::chrono::milliseconds(request.value));
                return ffs::SetupAnswer::reply(std::move(answer));
            default:
                return ffs::SetupAnswer::stall();
        }
    }

    void setupData(const ffs::SetupRequest& request, ConstByteSpan data) override {
        if (request.request == kSwallow) {
            report_.swallowed = static_cast<std::uint32_t>(data.size());
            report_.swallowedSum = std::accumulate(
                data.begin(), data.end(), 0U,
                [](std::uint32_t sum, std::byte b) { return sum + std::to_integer<unsigned>(b); });
        } else if (request.request == kShutDown && link_) {
            shutDownAt_ = Clock::now();
            link_->shutDown({"asked to", {}, ECANCELED, {}});
        } else if (request.request == kStart && data.size() == sizeof(Job)) {
            std::memcpy(&job_, data.data(), sizeof job_);
            if (!link_)
                return begin();
            startPending_ = true;
            link_->shutDown({"new job", {}, ECANCELED, {}});
        }
    }

    void messagesReceived(ConstByteSpan transfer) override {
        if (transfer.size() % framing_.messageBytes != 0)
            ++report_.wrong;
        report_.messages += static_cast<std::uint32_t>(transfer.size() / framing_.messageBytes);
        if (job_.echo != 0)
            link_->sendMessages(transfer);
    }
    void payloadSent(std::uint64_t cookie) override {
        if (cookie != report_.sent++)
            ++report_.wrong;
        sendMore();
    }
    void payloadReceived(std::uint64_t cookie) override {
        if (cookie != report_.received++)
            ++report_.wrong;
        const auto index = static_cast<std::uint32_t>(cookie);
        if (job_.check != 0 &&
            !isFilled(ByteSpan(receiveBuffers_[index % job_.depth]).first(lengthOf(job_, index)),
                      index))
            ++report_.wrong;
        receiveMore();
    }
    void linkDown(const Error& reason) override {
        ++report_.linksDown;
        report_.downCode = static_cast<std::uint32_t>(reason.code);
        if (shutDownAt_ != TimePoint{})
            report_.shutDownMicroseconds = static_cast<std::uint32_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - shutDownAt_)
                    .count());
        shutDownAt_ = {};
        link_.reset();
        if (std::exchange(startPending_, false))
            begin();
    }

 private:
    void begin() {
        auto link = job_.chunk != 0 ? ffs::GadgetLink::create(ring_, *function_, job_.chunk)
                                    : ffs::GadgetLink::create(ring_, *function_);
        if (!link) {
            log::error("{}", link.error().message());
            ++report_.wrong;
            return;
        }
        link_ = std::move(*link);
        framing_ = job_.smooFraming != 0
                       ? wire::MessageFraming::smoo()
                       : wire::MessageFraming::native(link_->messagePacketBytes());
        report_.received = report_.sent = report_.messages = report_.wrong = 0;
        receiving_ = sending_ = 0;
        if (job_.receiveCount != 0)
            receiveBuffers_.assign(job_.depth, std::vector<std::byte>(job_.size));
        if (job_.sendCount != 0)
            sendBuffers_.assign(job_.depth, std::vector<std::byte>(job_.size));
        ++report_.linksUp;
        link_->start(framing_, *this);
        for (std::uint32_t i = 0; i < job_.depth; ++i) {
            receiveMore();
            sendMore();
        }
    }

    void receiveMore() {
        if (receiving_ == job_.receiveCount || receiving_ - report_.received == job_.depth)
            return;
        const ByteSpan buffer(receiveBuffers_[receiving_ % job_.depth]);
        link_->receivePayload(buffer.first(lengthOf(job_, receiving_)), receiving_);
        ++receiving_;
    }

    void sendMore() {
        if (sending_ == job_.sendCount || sending_ - report_.sent == job_.depth)
            return;
        const ByteSpan payload =
            ByteSpan(sendBuffers_[sending_ % job_.depth]).first(lengthOf(job_, sending_));
        if (job_.check != 0)
            fill(payload, sending_);
        link_->sendPayload(payload, sending_);
        ++sending_;
    }

    Ring& ring_;
    std::unique_ptr<ffs::Function> function_;
    std::unique_ptr<ffs::GadgetLink> link_;
    wire::MessageFraming framing_;
    Job job_;
    Report report_;
    bool startPending_ = false;
    TimePoint shutDownAt_{};
    std::uint32_t receiving_ = 0;
    std::uint32_t sending_ = 0;
    std::vector<std::vector<std::byte>> receiveBuffers_;
    std::vector<std::vector<std::byte>> sendBuffers_;
};

int fail(const Error& error) {
    log::error("{}", error.message());
    return 1;
}

}  // namespace

int runGadget(ffs::GadgetIdentity identity, const std::string& udc) {
    const TimePoint begin = Clock::now();
    log::setup("gadget", log::Level::Info);
    auto ring = Ring::create(64);
    if (!ring)
        return fail(ring.error());
    auto config = ffs::GadgetConfig::create(identity);
    if (!config)
        return fail(config.error());
    int status = 0;
    {
        std::vector<std::unique_ptr<Worker>> workers;
        for (const ffs::Kind kind : identity.kinds) {
            workers.push_back(std::make_unique<Worker>(**ring));
            if (auto opened = workers.back()->open(config->mountOf(kind), kind); !opened)
                return fail(opened.error());
        }
        auto bound = config->bind(udc);
        if (!bound)
            return fail(bound.error());
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigprocmask(SIG_BLOCK, &mask, nullptr);
        const Fd signalFd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
        const FdWatch watch(**ring, signalFd.get(), POLLIN,
                            [&](std::uint32_t) { (*ring)->stop(); });
        std::printf("ready on %s after %.1f ms\n", bound->c_str(),
                    std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
        std::fflush(stdout);
        if (auto ran = (*ring)->run(); !ran)
            status = fail(ran.error());
        // The links go with the transfers, which go with the UDC.
        if (auto unbound = config->unbind(); !unbound)
            status = fail(unbound.error());
        const auto busy = [&] {
            return std::ranges::any_of(workers,
                                       [](const auto& worker) { return worker->hasLink(); });
        };
        for (int turns = 0; turns < 100 && busy(); ++turns)
            if (!(*ring)->turn(std::chrono::milliseconds(10)))
                break;
        if (busy())
            status = fail({"end the links", {}, 0, {}});
    }
    // Lets the ring let go of the files.
    if (auto turned = (*ring)->turn(std::chrono::milliseconds(1)); !turned)
        status = fail(turned.error());
    if (auto removed = config->remove(); !removed)
        status = fail(removed.error());
    return status;
}

}  // namespace ffstest
