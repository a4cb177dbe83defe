#include "helper/service/job_table.h"

#include "helper/service/authority.h"
#include "helper/service/object_manager.h"

#include <QtCore/QTimer>
#include <chrono>

namespace belay::service {
namespace {

constexpr std::chrono::seconds kStays{10};

}  // namespace

JobTable::JobTable(const QDBusConnection& bus, ObjectManager& objects, Authority& authority)
    : bus_(bus), objects_(objects), authority_(authority) {}

JobTable::~JobTable() {
    for (const auto& [number, job] : jobs_)
        objects_.remove(job.get());
}

JobObject& JobTable::start(const JobSubject& subject) {
    const auto number = next_++;
    auto& job = jobs_[number];
    job = std::make_unique<JobObject>(*this, bus_, number, subject);
    objects_.add(job.get());
    return *job;
}

JobObject* JobTable::find(std::uint64_t number) {
    const auto found = jobs_.find(number);
    return found == jobs_.end() ? nullptr : found->second.get();
}

JobObject* JobTable::running(const std::string& device, const QString& operation) {
    for (const auto& [number, job] : jobs_) {
        if (job->running() && job->subject().device == device &&
            job->subject().operation == operation)
            return job.get();
    }
    return nullptr;
}

bool JobTable::anyRunning() const {
    for (const auto& [number, job] : jobs_) {
        if (job->running())
            return true;
    }
    return false;
}

void JobTable::deviceChanged(const std::string& device, const QString& state) {
    for (const auto& [number, job] : jobs_) {
        if (job->subject().device == device)
            job->setPhase(state);
    }
}

void JobTable::cancel(std::uint64_t number, const Call& call) {
    const auto cancelable = [this, number, call]() -> JobObject* {
        JobObject* const job = find(number);
        if (job != nullptr && job->running() && job->subject().cancelable)
            return job;
        call.fail(job == nullptr ? BusError::make("NotFound", QStringLiteral("The job is gone"))
                                 : BusError::make("InvalidArgument",
                                                  QStringLiteral("This job cannot be cancelled")));
        return nullptr;
    };
    const auto cancelNow = [cancelable, call](uint) {
        if (JobObject* const job = cancelable()) {
            job->fail(BusError::make("Cancelled", QStringLiteral("Cancelled")));
            call.reply();
        }
    };
    if (cancelable() == nullptr)
        return;
    authority_.identify(call, [this, call, cancelNow, cancelable](uint uid) {
        const JobObject* const job = cancelable();
        if (job == nullptr)
            return;
        if (job->subject().startedByUid == uid)
            cancelNow(uid);
        else
            authority_.ask(call, job->subject().action, {}, cancelNow);
    });
}

void JobTable::ended(const JobObject& job) {
    QTimer::singleShot(kStays, &timers_, [this, number = job.number()] {
        objects_.remove(find(number));
        jobs_.erase(number);
    });
}

}  // namespace belay::service
