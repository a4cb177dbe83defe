#pragma once

#include "helper/service/exported_object.h"

#include <QtDBus/QDBusUnixFileDescriptor>
#include <functional>

namespace belay::service {

class BusService;

// org.belay.Gadget1: what is said of one gadget of the fleet, and told to it.
//
// Each method: parse, validate, no-op, ask, act, log, reply.
class GadgetObject : public ExportedObject {
 public:
    GadgetObject(BusService& service, const QDBusConnection& bus, const std::string& id);

    // Reads it from the fleet; `tell` as in publish().
    void refresh(bool tell = true);
    bool present() const { return property("Present").toBool(); }

    void aboutToBeRead(const QString& caller, bool all) override;

    QDBusObjectPath Attach(const QString& share, const QVariantMap& options);
    QDBusObjectPath Lend(const QDBusUnixFileDescriptor& file, const QVariantMap& options);
    QDBusObjectPath LendPath(const QString& path, const QVariantMap& options);
    void SetAuto(bool on, const QVariantMap& options);
    void Forget(const QVariantMap& options);

 private:
    // Asks about this gadget; `thing` is what is to be attached or lent. Fails the call if the
    // gadget is gone by now.
    void ask(const Call& call, const char* action, const QString& thing,
             std::function<void(uint uid)> act);

    BusService& service_;
    const std::string id_;
};

}  // namespace belay::service
