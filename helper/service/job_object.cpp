#include "helper/service/job_object.h"

#include "helper/service/job1_adaptor.h"
#include "helper/service/job_table.h"
#include "helper/service/options.h"
#include "helper/service/views.h"

namespace belay::service {

JobObject::JobObject(JobTable& table, const QDBusConnection& bus, std::uint64_t number,
                     const JobSubject& subject)
    : ExportedObject(bus,
                     QStringLiteral("%1/jobs/%2").arg(QLatin1String(bus::kRootPath)).arg(number),
                     bus::kJobInterface),
      table_(table),
      number_(number),
      subject_(subject) {
    new Job1Adaptor(this);
    publish(
        {
            {"Operation", subject.operation},
            {"Objects", QVariant::fromValue(
                            QList<QDBusObjectPath>{QDBusObjectPath(devicePath(subject.device))})},
            {"Progress", -1.0},
            {"Phase", QString()},
            {"StartedByUid", subject.startedByUid},
            {"Cancelable", subject.cancelable},
            {"State", QStringLiteral("running")},
            {"Error", QString()},
            {"ErrorMessage", QString()},
        },
        false);
}

void JobObject::setPhase(const QString& deviceState) {
    if (running_)
        publish({{"Phase", deviceState}});
}

void JobObject::succeed() {
    end("succeeded", {});
}

void JobObject::fail(const BusError& error) {
    const bool cancelled = error.name == BusError::make("Cancelled", {}).name;
    end(cancelled ? "cancelled" : "failed", error);
}

void JobObject::end(const char* state, const BusError& error) {
    if (!std::exchange(running_, false))
        return;
    publish({
        {"State", QLatin1String(state)},
        {"Progress", error.name.isEmpty() ? 1.0 : -1.0},
        {"Cancelable", false},
        {"Error", error.name},
        {"ErrorMessage", error.text},
    });
    table_.ended(*this);
}

void JobObject::Cancel(const QVariantMap& values) {
    Call call = takeCall();
    if (!Options::parse(values, call))
        return;
    table_.cancel(number_, call);
}

}  // namespace belay::service
