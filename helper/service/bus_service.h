#pragma once

#include "core/base/uuid.h"
#include "helper/service/authority.h"
#include "helper/service/device_object.h"
#include "helper/service/event_log.h"
#include "helper/service/gadget_object.h"
#include "helper/service/job_table.h"
#include "helper/service/manager_object.h"
#include "helper/service/object_manager.h"
#include "helper/service/watchers.h"
#include "helper/supervisor/fleet.h"

#include <QtCore/QTimer>
#include <QtDBus/QDBusConnection>
#include <map>
#include <memory>
#include <set>

namespace belay::service {

// What keeps block devices from being made here.
struct SystemState {
    std::uint64_t ublkFeatures = 0;
    QStringList problems;  // as Manager1.Problems
    QStringList explanations;
};

// The fleet on the bus: an object for each gadget, device and job, kept as the fleet says.
//
// - Lives on the ring's thread, as the fleet does.
// - The fleet is given later, because it wants a listener first; without one there are no
//   gadgets and devices, and the manager says why.
class BusService final : public helper::FleetListener {
 public:
    explicit BusService(const QDBusConnection& bus);
    ~BusService() override;
    BusService(const BusService&) = delete;
    BusService& operator=(const BusService&) = delete;

    // Puts the root object on the bus; to be done before the service's name is asked for.
    bool appear();
    // Before the fleet goes, which must be before this object does: hide().
    void show(helper::FleetInterface& fleet);
    // Takes everything off the bus that is the fleet's.
    void hide();
    void setSystem(const SystemState& system);

    // Nobody watches or waits for an answer, nothing is plugged in, and there is no device.
    bool idle() const;

    // For the objects.
    helper::FleetInterface* fleet() { return fleet_; }
    Authority& authority() { return authority_; }
    JobTable& jobs() { return jobs_; }
    const EventLog& events() const { return events_; }
    void watchedBy(const QString& client) { watchers_.add(client); }
    // The device made of that share; nothing if there is none, or if it is just being made or taken
    // away.
    std::optional<std::string> attachedDevice(const std::string& gadget, const Uuid& share) const;

    void gadgetChanged(const std::string& id) override;
    void gadgetGone(const std::string& id) override;
    void deviceChanged(const std::string& id) override;
    void deviceCountersChanged(const std::string& id) override;
    void deviceGone(const std::string& id) override;
    void happened(const helper::FleetEvent& event) override;
    // A user was allowed to do something with that gadget or device, and does it now.
    void askedOfGadget(uint uid, const std::string& id, events::Asked what);
    void askedOfDevice(uint uid, const std::string& id, events::Asked what);

 private:
    void asked(uint uid, const std::string& id, bool isDevice, events::Asked what);
    void refreshAll();
    void tellCounters();
    void watched(bool any);

    QDBusConnection bus_;
    Authority authority_;
    ManagerObject manager_;
    ObjectManager* objects_;  // a child of manager_
    Watchers watchers_;
    JobTable jobs_;
    EventLog events_;
    helper::FleetInterface* fleet_ = nullptr;
    std::map<std::string, std::unique_ptr<GadgetObject>> gadgets_;
    std::map<std::string, std::unique_ptr<DeviceObject>> devices_;
    std::set<std::string> newCounters_;
    QTimer countersPause_;
    QTimer holdersTimer_;
};

}  // namespace belay::service
