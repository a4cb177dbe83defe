#pragma once

#include "dbus/types.h"
#include "helper/service/call.h"

#include <QtCore/QObject>
#include <QtCore/QVariantMap>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusContext>

namespace belay::service {

// An object on the bus with one interface of ours.
//
// - The subclass makes the adaptor that the XML gives; the adaptor calls the subclass's methods
//   and reads the properties that publish() was given.
// - org.freedesktop.DBus.Properties is answered here and not by QtDBus, which sends no
//   PropertiesChanged and does not tell who reads.
class ExportedObject : public QObject, protected QDBusContext {
    Q_OBJECT

 public:
    ExportedObject(const QDBusConnection& bus, const QString& path, const char* interface);
    ~ExportedObject() override;

    const QString& path() const { return path_; }
    QDBusObjectPath objectPath() const { return QDBusObjectPath(path_); }

    // Puts it on the bus; false if the path is taken. The adaptor must exist.
    bool appear();

    // Takes new values of properties. With `tell` the bus hears of those that differ, in one
    // PropertiesChanged.
    void publish(const QVariantMap& values, bool tell = true);

    // All properties as they go over the bus, by interface.
    bus::Interfaces interfaces() const;

    // Called before somebody reads properties: `all` if it was GetAll, with which a caller begins
    // to watch.
    virtual void aboutToBeRead(const QString& caller, bool all);

 protected:
    // The call that is being handled, to be answered later. Once per call, from its method.
    Call takeCall();
    const QDBusConnection& bus() const { return bus_; }

 private:
    friend class PropertiesAdaptor;
    const QObject* adaptor() const;
    // Invalid if there is no such property.
    QVariant valueOf(const QString& name) const;

    QDBusConnection bus_;
    const QString path_;
    const QString interface_;
};

}  // namespace belay::service
