#pragma once

#include "dbus/events.h"

#include <QtCore/QList>
#include <QtCore/QString>
#include <QtCore/QVariantMap>
#include <QtDBus/QDBusArgument>
#include <QtDBus/QDBusObjectPath>

// The structures of Belay's bus interfaces, as the XML files beside this one describe them.
namespace belay::bus {

// Names that both ends need.
inline constexpr auto kService = "org.belay.Helper1";
inline constexpr auto kRootPath = "/org/belay/Helper1";
inline constexpr auto kManagerInterface = "org.belay.Manager1";
inline constexpr auto kGadgetInterface = "org.belay.Gadget1";
inline constexpr auto kDeviceInterface = "org.belay.Device1";
inline constexpr auto kJobInterface = "org.belay.Job1";

// An element of Gadget1.Shares.
struct Share {
    QString label;
    QString uuid;
    qulonglong size = 0;
    uint blockSize = 0;
    bool readOnly = false;
    bool attached = false;
    bool operator==(const Share&) const = default;
};

// An element of Device1.Holders.
struct Holder {
    QString kind;
    QString name;
    bool operator==(const Holder&) const = default;
};

// An element of Device1.ListInFlight's answer.
struct Request {
    qulonglong sequence = 0;
    QString op;
    qulonglong offset = 0;
    uint length = 0;
    QString state;
    uint ageMs = 0;
    bool operator==(const Request&) const = default;
};

// An element of Manager1.ListEvents' answer.
struct Event {
    qulonglong time = 0;
    QString kind;
    QDBusObjectPath subject;
    QString text;
    QVariantMap details;
    bool operator==(const Event&) const = default;
};

// An event's kind and details as they are sent, and back; nothing for a kind that is not known
// here.
QString kindOf(const events::Any& what);
QVariantMap detailsOf(const events::Any& what);
std::optional<events::Any> whatOf(const Event& event);

// ObjectManager.GetManagedObjects' answer: interfaces and their properties, by path.
using Interfaces = QMap<QString, QVariantMap>;
using ManagedObjects = QMap<QDBusObjectPath, Interfaces>;

QDBusArgument& operator<<(QDBusArgument& argument, const Share& share);
const QDBusArgument& operator>>(const QDBusArgument& argument, Share& share);
QDBusArgument& operator<<(QDBusArgument& argument, const Holder& holder);
const QDBusArgument& operator>>(const QDBusArgument& argument, Holder& holder);
QDBusArgument& operator<<(QDBusArgument& argument, const Request& request);
const QDBusArgument& operator>>(const QDBusArgument& argument, Request& request);
QDBusArgument& operator<<(QDBusArgument& argument, const Event& event);
const QDBusArgument& operator>>(const QDBusArgument& argument, Event& event);

// Tells QtDBus about all of these. Call it once, before the bus is used.
void registerTypes();

}  // namespace belay::bus

Q_DECLARE_METATYPE(belay::bus::Share)
Q_DECLARE_METATYPE(belay::bus::Holder)
Q_DECLARE_METATYPE(belay::bus::Request)
Q_DECLARE_METATYPE(belay::bus::Event)
Q_DECLARE_METATYPE(belay::bus::Interfaces)
Q_DECLARE_METATYPE(belay::bus::ManagedObjects)
