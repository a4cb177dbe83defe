#include "helper/service/device_object.h"

#include "helper/service/authority.h"
#include "helper/service/bus_service.h"
#include "helper/service/device1_adaptor.h"
#include "helper/service/job_table.h"
#include "helper/service/options.h"
#include "helper/service/views.h"
#include "helper/supervisor/fleet.h"

#include <chrono>

namespace belay::service {
namespace {

constexpr qint64 kHoldersMaxAgeMs = 250;
constexpr uint kLongestPolicySeconds = 31'536'000;

BusError deviceGone() {
    return BusError::make("NotFound", QStringLiteral("The device is gone"));
}

// A policy that must not be.
BusError checkPolicy(std::optional<lifecycle::PolicyKind> kind, const QString& name, uint seconds) {
    if (!kind)
        return BusError::make("InvalidArgument",
                              QStringLiteral("There is no policy \"%1\": say wait, wait-limited "
                                             "or fail-fast")
                                  .arg(name));
    const bool limited = *kind == lifecycle::PolicyKind::WaitLimited;
    if (limited && (seconds == 0 || seconds > kLongestPolicySeconds))
        return BusError::make(
            "InvalidArgument",
            QStringLiteral("wait-limited wants 1 to %1 seconds").arg(kLongestPolicySeconds));
    if (!limited && seconds != 0)
        return BusError::make("InvalidArgument",
                              QStringLiteral("%1 takes no seconds: say 0").arg(name));
    return {};
}

}  // namespace

DeviceObject::DeviceObject(BusService& service, const QDBusConnection& bus, const std::string& id)
    : ExportedObject(bus, devicePath(id), bus::kDeviceInterface), service_(service), id_(id) {
    new Device1Adaptor(this);
}

void DeviceObject::refresh(bool withHolders, bool tell) {
    if (const auto view = service_.fleet()->device(id_, withHolders)) {
        publish(propertiesOf(*view, withHolders), tell);
        service_.jobs().deviceChanged(id_, property("State").toString());
    }
}

void DeviceObject::refreshCounters() {
    if (const auto view = service_.fleet()->device(id_, false))
        publish(propertiesOf(view->counters));
}

void DeviceObject::aboutToBeRead(const QString& caller, bool all) {
    // Anybody may read, and a look at all processes is not for free.
    const bool old = !holdersAge_.isValid() || holdersAge_.elapsed() > kHoldersMaxAgeMs;
    if (old)
        holdersAge_.start();
    refresh(old);
    refreshCounters();
    if (all)
        service_.watchedBy(caller);
}

void DeviceObject::startJob(const Call& call, JobSubject subject, std::string_view asked,
                            std::function<void(std::uint64_t)> begin) {
    // What is under way already is not begun twice.
    if (const JobObject* const job = service_.jobs().running(id_, subject.operation)) {
        call.reply({QVariant::fromValue(job->objectPath())});
        return;
    }
    const auto view = service_.fleet()->device(id_, false);
    if (!view) {
        call.fail(deviceGone());
        return;
    }
    BusService& service = service_;
    service.authority().ask(
        call, subject.action, {{QStringLiteral("device"), titleOf(*view)}},
        [&service, call, subject, asked, begin = std::move(begin)](uint uid) mutable {
            if (!service.fleet()->device(subject.device, false)) {
                call.fail(deviceGone());
                return;
            }
            subject.startedByUid = uid;
            JobObject* job = service.jobs().running(subject.device, subject.operation);
            if (job == nullptr) {
                job = &service.jobs().start(subject);
                call.reply({QVariant::fromValue(job->objectPath())});
                service.askedOfDevice(uid, subject.device, {.action = std::string(asked)});
                begin(job->number());
            } else {
                call.reply({QVariant::fromValue(job->objectPath())});
            }
        });
}

namespace {

// Ends the job as the fleet says.
helper::FleetInterface::Done endOf(BusService& service, std::uint64_t job) {
    return [&service, job](const Result<void>& result) {
        JobObject* const object = service.jobs().find(job);
        if (object == nullptr)
            return;
        if (result)
            object->succeed();
        else
            object->fail(BusError::of(result.error()));
    };
}

}  // namespace

QDBusObjectPath DeviceObject::Recover(const QVariantMap& values) {
    Call call = takeCall();
    const auto options = Options::parse(values, call, {{"accept-loss", QMetaType::Bool}});
    if (!options)
        return {};
    const bool acceptLoss = options->flag("accept-loss");
    startJob(call,
             {.operation = QStringLiteral("recover"),
              .device = id_,
              .action = acceptLoss ? "org.belay.force-stop" : "org.belay.recover",
              .cancelable = true},
             acceptLoss ? events::Asked::kAcceptLoss : events::Asked::kRecover,
             [&service = service_, id = id_, acceptLoss](std::uint64_t job) {
                 service.fleet()->recover(id, acceptLoss, endOf(service, job));
             });
    return {};
}

QDBusObjectPath DeviceObject::Stop(const QVariantMap& values) {
    Call call = takeCall();
    const auto options = Options::parse(values, call, {{"force", QMetaType::Bool}});
    if (!options)
        return {};
    const bool force = options->flag("force");
    startJob(call,
             {.operation = force ? QStringLiteral("force-stop") : QStringLiteral("stop"),
              .device = id_,
              .action = force ? "org.belay.force-stop" : "org.belay.stop"},
             force ? events::Asked::kForceStop : events::Asked::kStop,
             [&service = service_, id = id_, force](std::uint64_t job) {
                 service.fleet()->stop(id, force, endOf(service, job));
             });
    return {};
}

void DeviceObject::SetPolicy(const QString& name, uint seconds, const QVariantMap& values) {
    Call call = takeCall();
    if (!Options::parse(values, call))
        return;
    const auto kind = lifecycle::policyNamed(name.toStdString());
    if (const BusError wrong = checkPolicy(kind, name, seconds); !wrong.name.isEmpty()) {
        call.fail(wrong);
        return;
    }
    lifecycle::Policy policy{.kind = *kind};
    if (*kind == lifecycle::PolicyKind::WaitLimited)
        policy.limit = std::chrono::seconds(seconds);
    const auto view = service_.fleet()->device(id_, false);
    if (!view) {
        call.fail(deviceGone());
        return;
    }
    if (view->policy.kind == policy.kind && (seconds == 0 || view->policy.limit == policy.limit)) {
        call.reply();
        return;
    }
    service_.authority().ask(
        call, "org.belay.set-policy", {{QStringLiteral("device"), titleOf(*view)}},
        [&service = service_, id = id_, policy, seconds, call](uint uid) {
            const auto set = service.fleet()->setPolicy(id, policy);
            if (!set) {
                call.fail(set.error());
                return;
            }
            service.askedOfDevice(uid, id,
                                  {.action = std::string(events::Asked::kSetPolicy),
                                   .policy = std::string(nameOf(policy.kind)),
                                   .seconds = seconds != 0 ? std::to_string(seconds) : ""});
            call.reply();
        });
}

void DeviceObject::Rescan(const QVariantMap& values) {
    Call call = takeCall();
    if (!Options::parse(values, call))
        return;
    const auto view = service_.fleet()->device(id_, false);
    if (!view) {
        call.fail(deviceGone());
        return;
    }
    service_.authority().ask(call, "org.belay.rescan", {{QStringLiteral("device"), titleOf(*view)}},
                             [&service = service_, id = id_, call](uint uid) {
                                 service.askedOfDevice(
                                     uid, id, {.action = std::string(events::Asked::kRescan)});
                                 service.fleet()->rescan(id, [call](const Result<void>& result) {
                                     if (result)
                                         call.reply();
                                     else
                                         call.fail(result.error());
                                 });
                             });
}

QList<bus::Request> DeviceObject::ListInFlight(const QVariantMap& values) {
    Call call = takeCall();
    if (!Options::parse(values, call))
        return {};
    service_.fleet()->requests(id_,
                               [call](const Result<std::vector<helper::RequestView>>& requests) {
                                   if (!requests) {
                                       call.fail(requests.error());
                                       return;
                                   }
                                   QList<bus::Request> list;
                                   for (const auto& request : *requests)
                                       list.append(requestOf(request));
                                   call.reply({QVariant::fromValue(list)});
                               });
    return {};
}

}  // namespace belay::service
