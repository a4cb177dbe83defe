#pragma once

#include "helper/service/job_object.h"

#include <QtCore/QObject>
#include <map>
#include <memory>

namespace belay::service {

class Authority;
class ObjectManager;

// The jobs that run, and those that have ended lately.
class JobTable {
 public:
    JobTable(const QDBusConnection& bus, ObjectManager& objects, Authority& authority);
    ~JobTable();

    JobObject& start(const JobSubject& subject);
    // Null if it is not there any more.
    JobObject* find(std::uint64_t number);
    // The running one of that kind; null if there is none.
    JobObject* running(const std::string& device, const QString& operation);
    bool anyRunning() const;

    void deviceChanged(const std::string& device, const QString& state);
    // By whoever started it, or whom polkit would let start it.
    void cancel(std::uint64_t number, const Call& call);

 private:
    friend class JobObject;
    // Takes it off the bus after a while.
    void ended(const JobObject& job);

    QDBusConnection bus_;
    ObjectManager& objects_;
    Authority& authority_;
    QObject timers_;
    std::map<std::uint64_t, std::unique_ptr<JobObject>> jobs_;
    std::uint64_t next_ = 1;
};

}  // namespace belay::service
