#include "helper/supervisor/host_fleet.h"

#include "core/base/crc32c.h"
#include "core/base/log.h"
#include "core/ublk/control.h"
#include "helper/supervisor/event_text.h"
#include "helper/supervisor/file_limit.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;

constexpr auto kCounterPeriod = 500ms;
// An id is part of a socket's path, which has 107 characters in all.
constexpr std::size_t kLongestSerial = 32;
// In the id of a gadget that is told from others by its port.
constexpr const char* kAtPort = "_at_";

Error noSuchGadget(const std::string& id) {
    return errorFrom(ENOENT, "find the gadget", id).value();
}

// Fit for a D-Bus object path: letters, digits and underscores.
std::string plain(const std::string& text) {
    std::string result;
    for (const char c : text)
        result += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return result;
}

}  // namespace

Result<std::unique_ptr<HostFleet>> HostFleet::open(Ring& ring, FleetOptions options,
                                                   FleetListener& listener) {
    raiseFileLimit();
    auto runDir = RunDir::open(options.runDir);
    if (!runDir)
        return tl::make_unexpected(runDir.error());
    std::error_code made;
    std::filesystem::create_directories(options.stateDir, made);
    if (made)
        return errorFrom(made.value(), "make the directory", options.stateDir);
    std::unique_ptr<HostFleet> fleet(
        new HostFleet(ring, std::move(options), listener, std::move(*runDir)));
    if (auto begun = fleet->begin(); !begun)
        return tl::make_unexpected(begun.error());
    return fleet;
}

HostFleet::HostFleet(Ring& ring, FleetOptions options, FleetListener& listener, RunDir runDir)
    : ring_(ring),
      options_(std::move(options)),
      listener_(listener),
      runDir_(std::move(runDir)),
      settings_(options_.stateDir + "/settings.json"),
      records_(ring, options_.stateDir + "/records") {}

HostFleet::~HostFleet() {
    if (ticking_)
        ring_.cancel(*ticking_);
}

Result<void> HostFleet::begin() {
    const auto identity = identityOf(options_.user);
    const auto host = runDir_.uuid();
    if (!identity)
        return tl::make_unexpected(identity.error());
    if (!host)
        return tl::make_unexpected(host.error());
    probeUblk();
    terms_ = {options_.hostd,         options_.user, *identity, *host,
              options_.writeLogBytes, !ublkTrouble_, &records_};
    settings_.load();
    for (const auto& [id, known] : std::map(settings_.gadgets))
        if (auto unit = unitFor(id); !unit)
            log::error("{}", unit.error().message());
    auto discovery = usb::Discovery::start(ring_, *this);
    if (!discovery)
        return tl::make_unexpected(discovery.error());
    discovery_ = std::move(*discovery);
    begun_ = true;
    return {};
}

void HostFleet::probeUblk() {
    auto control = ublk::Control::open();
    const auto features =
        control ? control->features() : Result<std::uint64_t>(tl::make_unexpected(control.error()));
    ublkTrouble_ = features ? std::nullopt : std::optional(features.error());
}

void HostFleet::ublkAppeared() {
    if (terms_.canAttach)
        return;
    probeUblk();
    terms_.canAttach = !ublkTrouble_;
    if (terms_.canAttach)
        for (const auto& [id, unit] : units_)
            unit->ublkAppeared();
}

// -- gadgets

std::string HostFleet::idFor(const usb::Gadget& gadget) const {
    std::string serial = plain(gadget.serial);
    if (serial.size() > kLongestSerial)
        serial = fmt::format("{}_{:08x}", serial.substr(0, kLongestSerial),
                             crc32c(std::as_bytes(std::span(gadget.serial))));
    const std::string id =
        fmt::format("{:04x}_{:04x}_{}", gadget.vendorId, gadget.productId, serial);
    const std::string atPort = id + kAtPort + plain(gadget.port);
    // One without a serial number goes by its port.
    if (gadget.serial.empty())
        return atPort;
    // Several of the same make and serial: each is the one that was last seen on its port, or else
    // one that is away.
    std::optional<std::string> oneAway;
    for (const auto& [other, unit] : units_) {
        const auto known = settings_.gadgets.find(other);
        const bool twin = (other == id || other.starts_with(id + kAtPort)) &&
                          known != settings_.gadgets.end() && known->second.serial == gadget.serial;
        if (!twin)
            continue;
        const bool here = known->second.port == gadget.port;
        if (unit->present() ? unit->present()->syspath == gadget.syspath : here)
            return other;
        if (!unit->present() && !oneAway)
            oneAway = other;
    }
    if (oneAway)
        return *oneAway;
    return unit(id) == nullptr ? id : atPort;
}

Result<GadgetUnit*> HostFleet::unitFor(const std::string& id) {
    if (GadgetUnit* known = unit(id))
        return known;
    auto runDir = RunDir::open(runDir_.file(id));
    if (!runDir)
        return tl::make_unexpected(runDir.error());
    auto made = std::make_unique<GadgetUnit>(ring_, id, std::move(*runDir), terms_, settings_,
                                             hooksFor(id));
    GadgetUnit* unit = made.get();
    units_[id] = std::move(made);
    unit->begin();
    return unit;
}

UnitHooks HostFleet::hooksFor(const std::string& id) {
    UnitHooks hooks;
    hooks.gadgetChanged = [this, id] {
        if (begun_)
            listener_.gadgetChanged(id);
    };
    hooks.deviceChanged = [this](const std::string& device) {
        if (begun_)
            listener_.deviceChanged(device);
    };
    hooks.countersChanged = [this](const std::string& device) {
        listener_.deviceCountersChanged(device);
    };
    hooks.deviceGone = [this](const std::string& device) {
        if (begun_)
            listener_.deviceGone(device);
    };
    hooks.happened = [this](const FleetEvent& event) {
        log::notice("{}: {}", event.subject, inEnglish(event.what));
        listener_.happened(event);
    };
    return hooks;
}

void HostFleet::gadgetFound(const usb::Gadget& gadget) {
    if (!gadget.isOurs(false))
        return;
    auto unit = unitFor(idFor(gadget));
    if (unit)
        (*unit)->plugged(gadget);
    else
        log::error("{}", unit.error().message());
}

void HostFleet::gadgetGone(const std::string& syspath) {
    for (auto& [id, unit] : units_)
        if (unit->present() && unit->present()->syspath == syspath)
            unit->unplugged();
}

GadgetUnit* HostFleet::unit(const std::string& gadget) const {
    const auto found = units_.find(gadget);
    return found == units_.end() ? nullptr : found->second.get();
}

GadgetUnit* HostFleet::unitOf(const std::string& device) const {
    for (const auto& [id, unit] : units_)
        if (unit->device(device, false))
            return unit.get();
    return nullptr;
}

std::vector<std::string> HostFleet::gadgets() const {
    std::vector<std::string> ids;
    for (const auto& [id, unit] : units_)
        ids.push_back(id);
    return ids;
}

std::vector<std::string> HostFleet::devices() const {
    std::vector<std::string> ids;
    for (const auto& [id, unit] : units_)
        std::ranges::move(unit->devices(), std::back_inserter(ids));
    return ids;
}

std::optional<GadgetView> HostFleet::gadget(const std::string& id) const {
    const GadgetUnit* found = unit(id);
    return found == nullptr ? std::nullopt : std::optional(found->view());
}

std::optional<DeviceView> HostFleet::device(const std::string& id, bool withHolders) const {
    for (const auto& [gadget, unit] : units_)
        if (auto view = unit->device(id, withHolders))
            return view;
    return std::nullopt;
}

// -- the user

void HostFleet::attach(const std::string& gadget, const std::string& share, DeviceDone done) {
    if (GadgetUnit* found = unit(gadget); found == nullptr)
        done(tl::make_unexpected(noSuchGadget(gadget)));
    else if (ublkTrouble_)
        done(tl::make_unexpected(*ublkTrouble_));
    else
        found->attach(share, std::move(done));
}

void HostFleet::lend(const std::string& gadget, Fd file, const std::string& name,
                     const LendTerms& terms, DeviceDone done) {
    if (GadgetUnit* found = unit(gadget))
        found->lend(std::move(file), name, terms, false, false, std::move(done));
    else
        done(tl::make_unexpected(noSuchGadget(gadget)));
}

void HostFleet::lendPath(const std::string& gadget, const std::string& path, const LendTerms& terms,
                         DeviceDone done) {
    if (GadgetUnit* found = unit(gadget))
        found->lend({}, path, terms, true, false, std::move(done));
    else
        done(tl::make_unexpected(noSuchGadget(gadget)));
}

Result<void> HostFleet::setAutoAttach(const std::string& gadget, bool on) {
    GadgetUnit* found = unit(gadget);
    if (found == nullptr)
        return tl::make_unexpected(noSuchGadget(gadget));
    found->setAutoAttach(on);
    return {};
}

Result<void> HostFleet::forget(const std::string& gadget) {
    const GadgetUnit* found = unit(gadget);
    if (found == nullptr)
        return tl::make_unexpected(noSuchGadget(gadget));
    if (found->present())
        return errorFrom(EBUSY, "forget", gadget, "Unplug it first");
    if (!found->empty())
        return errorFrom(EBUSY, "forget", gadget,
                         found->devices().empty()
                             ? "A file that was lent to it has not answered yet: try again later"
                             : "Stop its devices first");
    ring_.destroyLater(std::move(units_.extract(gadget).mapped()));
    settings_.gadgets.erase(gadget);
    settings_.save();
    listener_.gadgetGone(gadget);
    return {};
}

void HostFleet::recover(const std::string& device, bool acceptLoss, Done done) {
    if (GadgetUnit* found = unitOf(device))
        found->recover(device, acceptLoss, std::move(done));
    else
        done(tl::make_unexpected(noSuchDevice(device)));
}

void HostFleet::stop(const std::string& device, bool force, Done done) {
    if (GadgetUnit* found = unitOf(device))
        found->stop(device, force, std::move(done));
    else
        done(tl::make_unexpected(noSuchDevice(device)));
}

Result<void> HostFleet::setPolicy(const std::string& device, lifecycle::Policy policy) {
    GadgetUnit* found = unitOf(device);
    return found == nullptr ? tl::make_unexpected(noSuchDevice(device))
                            : found->setPolicy(device, policy);
}

void HostFleet::rescan(const std::string& device, Done done) {
    if (GadgetUnit* found = unitOf(device))
        found->rescan(device, std::move(done));
    else
        done(tl::make_unexpected(noSuchDevice(device)));
}

void HostFleet::requests(const std::string& device, RequestsDone done) {
    if (GadgetUnit* found = unitOf(device))
        found->requests(device, std::move(done));
    else
        done(tl::make_unexpected(noSuchDevice(device)));
}

void HostFleet::watchCounters(bool on) {
    if (on && !ticking_)
        tick();
    else if (!on && ticking_)
        ring_.cancel(*std::exchange(ticking_, std::nullopt));
}

void HostFleet::tick() {
    for (const auto& [id, unit] : units_)
        unit->askCounters();
    ticking_ = ring_.callAfter(kCounterPeriod, [this] { tick(); });
}

void HostFleet::systemShutsDown(bool on) {
    for (const auto& [id, unit] : units_)
        unit->setShutdown(on);
}

void HostFleet::systemSleeps(bool on) {
    for (const auto& [id, unit] : units_)
        unit->setSleep(on);
}

}  // namespace belay::helper
