#pragma once

#include "dbus/types.h"

#include <QtCore/QVariantMap>

namespace belay::helper {
struct DeviceCounters;
struct DeviceView;
struct FleetEvent;
struct GadgetView;
struct RequestView;
}  // namespace belay::helper

namespace belay::service {

// What the fleet says, in the words of the bus interfaces.

QString gadgetPath(const std::string& id);
QString devicePath(const std::string& id);

QVariantMap propertiesOf(const helper::GadgetView& gadget);
// All but the counters; Holders only if they were looked up.
QVariantMap propertiesOf(const helper::DeviceView& device, bool withHolders);
QVariantMap propertiesOf(const helper::DeviceCounters& counters);
bus::Request requestOf(const helper::RequestView& request);
bus::Event eventOf(const helper::FleetEvent& event);

// What a password dialog calls them: "disk (/dev/ublkb0)".
QString titleOf(const helper::GadgetView& gadget);
QString titleOf(const helper::DeviceView& device);

}  // namespace belay::service
