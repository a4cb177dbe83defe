#include "helper/service/bus_service.h"

#include "core/base/log.h"
#include "helper/service/views.h"
#include "helper/supervisor/event_text.h"

#include <QtCore/QDateTime>
#include <algorithm>
#include <chrono>

namespace belay::service {
namespace {

constexpr std::chrono::milliseconds kCountersPause{500};
// Holders come and go without the fleet's knowing.
constexpr std::chrono::seconds kHoldersPeriod{2};

}  // namespace

BusService::BusService(const QDBusConnection& bus)
    : bus_(bus),
      authority_(bus),
      manager_(*this, bus),
      objects_(new ObjectManager(&manager_, bus,
                                 [this](const QString& caller) {
                                     refreshAll();
                                     watchedBy(caller);
                                 })),
      watchers_(bus, [this](bool any) { watched(any); }),
      jobs_(bus, *objects_, authority_) {
    countersPause_.setSingleShot(true);
    countersPause_.setInterval(kCountersPause);
    QObject::connect(&countersPause_, &QTimer::timeout, [this] { tellCounters(); });
    holdersTimer_.setInterval(kHoldersPeriod);
    QObject::connect(&holdersTimer_, &QTimer::timeout, [this] {
        for (const auto& [id, device] : devices_)
            device->refresh(true);
    });
}

BusService::~BusService() {
    hide();
}

void BusService::hide() {
    fleet_ = nullptr;
    newCounters_.clear();
    for (const auto& [id, device] : devices_)
        objects_->remove(device.get());
    devices_.clear();
    for (const auto& [id, gadget] : gadgets_)
        objects_->remove(gadget.get());
    gadgets_.clear();
}

bool BusService::appear() {
    return manager_.appear();
}

void BusService::show(helper::FleetInterface& fleet) {
    fleet_ = &fleet;
    for (const auto& id : fleet.gadgets())
        gadgetChanged(id);
    for (const auto& id : fleet.devices())
        deviceChanged(id);
    fleet.watchCounters(watchers_.any());
}

void BusService::setSystem(const SystemState& system) {
    manager_.publish({
        {"UblkFeatures", qulonglong{system.ublkFeatures}},
        {"Ready", system.problems.isEmpty()},
        {"Problems", system.problems},
        {"Explanation", system.explanations.join(QLatin1Char('\n'))},
    });
}

bool BusService::idle() const {
    return !watchers_.any() && authority_.pending() == 0 && !jobs_.anyRunning() &&
           devices_.empty() &&
           std::none_of(gadgets_.begin(), gadgets_.end(),
                        [](const auto& gadget) { return gadget.second->present(); });
}

std::optional<std::string> BusService::attachedDevice(const std::string& gadget,
                                                      const Uuid& share) const {
    for (const auto& [id, object] : devices_) {
        const auto view = fleet_->device(id, false);
        if (view && view->gadget == gadget && view->exportUuid == share &&
            view->direction == helper::Direction::Attach &&
            view->state != lifecycle::State::Starting &&
            view->state != lifecycle::State::Stopping && view->state != lifecycle::State::Gone)
            return id;
    }
    return std::nullopt;
}

void BusService::gadgetChanged(const std::string& id) {
    if (fleet_ == nullptr || !fleet_->gadget(id))
        return;
    auto& gadget = gadgets_[id];
    if (gadget) {
        gadget->refresh();
        return;
    }
    gadget = std::make_unique<GadgetObject>(*this, bus_, id);
    gadget->refresh(false);
    objects_->add(gadget.get());
}

void BusService::gadgetGone(const std::string& id) {
    if (const auto found = gadgets_.find(id); found != gadgets_.end()) {
        objects_->remove(found->second.get());
        gadgets_.erase(found);
    }
}

void BusService::deviceChanged(const std::string& id) {
    if (fleet_ == nullptr || !fleet_->device(id, false))
        return;
    auto& device = devices_[id];
    if (device) {
        device->refresh(watchers_.any());
        return;
    }
    device = std::make_unique<DeviceObject>(*this, bus_, id);
    device->publish(propertiesOf(helper::DeviceCounters{}), false);
    device->refresh(true, false);
    objects_->add(device.get());
}

void BusService::deviceCountersChanged(const std::string& id) {
    if (!watchers_.any())
        return;
    newCounters_.insert(id);
    if (!countersPause_.isActive())
        tellCounters();
}

void BusService::deviceGone(const std::string& id) {
    newCounters_.erase(id);
    if (const auto found = devices_.find(id); found != devices_.end()) {
        objects_->remove(found->second.get());
        devices_.erase(found);
    }
}

void BusService::happened(const helper::FleetEvent& event) {
    const bus::Event told = eventOf(event);
    events_.add(told);
    manager_.tell(told);
}

void BusService::askedOfGadget(uint uid, const std::string& id, events::Asked what) {
    asked(uid, id, false, std::move(what));
}

void BusService::askedOfDevice(uint uid, const std::string& id, events::Asked what) {
    asked(uid, id, true, std::move(what));
}

void BusService::asked(uint uid, const std::string& id, bool isDevice, events::Asked what) {
    what.user = std::to_string(uid);
    const helper::FleetEvent event{
        .atUs = static_cast<std::uint64_t>(QDateTime::currentMSecsSinceEpoch()) * 1000,
        .what = std::move(what),
        .subject = id,
        .subjectIsDevice = isDevice};
    log::notice("{}: {}", id, helper::inEnglish(event.what));
    happened(event);
}

void BusService::refreshAll() {
    for (const auto& [id, device] : devices_)
        device->aboutToBeRead({}, false);
}

void BusService::tellCounters() {
    const auto changed = std::exchange(newCounters_, {});
    for (const auto& id : changed) {
        if (const auto found = devices_.find(id); found != devices_.end())
            found->second->refreshCounters();
    }
    if (!changed.empty())
        countersPause_.start();
}

void BusService::watched(bool any) {
    if (any)
        holdersTimer_.start();
    else
        holdersTimer_.stop();
    if (fleet_ != nullptr)
        fleet_->watchCounters(any);
}

}  // namespace belay::service
