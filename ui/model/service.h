#pragma once

#include "ui/model/bus_owner.h"
#include "ui/model/clock.h"
#include "ui/model/records.h"

#include <QtCore/QHash>
#include <QtCore/QMap>
#include <QtCore/QObject>
#include <QtCore/QPointer>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusError>
#include <QtDBus/QDBusMessage>
#include <functional>

namespace belay::ui {

// How a call ended.
struct Outcome {
    bool ok = false;
    QString error;    // the error's name without its "org.belay.Error.", e.g. "Busy"
    QString message;  // the error in words
    QString object;   // what the call made: the path of a device

    // The user closed the password dialog: nothing to tell them.
    bool dismissed() const { return error == QLatin1String("NotAuthorizedDismissed"); }
};

// belayd as a program sees it: a copy of all its objects, kept up to date by its signals, and its
// methods. No call here waits for the bus; all answers come through signals and callbacks.
//
// - While belayd is away its objects stay as they were last, with standing() other than Running.
//   When it is back they are read anew: what is gone meanwhile is reported as gone.
// - belayd is started by the bus when it is called, so an object of this class brings it up.
// - A callback is called once, unless its context object is destroyed before.
class Service : public QObject {
    Q_OBJECT

 public:
    enum class Standing {
        Connecting,    // asked, no answer yet
        Running,       // all objects are as belayd says
        Restarting,    // belayd ended; it is being started again
        NotInstalled,  // the bus knows no such service
        Failed,        // it cannot be started, or refuses us; trouble() says why
        NoBus,         // there is no system bus
    };
    Q_ENUM(Standing)

    using Done = std::function<void(const Outcome& outcome)>;
    using RequestsDone = std::function<void(bool ok, const QList<bus::Request>& requests)>;

    // Connects to nothing before start().
    explicit Service(const QDBusConnection& bus, QObject* parent = nullptr);

    void start();
    // Tries at once what is tried every few seconds while belayd is away.
    void retry();

    Standing standing() const { return standing_; }
    // The bus's words for Failed.
    QString trouble() const { return trouble_; }
    const Manager& manager() const { return manager_; }
    const QMap<QString, Gadget>& gadgets() const { return gadgets_; }
    const QMap<QString, Device>& devices() const { return devices_; }
    // Null if there is no such object (any more).
    const Gadget* gadget(const QString& path) const;
    const Device* device(const QString& path) const;
    // What has happened, the oldest first; at most 1,000.
    const QList<bus::Event>& events() const { return events_; }

    // All may make polkit ask for a password, which takes as long as it takes. `done` of recover()
    // and stop() comes when their job is over.
    void attach(const QString& gadget, const QString& share, QObject* context, Done done);
    // `file` is an open descriptor, of which a copy is sent. `blockSize`: 0 leaves it to belayd.
    void lend(const QString& gadget, int file, const QString& label, bool readOnly, uint blockSize,
              QObject* context, Done done);
    void setAutoAttach(const QString& gadget, bool on, QObject* context, Done done);
    void forget(const QString& gadget, QObject* context, Done done);
    void recover(const QString& device, bool acceptLoss, QObject* context, Done done);
    void stop(const QString& device, bool force, QObject* context, Done done);
    void setPolicy(const QString& device, const QString& policy, uint seconds, QObject* context,
                   Done done);
    void listInFlight(const QString& device, QObject* context, RequestsDone done);
    // Reads the device's properties anew, for those that are told late: counters and holders.
    void refresh(const QString& device, QObject* context, std::function<void()> done);
    // True while a recover or stop of the device is under way.
    bool busy(const QString& device) const;

 signals:
    void standingChanged();
    void managerChanged();
    void gadgetAdded(const QString& path);
    void gadgetChanged(const QString& path);
    // The record is gone already.
    void gadgetGone(const QString& path);
    void deviceAdded(const QString& path);
    // Something but the counters changed.
    void deviceChanged(const QString& path);
    void countersChanged(const QString& path);
    void deviceGone(const QString& path);
    void busyChanged(const QString& device);
    void happened(const bus::Event& event);

 private slots:
    void interfacesAdded(const QDBusMessage& signal);
    void interfacesRemoved(const QDBusMessage& signal);
    void propertiesChanged(const QDBusMessage& signal);
    void eventHappened(const QDBusMessage& signal);

 private:
    struct Waiting {
        QString device;
        QPointer<QObject> context;
        Done done;
    };

    // Anybody on the bus can send signals of any name: only those of belayd count, and only once
    // its objects are read, which contain all that it said before.
    bool isFromService(const QDBusMessage& signal) const;
    void ownerChanged(const QString& before, const QString& now);
    void loseJobs();
    void readAll();
    void readManager();
    void readEvents();
    void addEvent(const bus::Event& event);
    void took(const bus::ManagedObjects& objects);
    void add(const QString& path, const bus::Interfaces& interfaces);
    void remove(const QString& path);
    void setBusy(const QString& device, bool busy);
    void setStanding(Standing standing, const QString& trouble = {});
    void cannotBeReached(const QDBusError& error);
    // Calls a method that may ask for a password; `then` gets its first value.
    void call(const QString& path, const char* interface, const char* method,
              const QVariantList& arguments, QObject* context, Done done);
    void startJob(const QString& device, const char* method, const QVariantMap& options,
                  QObject* context, Done done);
    void jobChanged(const QString& path);
    void finish(const QString& job, const Outcome& outcome);

    QDBusConnection bus_;
    BusOwner name_;
    QString owner_;  // the unique name of the belayd whose objects are read; empty before they are
    Standing standing_ = Standing::Connecting;
    QString trouble_;
    Timer retryTimer_;
    Manager manager_;
    QMap<QString, Gadget> gadgets_;
    QMap<QString, Device> devices_;
    QHash<QString, Job> jobs_;
    QHash<QString, Waiting> waiting_;  // by job
    QHash<QString, int> busy_;         // devices with a call or job of ours under way
    QList<bus::Event> events_;
    quint64 generation_ = 0;         // answers to an earlier reading are not used
    quint64 eventsRead_ = 0;         // the reading whose list of events is there
    QList<bus::Event> earlyEvents_;  // that were told before that
};

}  // namespace belay::ui
