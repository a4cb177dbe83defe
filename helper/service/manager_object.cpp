#include "helper/service/manager_object.h"

#include "helper/service/bus_service.h"
#include "helper/service/manager1_adaptor.h"
#include "helper/service/options.h"

#include <sys/utsname.h>

namespace belay::service {

ManagerObject::ManagerObject(BusService& service, const QDBusConnection& bus)
    : ExportedObject(bus, QLatin1String(bus::kRootPath), bus::kManagerInterface),
      service_(service) {
    new Manager1Adaptor(this);
    utsname kernel{};
    ::uname(&kernel);
    publish(
        {
            {"Version", QStringLiteral(BELAY_VERSION)},
            {"KernelRelease", QString::fromLocal8Bit(kernel.release)},
            {"UblkFeatures", qulonglong{0}},
            {"Ready", false},
            {"Problems", QStringList()},
            {"Explanation", QString()},
        },
        false);
}

void ManagerObject::aboutToBeRead(const QString& caller, bool all) {
    if (all)
        service_.watchedBy(caller);
}

void ManagerObject::tell(const bus::Event& event) {
    auto signal = QDBusMessage::createSignal(path(), QLatin1String(bus::kManagerInterface),
                                             QStringLiteral("Event"));
    signal << event.time << event.kind << QVariant::fromValue(event.subject) << event.text
           << event.details;
    bus().send(signal);
}

QList<bus::Event> ManagerObject::ListEvents(qulonglong since, uint max, const QVariantMap& values) {
    Call call = takeCall();
    if (Options::parse(values, call))
        call.reply({QVariant::fromValue(service_.events().list(since, max))});
    return {};
}

}  // namespace belay::service
