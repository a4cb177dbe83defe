#include "helper/service/object_manager.h"

#include "core/base/log.h"
#include "helper/service/exported_object.h"

namespace belay::service {

ObjectManager::ObjectManager(QObject* root, const QDBusConnection& bus, Asked asked)
    : QDBusAbstractAdaptor(root), bus_(bus), asked_(std::move(asked)) {}

void ObjectManager::add(ExportedObject* object) {
    if (!object->appear()) {
        log::error("cannot put {} on the bus", object->path().toStdString());
        return;
    }
    objects_.emplace(object->path(), object);
    tell("InterfacesAdded",
         {QVariant::fromValue(object->objectPath()), QVariant::fromValue(object->interfaces())});
}

void ObjectManager::remove(ExportedObject* object) {
    if (objects_.erase(object->path()) == 0)
        return;
    tell("InterfacesRemoved",
         {QVariant::fromValue(object->objectPath()), QStringList(object->interfaces().keys())});
}

bus::ManagedObjects ObjectManager::GetManagedObjects(const QDBusMessage& message) {
    asked_(message.service());
    bus::ManagedObjects all;
    for (const auto& [path, object] : objects_)
        all.insert(object->objectPath(), object->interfaces());
    return all;
}

void ObjectManager::tell(const char* signal, const QVariantList& arguments) {
    auto message = QDBusMessage::createSignal(QLatin1String(bus::kRootPath),
                                              QStringLiteral("org.freedesktop.DBus.ObjectManager"),
                                              QLatin1String(signal));
    message.setArguments(arguments);
    bus_.send(message);
}

}  // namespace belay::service
