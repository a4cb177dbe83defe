#include "helper/hostd/host_service.h"

#include "core/base/log.h"
#include "core/ublk/control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace belay::helper {
namespace {

std::string nameOf(const usb::Gadget& gadget) {
    return fmt::format("{} {} (port {})", productOf(gadget), gadget.serial, gadget.port);
}

}  // namespace

HostService::HostService(Ring& ring, RunDir runDir, const Identity& worker, HostOptions options)
    : Service(ring, std::move(runDir), worker,
              {options.lend, !options.attach.empty(), options.stateDir, options.policy,
               options.writeLogBytes}),
      options_(std::move(options)),
      portReset_(ring, {.tellWorkers = [this](const Json& message) { return tellWorkers(message); },
                        .over =
                            [this] {
                                handedOver_.clear();
                                for (const WorkerRole role : kWorkerRoles)
                                    handOver(role);
                            }}),
      chosen_(runDir_.file("gadget.json")) {}

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

Result<WorkerKeeper::Start> HostService::prepareWorker(WorkerRole role) {
    auto uuid = runDir_.uuid();
    if (!uuid)
        return tl::make_unexpected(uuid.error());
    Json config = {{"user", options_.user},
                   {"host", uuid->toString()},
                   {"payloadCrc", options_.payloadCrc},
                   {"smooWriteBack", options_.smooWriteBack},
                   {"lasting", false}};
    if (role == WorkerRole::Target) {
        auto stateDir = runDir_.workerDir(worker_.uid, worker_.gid);
        if (!stateDir)
            return tl::make_unexpected(stateDir.error());
        stores_.prepare();
        config.update({{"mimicFastboot", options_.mimicFastboot}, {"stateDir", *stateDir}});
    }
    return WorkerKeeper::Start{
        {}, {"belay-hostd", std::string(nameOf(role)) + "-worker", config.dump()}, {}, {}};
}

bool HostService::wanted(const wire::ExportInfo& info) const {
    return std::ranges::any_of(options_.attach, [&](const std::string& name) {
        return name == "all" || name == info.label || name == info.uuid.toString();
    });
}

// Said once, not in each session.
void HostService::exportsOffered() {
    std::vector<std::string> missing;
    std::vector<std::string> offered;
    for (const std::string& name : options_.attach)
        if (name != "all" && !devices_.exportCalled(name))
            missing.push_back(name);
    for (const wire::ExportInfo& info : devices_.exports())
        offered.push_back(info.label);
    const std::string text =
        missing.empty()
            ? std::string()
            : fmt::format(
                  "the gadget does not share {}; it shares {}", fmt::join(missing, ", "),
                  offered.empty() ? "nothing" : fmt::format("{}", fmt::join(offered, ", ")));
    if (std::exchange(missing_, text) != text && !text.empty())
        announce(text);
}

void HostService::addStatus(Json& status) const {
    if (gadget_)
        status["gadget"] = {{"name", nameOf(*gadget_)},
                            {"serial", gadget_->serial},
                            {"port", gadget_->port},
                            {"speedMbps", gadget_->speedMbps}};
}

std::string HostService::whyNoOther() const {
    const std::string chosen = chosen_.name();
    if (chosen.empty())
        return {};
    if (const auto ids = devices_.devices(); !ids.empty())
        return fmt::format("{} came from {}", ublk::diskName(ids.front()), chosen);
    if (!devices_.empty())
        return fmt::format("a device of {} is being made", chosen);
    return chosen_.hasBorrowed() && !options_.lend.empty()
               ? fmt::format("what is lent here is in use by {}", chosen)
               : std::string();
}

void HostService::gadgetFound(const usb::Gadget& gadget) {
    if (!gadget.isOurs(options_.mimicFastboot))
        return;
    const bool bySerial = !options_.gadgetSerial.empty();
    const bool ours = bySerial  ? gadget.serial == options_.gadgetSerial
                      : gadget_ ? chosen_.is(gadget)
                                : chosen_.is(gadget) || whyNoOther().empty();
    if (ours && gadget_ && gadget_->syspath != gadget.syspath)
        announce(fmt::format("a second gadget has the serial {}: it is left alone", gadget.serial));
    else if (ours)
        take(gadget);
    else if (!bySerial)
        leaveAlone(gadget);
}

void HostService::take(const usb::Gadget& gadget) {
    gadget_ = gadget;
    handedOver_.clear();
    if (options_.gadgetSerial.empty())
        chosen_.choose(gadget);
    devices_.forgetStopped();
    announce(fmt::format("{} found, {} Mbit/s", nameOf(gadget), gadget.speedMbps));
    for (const WorkerRole role : kWorkerRoles)
        handOver(role);
}

void HostService::leaveAlone(const usb::Gadget& gadget) {
    leftAlone_.push_back(gadget);
    const std::string held = whyNoOther();
    announce(
        fmt::format("{} is left alone: {}. {}", nameOf(gadget),
                    held.empty() ? fmt::format("this program serves {}", chosen_.name()) : held,
                    gadget.serial.empty()
                        ? "To use it too, run another belay-hostd with a --run-dir of its own"
                        : fmt::format("To use it too, run another belay-hostd with --gadget {}",
                                      gadget.serial)));
}

// Nothing holds on to the chosen one any more.
void HostService::takeOneLeftAlone() {
    if (gadget_ || leftAlone_.empty() || !whyNoOther().empty())
        return;
    const usb::Gadget next = leftAlone_.front();
    leftAlone_.erase(leftAlone_.begin());
    take(next);
}

void HostService::gadgetGone(const std::string& syspath) {
    std::erase_if(leftAlone_, [&](const usb::Gadget& other) { return other.syspath == syspath; });
    if (!gadget_ || gadget_->syspath != syspath)
        return;
    announce(fmt::format("{} is gone", nameOf(*gadget_)));
    gadget_.reset();
    handedOver_.clear();
    portReset_.unplugged();
    for (const WorkerRole role : kWorkerRoles)
        keeperOf(role).tell({{"type", "gadget-gone"}});
    takeOneLeftAlone();
}

void HostService::deviceGone() {
    if (!isEnding())
        takeOneLeftAlone();
}

void HostService::workerDied(WorkerRole role) {
    handedOver_.erase(role);
    portReset_.workerDied(role);
}

void HostService::workerLingers(WorkerRole role) {
    workerDied(role);
}

void HostService::workerMessage(WorkerRole role, const Json& message) {
    const auto type = message.at("type").get<std::string>();
    if (portReset_.handle(role, type, message, gadget_ ? gadget_->devnode : std::string()))
        return;
    if (role == WorkerRole::Target && type == "session" && gadget_ &&
        message.at("state").get<std::string>() == "open")
        chosen_.borrowed();
}

// What was left behind still is its gadget's.
void HostService::end() {
    if (devices_.empty())
        chosen_.forget();
}

std::set<WorkerRole> HostService::tellWorkers(const Json& message) {
    std::set<WorkerRole> told;
    for (const WorkerRole role : kWorkerRoles)
        if (keeperOf(role).isReady()) {
            keeperOf(role).tell(message);
            told.insert(role);
        }
    return told;
}

void HostService::handOver(WorkerRole role) {
    if (!gadget_ || !keeperOf(role).isReady() || handedOver_.contains(role) ||
        portReset_.isUnderWay())
        return;
    const Fd node(::open(gadget_->devnode.c_str(), O_RDWR | O_CLOEXEC));
    if (!node) {
        log::error("{}", systemError("open", gadget_->devnode).value().message());
        return;
    }
    handedOver_.insert(role);
    keeperOf(role).tell({{"type", "gadget"}, {"name", nameOf(*gadget_)}}, {node.get()});
}

}  // namespace belay::helper
