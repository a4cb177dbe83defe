#pragma once

#include <QtCore/QVariantMap>
#include <QtDBus/QDBusAbstractAdaptor>
#include <QtDBus/QDBusMessage>
#include <QtDBus/QDBusVariant>

namespace belay::service {

class ExportedObject;

// org.freedesktop.DBus.Properties of an ExportedObject. QtDBus asks adaptors before it answers
// this interface itself.
class PropertiesAdaptor : public QDBusAbstractAdaptor {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.DBus.Properties")
    // QtDBus describes this interface for every object already.
    Q_CLASSINFO("D-Bus Introspection", " ")

 public:
    explicit PropertiesAdaptor(ExportedObject* object);

 public slots:
    QDBusVariant Get(const QString& interface, const QString& name, const QDBusMessage& message);
    QVariantMap GetAll(const QString& interface, const QDBusMessage& message);
    void Set(const QString& interface, const QString& name, const QDBusVariant& value,
             const QDBusMessage& message);

 private:
    // False, and the call is answered with an error, for an interface the object does not have.
    bool knows(const QString& interface, const QDBusMessage& message) const;
    void fail(const QDBusMessage& message, const char* kind, const QString& text) const;

    ExportedObject* object_;
};

}  // namespace belay::service
