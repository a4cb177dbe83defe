#pragma once

#include "helper/service/exported_object.h"

namespace belay::service {

class BusService;

// org.belay.Manager1: belayd itself.
class ManagerObject : public ExportedObject {
 public:
    ManagerObject(BusService& service, const QDBusConnection& bus);

    void aboutToBeRead(const QString& caller, bool all) override;
    void tell(const bus::Event& event);

    QList<bus::Event> ListEvents(qulonglong since, uint max, const QVariantMap& options);

 private:
    BusService& service_;
};

}  // namespace belay::service
