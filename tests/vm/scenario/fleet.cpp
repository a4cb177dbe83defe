// fleet FOLDER [FILE]: belayd without a bus. Lends FILE to the first gadget there is, or attaches
// all that any gadget shares; takes up what an earlier one left in FOLDER. Says what happens on
// stdout. SIGTERM ends it and leaves everything as it is; SIGUSR1 stops all devices first.
#include "core/base/log.h"
#include "helper/supervisor/event_text.h"
#include "helper/supervisor/host_fleet.h"
#include "helper/supervisor/own_process.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

using namespace belay;
using namespace belay::helper;

namespace {

void say(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

class Guardian final : public FleetListener {
 public:
    Guardian(Ring& ring, std::string file) : ring_(ring), file_(std::move(file)) {}

    Result<void> begin(const std::string& folder) {
        FleetOptions options;
        options.runDir = folder + "/run";
        options.stateDir = folder + "/state";
        options.hostd = BELAY_HOSTD;
        auto fleet = HostFleet::open(ring_, std::move(options), *this);
        if (!fleet)
            return tl::make_unexpected(fleet.error());
        fleet_ = std::move(*fleet);
        for (const std::string& gadget : fleet_->gadgets())
            gadgetChanged(gadget);
        for (const std::string& device : fleet_->devices())
            deviceChanged(device);
        return {};
    }

    void stopAll() {
        stopping_ = true;
        if (fleet_->devices().empty())
            ring_.stop();
        for (const std::string& device : fleet_->devices())
            fleet_->stop(device, false, [this](const Result<void>& stopped) {
                say(stopped ? "stopped" : stopped.error().message());
                if (fleet_->devices().empty())
                    ring_.stop();
            });
    }

 private:
    void gadgetChanged(const std::string& id) override {
        ring_.callAtEndOfTurn([this, id] { look(id); });
    }
    void gadgetGone(const std::string&) override {}
    void deviceChanged(const std::string& id) override {
        if (const auto view = fleet_ ? fleet_->device(id, false) : std::nullopt)
            say(fmt::format("device {} {} {} worker {} recoveries {}", view->label,
                            lifecycle::nameOf(view->state), view->node, view->daemonPid,
                            view->recoveries));
    }
    void deviceCountersChanged(const std::string&) override {}
    void deviceGone(const std::string& id) override { say("gone " + id); }
    void happened(const FleetEvent& event) override { say("event: " + inEnglish(event.what)); }

    void look(const std::string& id) {
        const auto view = fleet_->gadget(id);
        if (!view || !view->present || stopping_)
            return;
        if (file_.empty()) {
            if (!view->autoAttach)
                if (auto set = fleet_->setAutoAttach(id, true); !set)
                    say(set.error().message());
        } else if (!asked_) {
            asked_ = true;
            fleet_->lendPath(id, file_, {.label = "disk"}, [](const Result<std::string>& lent) {
                say(lent ? "lent" : lent.error().message());
            });
        }
    }

    Ring& ring_;
    const std::string file_;
    std::unique_ptr<HostFleet> fleet_;
    bool asked_ = false;
    bool stopping_ = false;
};

Result<void> guard(const std::string& folder, const std::string& file) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    const Fd signalFd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    auto ring = Ring::create(256);
    if (!ring)
        return tl::make_unexpected(ring.error());
    Guardian guardian(**ring, file);
    const FdWatch watch(**ring, signalFd.get(), POLLIN, [&](std::uint32_t) {
        signalfd_siginfo info{};
        if (::read(signalFd.get(), &info, sizeof info) != sizeof info)
            return;
        if (info.ssi_signo == SIGUSR1)
            guardian.stopAll();
        else
            (*ring)->stop();
    });
    if (auto begun = guardian.begin(folder); !begun)
        return begun;
    return (*ring)->run();
}

}  // namespace

int main(int argc, char** argv) {
    endIfOwnProcess(argc, argv);
    if (argc != 2 && argc != 3)
        return 2;
    log::setup("fleet", log::Level::Info);
    const auto guarded = guard(argv[1], argc == 3 ? argv[2] : "");
    if (guarded)
        return EXIT_SUCCESS;
    fmt::print(stderr, "fleet: {}\n", guarded.error().message());
    return EXIT_FAILURE;
}
