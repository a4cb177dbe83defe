#include "helper/hostd/host_service.h"

#include "core/base/log.h"
#include "core/ublk/control.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

namespace belay::helper {
namespace {

std::string nameOf(const usb::Gadget& gadget) {
    const std::string& name = gadget.product.empty() ? gadget.manufacturer : gadget.product;
    return fmt::format("{} {} (port {})", name.empty() ? "gadget" : name, gadget.serial,
                       gadget.port);
}

}  // namespace

HostService::HostService(Ring& ring, RunDir runDir, const Identity& worker, HostOptions options)
    : Service(ring, std::move(runDir), worker,
              {options.lend, options.stateDir, options.policy, options.writeLogBytes}),
      options_(std::move(options)) {}

HostService::~HostService() = default;

Result<void> HostService::begin() {
    if (!options_.attach.empty()) {
        auto control = ublk::Control::open();
        if (!control)
            return tl::make_unexpected(control.error());
        if (auto features = control->features(); !features)
            return tl::make_unexpected(features.error());
    }
    auto discovery = usb::Discovery::start(ring_, *this);
    if (!discovery)
        return tl::make_unexpected(discovery.error());
    discovery_ = std::move(*discovery);
    return {};
}

Result<WorkerKeeper::Start> HostService::prepareWorker() {
    auto fds = stores_.openForWorker();
    auto uuid = runDir_.uuid();
    auto stateDir = runDir_.workerDir(worker_.uid, worker_.gid);
    if (!fds)
        return tl::make_unexpected(fds.error());
    if (!uuid)
        return tl::make_unexpected(uuid.error());
    if (!stateDir)
        return tl::make_unexpected(stateDir.error());
    const Json config = {{"user", options_.user},
                         {"host", uuid->toString()},
                         {"attach", !options_.attach.empty()},
                         {"payloadCrc", options_.payloadCrc},
                         {"smooWriteBack", options_.smooWriteBack},
                         {"mimicFastboot", options_.mimicFastboot},
                         {"stores", stores_.config()},
                         {"lasting", false},
                         {"stateDir", *stateDir}};
    return WorkerKeeper::Start{{}, {"belay-hostd", "worker", config.dump()}, std::move(*fds), {}};
}

void HostService::workerReady() {
    handOver();
}

bool HostService::wanted(const wire::ExportInfo& info) const {
    return std::ranges::any_of(options_.attach, [&](const std::string& name) {
        return name == "all" || name == info.label || name == info.uuid.toString();
    });
}

void HostService::addStatus(Json& status) const {
    if (gadget_)
        status["gadget"] = {{"name", nameOf(*gadget_)},
                            {"serial", gadget_->serial},
                            {"port", gadget_->port},
                            {"speedMbps", gadget_->speedMbps}};
}

void HostService::gadgetFound(const usb::Gadget& gadget) {
    if (!gadget.isOurs(options_.mimicFastboot))
        return;
    const bool ours =
        options_.gadgetSerial.empty() ? !gadget_ : gadget.serial == options_.gadgetSerial;
    if (!ours)
        return;
    if (gadget_ && gadget_->syspath != gadget.syspath) {
        announce(fmt::format("a second gadget has the serial {}: it is left alone", gadget.serial));
        return;
    }
    gadget_ = gadget;
    devices_.forgetStopped();
    announce(fmt::format("{} found, {} Mbit/s", nameOf(gadget), gadget.speedMbps));
    handOver();
}

void HostService::gadgetGone(const std::string& syspath) {
    if (!gadget_ || gadget_->syspath != syspath)
        return;
    announce(fmt::format("{} is gone", nameOf(*gadget_)));
    gadget_.reset();
    keeper_.tell({{"type", "gadget-gone"}});
}

void HostService::handOver() {
    if (!gadget_ || !keeper_.isReady())
        return;
    const Fd node(::open(gadget_->devnode.c_str(), O_RDWR | O_CLOEXEC));
    if (!node) {
        log::error("{}", systemError("open", gadget_->devnode).value().message());
        return;
    }
    keeper_.tell({{"type", "gadget"}, {"name", nameOf(*gadget_)}}, {node.get()});
}

}  // namespace belay::helper
