#pragma once

#include "dbus/types.h"

#include <QtDBus/QDBusAbstractAdaptor>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusMessage>
#include <functional>
#include <map>

namespace belay::service {

class ExportedObject;

// org.freedesktop.DBus.ObjectManager of the root object: which objects there are.
class ObjectManager : public QDBusAbstractAdaptor {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.DBus.ObjectManager")
    // clang-format off
    Q_CLASSINFO("D-Bus Introspection",
                "  <interface name=\"org.freedesktop.DBus.ObjectManager\">\n"
                "    <method name=\"GetManagedObjects\">\n"
                "      <arg name=\"objects\" type=\"a{oa{sa{sv}}}\" direction=\"out\"/>\n"
                "      <annotation name=\"org.qtproject.QtDBus.QtTypeName.Out0\" value=\"belay::bus::ManagedObjects\"/>\n"
                "    </method>\n"
                "    <signal name=\"InterfacesAdded\">\n"
                "      <arg name=\"object\" type=\"o\"/>\n"
                "      <arg name=\"interfaces\" type=\"a{sa{sv}}\"/>\n"
                "      <annotation name=\"org.qtproject.QtDBus.QtTypeName.Out1\" value=\"belay::bus::Interfaces\"/>\n"
                "    </signal>\n"
                "    <signal name=\"InterfacesRemoved\">\n"
                "      <arg name=\"object\" type=\"o\"/>\n"
                "      <arg name=\"interfaces\" type=\"as\"/>\n"
                "    </signal>\n"
                "  </interface>\n")
    // clang-format on

 public:
    // Called with the caller's name when somebody has asked for everything, before the answer.
    using Asked = std::function<void(const QString& caller)>;

    ObjectManager(QObject* root, const QDBusConnection& bus, Asked asked);

    // Puts the object on the bus and tells so. The object must be remove()d before it goes.
    void add(ExportedObject* object);
    void remove(ExportedObject* object);

 public slots:
    belay::bus::ManagedObjects GetManagedObjects(const QDBusMessage& message);

 private:
    void tell(const char* signal, const QVariantList& arguments);

    QDBusConnection bus_;
    Asked asked_;
    std::map<QString, ExportedObject*> objects_;
};

}  // namespace belay::service
