#pragma once

#include "helper/service/exported_object.h"

#include <QtCore/QElapsedTimer>
#include <functional>

namespace belay::helper {
struct DeviceView;
}

namespace belay::service {

class BusService;
struct JobSubject;

// org.belay.Device1: what is said of one device of the fleet, and told to it.
//
// Each method: parse, validate, no-op, ask, act, log, reply.
class DeviceObject : public ExportedObject {
 public:
    DeviceObject(BusService& service, const QDBusConnection& bus, const std::string& id);

    // Reads it from the fleet; `tell` as in publish().
    void refresh(bool withHolders, bool tell = true);
    void refreshCounters();

    void aboutToBeRead(const QString& caller, bool all) override;

    QDBusObjectPath Recover(const QVariantMap& options);
    QDBusObjectPath Stop(const QVariantMap& options);
    void SetPolicy(const QString& policy, uint seconds, const QVariantMap& options);
    void Rescan(const QVariantMap& options);
    QList<bus::Request> ListInFlight(const QVariantMap& options);

 private:
    // Asks for the subject's action, makes a job and begins what it does with `begin`, which is
    // given the job's number. `asked`: what is told of it, one of events::Asked::kActions.
    void startJob(const Call& call, JobSubject subject, std::string_view asked,
                  std::function<void(std::uint64_t job)> begin);

    BusService& service_;
    const std::string id_;
    // Since the holders were looked up for a reader.
    QElapsedTimer holdersAge_;
};

}  // namespace belay::service
