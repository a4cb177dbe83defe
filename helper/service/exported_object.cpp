#include "helper/service/exported_object.h"

#include "helper/service/properties_adaptor.h"

#include <QtCore/QMetaClassInfo>
#include <QtCore/QMetaProperty>

namespace belay::service {

ExportedObject::ExportedObject(const QDBusConnection& bus, const QString& path,
                               const char* interface)
    : bus_(bus), path_(path), interface_(QLatin1String(interface)) {
    new PropertiesAdaptor(this);
}

ExportedObject::~ExportedObject() {
    bus_.unregisterObject(path_);
}

bool ExportedObject::appear() {
    return bus_.registerObject(path_, this, QDBusConnection::ExportAdaptors);
}

void ExportedObject::publish(const QVariantMap& values, bool tell) {
    QVariantMap changed;
    for (auto value = values.begin(); value != values.end(); ++value) {
        const QByteArray name = value.key().toLatin1();
        if (property(name.constData()) == *value)
            continue;
        setProperty(name.constData(), *value);
        if (tell)
            changed.insert(value.key(), valueOf(value.key()));
    }
    if (changed.isEmpty())
        return;
    auto signal =
        QDBusMessage::createSignal(path_, QStringLiteral("org.freedesktop.DBus.Properties"),
                                   QStringLiteral("PropertiesChanged"));
    signal << interface_ << changed << QStringList();
    bus_.send(signal);
}

bus::Interfaces ExportedObject::interfaces() const {
    QVariantMap values;
    const QMetaObject* const type = adaptor()->metaObject();
    for (int i = type->propertyOffset(); i < type->propertyCount(); ++i)
        values.insert(QLatin1String(type->property(i).name()), type->property(i).read(adaptor()));
    return {{interface_, values}};
}

void ExportedObject::aboutToBeRead(const QString&, bool) {}

Call ExportedObject::takeCall() {
    return Call(connection(), message());
}

const QObject* ExportedObject::adaptor() const {
    for (const QObject* child : children()) {
        const QMetaObject* const type = child->metaObject();
        const int info = type->indexOfClassInfo("D-Bus Interface");
        if (info >= 0 && interface_ == QLatin1String(type->classInfo(info).value()))
            return child;
    }
    qFatal("no adaptor for %s", qPrintable(interface_));
}

QVariant ExportedObject::valueOf(const QString& name) const {
    const QMetaObject* const type = adaptor()->metaObject();
    const int index = type->indexOfProperty(name.toLatin1().constData());
    return index < type->propertyOffset() ? QVariant() : type->property(index).read(adaptor());
}

}  // namespace belay::service
