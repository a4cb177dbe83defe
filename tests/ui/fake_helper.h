#pragma once

#include "dbus/types.h"
#include "helper/service/bus_service.h"
#include "tests/bus/scripted_fleet.h"
#include "tests/patience.h"

#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusVirtualObject>
#include <functional>
#include <memory>

// What tests of the window and the tray have in place of a system with gadgets. They run on a bus
// of their own (tests/ui/private-session), which stands for the session bus and the system bus.
namespace belay::test {

// polkit, as far as belayd asks it: one answer to everything.
class FakePolkit : public QDBusVirtualObject {
 public:
    enum class Answer { Yes, No, Dismissed };
    Answer answer = Answer::Yes;
    // The actions that were asked for, e.g. "org.belay.stop".
    QStringList asked;
    // Answers nothing at all, but is on the bus. What it was called for then.
    bool hangs = false;
    QStringList unanswered;

    QString introspect(const QString&) const override { return {}; }
    bool handleMessage(const QDBusMessage& message, const QDBusConnection& connection) override;
};

// belayd on the test's bus: its real bus layer over a fleet that the test writes. All of it runs
// in the test's own event loop, so nothing may wait for it without turning that.
//
//     FakeHelper helper;                       // the gadget g1 and its live device d1 (fill())
//     helper.appear();                         // belayd starts
//     ui::Service service(helper.client());
//     service.start();
//     QTRY_COMPARE(service.devices().size(), 1);
//     helper.change("d1", [](auto& device) { device.state = lifecycle::State::Waiting; });
//     QTRY_COMPARE(service.device(helper.devicePath("d1"))->state, "waiting");
//     ... press Recover ...
//     QTRY_COMPARE(helper.fleet.recovers.size(), 1);
//     helper.fleet.recovers[0].done({});       // or an error, as errorFrom(EBUSY, ...)
//     helper.vanish();                         // belayd is gone from the bus, as if killed
class FakeHelper {
 public:
    FakeHelper();
    ~FakeHelper();
    FakeHelper(const FakeHelper&) = delete;
    FakeHelper& operator=(const FakeHelper&) = delete;

    // What there is, and what was asked of it. Changes while it is on the bus go through the
    // functions below, which tell the bus. Times are by ui::Clock.
    ScriptedFleet fleet;
    FakePolkit polkit;

    bool appear();
    void vanish();

    // A client's connection to the bus, for ui::Service.
    QDBusConnection client() const { return client_; }

    // Changes the device or gadget; makes it, if there is none of that id. Counters are told apart
    // from all else, and twice a second at most.
    void change(const std::string& device, const std::function<void(helper::DeviceView&)>& edit);
    void changeCounters(const std::string& device,
                        const std::function<void(helper::DeviceCounters&)>& edit);
    void changeGadget(const std::string& gadget,
                      const std::function<void(helper::GadgetView&)>& edit);
    void setState(const std::string& device, lifecycle::State state);
    void remove(const std::string& device);
    void removeGadget(const std::string& gadget);
    void tell(const helper::FleetEvent& event) { service_->happened(event); }
    void setSystem(const service::SystemState& system) { service_->setSystem(system); }

    static QString devicePath(const QString& id);
    static QString gadgetPath(const QString& id);

 private:
    QDBusConnection client_;
    QDBusConnection polkitBus_;
    QDBusConnection bus_{QString()};
    std::unique_ptr<service::BusService> service_;
};

// A new connection to the test's bus, with a unique name of its own.
QDBusConnection connectToTestBus();
// Turns the event loop until all that has been said on the test's bus has been heard, and what was
// said in answer to that, and to that again: after it nothing comes any more but what waits for a
// time to pass.
void settleBus();

}  // namespace belay::test
