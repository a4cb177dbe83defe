#include "helper/gadget/gadget_service.h"

#include "core/base/log.h"
#include "core/ublk/control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace belay::helper {
namespace {

// The UDC of a dead worker's gadget may be busy for a moment.
constexpr auto kBindRetry = std::chrono::milliseconds(250);

}  // namespace

GadgetService::GadgetService(Ring& ring, RunDir runDir, const Identity& worker,
                             GadgetOptions options)
    : Service(ring, std::move(runDir), worker,
              {options.shares, options.stateDir, options.policy, options.writeLogBytes}),
      options_(std::move(options)),
      udc_(options_.udc) {}

Result<void> GadgetService::begin() {
    if (options_.lendReady) {
        auto control = ublk::Control::open();
        if (!control)
            return tl::make_unexpected(control.error());
        if (auto features = control->features(); !features)
            return tl::make_unexpected(features.error());
    }
    // Bad stores are found before the gadget shows up on anybody's bus.
    if (auto fds = stores_.openForWorker(); !fds)
        return tl::make_unexpected(fds.error());
    ffs::GadgetIdentity identity;
    identity.name = options_.name;
    identity.vendorId = options_.vendorId;
    identity.productId = options_.productId;
    identity.manufacturer = "Belay";
    identity.product = "Belay gadget";
    identity.serial = options_.serial;
    if (!options_.shares.empty())
        identity.kinds.push_back(ffs::Kind::Attach);
    if (options_.lendReady)
        identity.kinds.push_back(ffs::Kind::Lend);
    identity.runtimeFolder = runDir_.file("ffs");
    auto config = ffs::GadgetConfig::create(std::move(identity));
    if (!config)
        return tl::make_unexpected(config.error());
    config_.emplace(std::move(*config));
    return {};
}

Result<WorkerKeeper::Start> GadgetService::prepareWorker() {
    // A dead worker's ring may hold its ep0 for a while yet.
    if (auto renewed = config_->renew(); !renewed)
        return tl::make_unexpected(renewed.error());
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) < 0)
        return systemError("make a pipe");
    workerGuard_ = Fd(pipe[1]);
    std::vector<Fd> fds;
    fds.emplace_back(pipe[0]);
    auto stores = stores_.openForWorker();
    auto uuid = runDir_.uuid();
    auto stateDir = runDir_.workerDir(worker_.uid, worker_.gid);
    if (!stores)
        return tl::make_unexpected(stores.error());
    std::ranges::move(*stores, std::back_inserter(fds));
    if (!uuid)
        return tl::make_unexpected(uuid.error());
    if (!stateDir)
        return tl::make_unexpected(stateDir.error());
    const auto mountOf = [this](bool offered, ffs::Kind kind) {
        return offered ? config_->mountOf(kind) : std::string();
    };
    const Json config = {{"user", options_.user},
                         {"gadget", uuid->toString()},
                         {"attachMount", mountOf(!options_.shares.empty(), ffs::Kind::Attach)},
                         {"lendMount", mountOf(options_.lendReady, ffs::Kind::Lend)},
                         {"mimicFastboot", options_.mimicFastboot},
                         {"stores", stores_.config()},
                         {"mayLack", stores_.mayLack()},
                         {"stateDir", *stateDir}};
    return WorkerKeeper::Start{{}, {"belay-gadget", "worker", config.dump()}, std::move(fds), {}};
}

void GadgetService::workerMessage(const Json& message) {
    if (message.at("type").get<std::string>() == "functions-ready")
        bind();
}

void GadgetService::bind() {
    if (!keeper_.isReady())
        return;
    auto bound = config_->bind(udc_);
    if (bound) {
        if (udc_ != *bound || keeper_.deaths() == 0)
            announce(fmt::format("on the bus: {}, serial {}", *bound, options_.serial));
        udc_ = *bound;
        wasBound_ = true;
        bindTrouble_.clear();
        return;
    }
    // No such controller: a mistake at the start, later one that may come back. Others are busy.
    if (!wasBound_ && bound.error().code == 0) {
        fail(bound.error());
        return;
    }
    if (const std::string text = bound.error().message(); text != bindTrouble_) {
        log::warning("{}", text);
        bindTrouble_ = text;
    }
    ring_.callAfter(kBindRetry, [this] { bind(); });
}

void GadgetService::workerDied() {
    // Usually the kernel has done it already (ffs_closed); never leave a gadget on the bus that
    // nobody answers for.
    if (!config_)
        return;
    if (auto unbound = config_->unbind(); !unbound)
        log::warning("{}", unbound.error().message());
    workerGuard_.reset();
}

void GadgetService::addStatus(Json& status) const {
    status["udc"] = config_ ? config_->boundTo() : "";
}

void GadgetService::end() {
    if (!config_)
        return;
    workerDied();
    if (auto removed = config_->remove(); !removed)
        log::warning("{}", removed.error().message());
}

}  // namespace belay::helper
