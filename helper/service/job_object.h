#pragma once

#include "helper/service/exported_object.h"

namespace belay::service {

class JobTable;

// What a job is about, fixed when it starts.
struct JobSubject {
    QString operation;  // as Job1.Operation
    std::string device;
    const char* action = "";  // polkit's, that starting it asked for
    uint startedByUid = 0;
    bool cancelable = false;
};

// org.belay.Job1.
class JobObject : public ExportedObject {
 public:
    JobObject(JobTable& table, const QDBusConnection& bus, std::uint64_t number,
              const JobSubject& subject);

    std::uint64_t number() const { return number_; }
    const JobSubject& subject() const { return subject_; }
    bool running() const { return running_; }

    void setPhase(const QString& deviceState);
    void succeed();
    // "cancelled" if the error's name says so.
    void fail(const BusError& error);

    void Cancel(const QVariantMap& options);

 private:
    void end(const char* state, const BusError& error);

    JobTable& table_;
    const std::uint64_t number_;
    const JobSubject subject_;
    bool running_ = true;
};

}  // namespace belay::service
