#include "helper/service/properties_adaptor.h"

#include "helper/service/exported_object.h"

namespace belay::service {

PropertiesAdaptor::PropertiesAdaptor(ExportedObject* object)
    : QDBusAbstractAdaptor(object), object_(object) {}

void PropertiesAdaptor::fail(const QDBusMessage& message, const char* kind,
                             const QString& text) const {
    message.setDelayedReply(true);
    object_->bus().send(message.createErrorReply(
        QStringLiteral("org.freedesktop.DBus.Error.") + QLatin1String(kind), text));
}

bool PropertiesAdaptor::knows(const QString& interface, const QDBusMessage& message) const {
    if (interface.isEmpty() || interface == object_->interface_ ||
        interface.startsWith(QLatin1String("org.freedesktop.DBus.")))
        return true;
    fail(message, "UnknownInterface",
         QStringLiteral("There is no interface \"%1\" here").arg(interface));
    return false;
}

QDBusVariant PropertiesAdaptor::Get(const QString& interface, const QString& name,
                                    const QDBusMessage& message) {
    // An answer that setDelayedReply() keeps from being sent still has to be one QtDBus can build.
    const QDBusVariant none{QVariant{QString{}}};
    if (!knows(interface, message))
        return none;
    object_->aboutToBeRead(message.service(), false);
    const QVariant value = object_->valueOf(name);
    if (!value.isValid() || (interface != object_->interface_ && !interface.isEmpty())) {
        fail(message, "UnknownProperty",
             QStringLiteral("There is no property \"%1\" here").arg(name));
        return none;
    }
    return QDBusVariant(value);
}

QVariantMap PropertiesAdaptor::GetAll(const QString& interface, const QDBusMessage& message) {
    if (!knows(interface, message))
        return {};
    if (!interface.isEmpty() && interface != object_->interface_)
        return {};
    object_->aboutToBeRead(message.service(), true);
    return object_->interfaces().value(object_->interface_);
}

void PropertiesAdaptor::Set(const QString& interface, const QString& name, const QDBusVariant&,
                            const QDBusMessage& message) {
    if (!knows(interface, message))
        return;
    if (!object_->valueOf(name).isValid())
        fail(message, "UnknownProperty",
             QStringLiteral("There is no property \"%1\" here").arg(name));
    else
        fail(message, "PropertyReadOnly",
             QStringLiteral("%1 can only be changed by a method").arg(name));
}

}  // namespace belay::service
