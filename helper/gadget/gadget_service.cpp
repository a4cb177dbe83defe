#include "helper/gadget/gadget_service.h"

#include "core/base/log.h"
#include "core/ublk/control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace belay::helper {
namespace {

// The UDC of a dead worker's gadget may be busy for a moment.
constexpr auto kBindRetry = std::chrono::milliseconds(250);
// How long a worker that is starting is waited for, so that the host sees one gadget come and not
// two after each other.
constexpr auto kTogether = std::chrono::seconds(5);
// One that dies more often than that is not: it does not start again at once.
constexpr auto kSeldom = std::chrono::minutes(1);

constexpr ffs::Kind kindOf(WorkerRole role) {
    return role == WorkerRole::Initiator ? ffs::Kind::Lend : ffs::Kind::Attach;
}

}  // namespace

GadgetService::GadgetService(Ring& ring, RunDir runDir, const Identity& worker,
                             GadgetOptions options)
    : Service(ring, std::move(runDir), worker,
              {options.shares, options.lendReady, options.stateDir, options.policy,
               options.writeLogBytes}),
      options_(std::move(options)),
      udc_(options_.udc) {
    stores_.whenSettled([this] { bind(); });
}

Result<void> GadgetService::begin() {
    if (options_.lendReady) {
        auto control = ublk::Control::open();
        if (!control)
            return tl::make_unexpected(control.error());
        if (auto features = control->features(); !features)
            return tl::make_unexpected(features.error());
    }
    ffs::GadgetIdentity identity;
    identity.name = options_.name;
    identity.vendorId = options_.vendorId;
    identity.productId = options_.productId;
    identity.manufacturer = "Belay";
    identity.product = "Belay gadget";
    identity.serial = options_.serial;
    if (!options_.shares.empty())
        functions_[WorkerRole::Target];
    // What an earlier life left needs its function, too.
    if (options_.lendReady || !devices_.empty())
        functions_[WorkerRole::Initiator];
    for (const WorkerRole role : {WorkerRole::Target, WorkerRole::Initiator})
        if (functions_.contains(role))
            identity.kinds.push_back(kindOf(role));
    identity.runtimeFolder = runDir_.file("ffs");
    auto config = ffs::GadgetConfig::create(std::move(identity));
    if (!config)
        return tl::make_unexpected(config.error());
    config_.emplace(std::move(*config));
    together_ = Clock::now() + kTogether;
    return {};
}

// A dead worker's ring may hold its ep0 for a while yet.
Result<void> GadgetService::makeWay(WorkerRole role) {
    auto renewed = config_->renew(kindOf(role));
    if (!renewed && !std::exchange(functions_[role].isLeftOut, true))
        bindAfter(Duration::zero());
    return renewed;
}

Result<WorkerKeeper::Start> GadgetService::prepareWorker(WorkerRole role) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) < 0)
        return systemError("make a pipe");
    functions_[role].guard = Fd(pipe[1]);
    std::vector<Fd> fds;
    fds.emplace_back(pipe[0]);
    auto uuid = runDir_.uuid();
    if (!uuid)
        return tl::make_unexpected(uuid.error());
    Json config = {{"user", options_.user},
                   {"gadget", uuid->toString()},
                   {"mount", config_->mountOf(kindOf(role))}};
    if (role == WorkerRole::Initiator) {
        config["mimicFastboot"] = options_.mimicFastboot;
    } else {
        auto stateDir = runDir_.workerDir(worker_.uid, worker_.gid);
        if (!stateDir)
            return tl::make_unexpected(stateDir.error());
        stores_.prepare();
        config["stateDir"] = *stateDir;
    }
    return WorkerKeeper::Start{
        {},
        {"belay-gadget", std::string(nameOf(role)) + "-worker", config.dump()},
        std::move(fds),
        {}};
}

void GadgetService::workerMessage(WorkerRole role, const Json& message) {
    if (message.at("type").get<std::string>() != "functions-ready")
        return;
    functions_[role].isReady = true;
    functions_[role].isLeftOut = false;
    bind();
}

void GadgetService::bind() {
    std::vector<ffs::Kind> ready;
    bool complete = true;
    for (const auto& [role, function] : functions_) {
        // Whoever plugs it in sees at once what there is.
        if (function.isReady && (role != WorkerRole::Target || stores_.isSettled()))
            ready.push_back(kindOf(role));
        else if (!function.isLeftOut)
            complete = false;
    }
    if (ready.empty())
        return;
    if (const auto patience = together_ - Clock::now(); !complete && patience > Duration::zero()) {
        bindAfter(patience);
        return;
    }
    auto bound = config_->bind(udc_, ready);
    if (!bound) {
        bindFailed(bound.error());
        return;
    }
    if (const bool first = !std::exchange(wasBound_, true); first || udc_ != *bound)
        announce(fmt::format("on the bus: {}, serial {}", *bound, options_.serial));
    if (std::exchange(offered_, ready.size()) != ready.size() && functions_.size() > 1)
        log::notice("on the bus with {} of {} functions", ready.size(), functions_.size());
    udc_ = *bound;
    bindTrouble_.clear();
}

void GadgetService::bindAfter(Duration pause) {
    if (binding_)
        ring_.cancel(*binding_);
    binding_ = ring_.callAfter(pause, [this] {
        binding_.reset();
        bind();
    });
}

void GadgetService::bindFailed(const Error& reason) {
    // No such controller: a mistake at the start, later one that may come back. Others are busy.
    if (!wasBound_ && reason.code == 0) {
        fail(reason);
        return;
    }
    if (const std::string text = reason.message(); text != bindTrouble_) {
        log::warning("{}", text);
        bindTrouble_ = text;
    }
    bindAfter(kBindRetry);
}

void GadgetService::workerDied(WorkerRole role) {
    Function& function = functions_[role];
    const TimePoint now = Clock::now();
    if (function.diedAt && now - *function.diedAt < kSeldom)
        function.isLeftOut = true;
    else
        together_ = now + kTogether;
    function.diedAt = now;
    withdraw(role);
}

void GadgetService::workerLingers(WorkerRole role) {
    functions_[role].isLeftOut = true;
    withdraw(role);
}

void GadgetService::workerKeepsDying(WorkerRole role) {
    functions_[role].isLeftOut = true;
    bindAfter(Duration::zero());
}

void GadgetService::withdraw(WorkerRole role) {
    if (!config_)
        return;
    // Usually the kernel has done it already (ffs_closed); never leave a gadget on the bus that
    // nobody answers for.
    if (config_->offers(kindOf(role)))
        if (auto unbound = config_->unbind(); !unbound)
            log::warning("{}", unbound.error().message());
    functions_[role].isReady = false;
    functions_[role].guard.reset();
    bindAfter(Duration::zero());
}

void GadgetService::addStatus(Json& status) const {
    status["udc"] = config_ ? config_->boundTo() : "";
}

void GadgetService::end() {
    if (!config_)
        return;
    for (auto& [role, function] : functions_)
        withdraw(role);
    if (auto removed = config_->remove(); !removed)
        log::warning("{}", removed.error().message());
}

}  // namespace belay::helper
