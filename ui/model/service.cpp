#include "ui/model/service.h"

#include <QtDBus/QDBusConnectionInterface>
#include <QtDBus/QDBusPendingCallWatcher>
#include <QtDBus/QDBusPendingReply>
#include <QtDBus/QDBusUnixFileDescriptor>
#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace belay::ui {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetryPeriod = 3s;
constexpr auto kRestartPause = 300ms;
constexpr qsizetype kMostEvents = 1000;
// A password dialog stays open as long as the user likes.
constexpr int kNoTimeLimit = std::numeric_limits<int>::max();

constexpr auto kPropertiesInterface = "org.freedesktop.DBus.Properties";
constexpr auto kObjectManagerInterface = "org.freedesktop.DBus.ObjectManager";

QString text(const char* name) {
    return QString::fromLatin1(name);
}

QString shortError(const QString& name) {
    const QString ours = QStringLiteral("org.belay.Error.");
    return name.startsWith(ours) ? name.mid(ours.size()) : name;
}

Outcome failure(const QDBusError& error) {
    return {false, shortError(error.name()), error.message(), {}};
}

QDBusMessage methodCall(const QString& path, const char* interface, const char* method,
                        const QVariantList& arguments = {}) {
    QDBusMessage message =
        QDBusMessage::createMethodCall(text(bus::kService), path, text(interface), text(method));
    message.setArguments(arguments);
    return message;
}

// Runs `then` with the answer, as long as `context` lives.
template <class Then>
void whenAnswered(const QDBusPendingCall& call, QObject* context, Then then) {
    auto* const watcher = new QDBusPendingCallWatcher(call, context);
    QObject::connect(watcher, &QDBusPendingCallWatcher::finished, context,
                     [then = std::move(then)](QDBusPendingCallWatcher* answered) {
                         answered->deleteLater();
                         then(*answered);
                     });
}

}  // namespace

Service::Service(const QDBusConnection& bus, QObject* parent)
    : QObject(parent), bus_(bus), name_(bus, text(bus::kService)) {
    bus::registerTypes();
    retryTimer_.setSingleShot(true);
    connect(&retryTimer_, &Timer::timeout, this, &Service::readAll);
}

void Service::start() {
    if (!bus_.isConnected()) {
        setStanding(Standing::NoBus, bus_.lastError().message());
        return;
    }
    connect(&name_, &BusOwner::changed, this, &Service::ownerChanged);
    // Without the service's name: with it, QtDBus would ask who owns it, and wait for the answer.
    const auto listen = [this](const QString& path, const char* interface, const char* name,
                               const char* slot) {
        bus_.connect(QString(), path, text(interface), text(name), this, slot);
    };
    const QString root = text(bus::kRootPath);
    listen(root, kObjectManagerInterface, "InterfacesAdded", SLOT(interfacesAdded(QDBusMessage)));
    listen(root, kObjectManagerInterface, "InterfacesRemoved",
           SLOT(interfacesRemoved(QDBusMessage)));
    listen(root, bus::kManagerInterface, "Event", SLOT(eventHappened(QDBusMessage)));
    listen(QString(), kPropertiesInterface, "PropertiesChanged",
           SLOT(propertiesChanged(QDBusMessage)));
    name_.start();
}

void Service::retry() {
    if (standing_ != Standing::Running && standing_ != Standing::NoBus)
        readAll();
}

const Gadget* Service::gadget(const QString& path) const {
    const auto found = gadgets_.constFind(path);
    return found == gadgets_.constEnd() ? nullptr : &*found;
}

const Device* Service::device(const QString& path) const {
    const auto found = devices_.constFind(path);
    return found == devices_.constEnd() ? nullptr : &*found;
}

bool Service::busy(const QString& device) const {
    return busy_.contains(device);
}

// -- methods

void Service::call(const QString& path, const char* interface, const char* method,
                   const QVariantList& arguments, QObject* context, Done done) {
    QDBusMessage message = methodCall(path, interface, method, arguments);
    message.setInteractiveAuthorizationAllowed(true);
    whenAnswered(
        bus_.asyncCall(message, kNoTimeLimit), context,
        [done = std::move(done)](const QDBusPendingCall& answer) {
            if (answer.isError()) {
                done(failure(answer.error()));
                return;
            }
            const QVariantList values = answer.reply().arguments();
            done({true,
                  {},
                  {},
                  values.isEmpty() ? QString() : values.first().value<QDBusObjectPath>().path()});
        });
}

void Service::attach(const QString& gadget, const QString& share, QObject* context, Done done) {
    call(gadget, bus::kGadgetInterface, "Attach", {share, QVariantMap()}, context, std::move(done));
}

void Service::lend(const QString& gadget, int file, const QString& label, bool readOnly,
                   uint blockSize, QObject* context, Done done) {
    QVariantMap options;
    if (!label.isEmpty())
        options["label"] = label;
    if (readOnly)
        options["read-only"] = true;
    if (blockSize != 0)
        options["block-size"] = blockSize;
    call(gadget, bus::kGadgetInterface, "Lend",
         {QVariant::fromValue(QDBusUnixFileDescriptor(file)), options}, context, std::move(done));
}

void Service::setAutoAttach(const QString& gadget, bool on, QObject* context, Done done) {
    call(gadget, bus::kGadgetInterface, "SetAuto", {on, QVariantMap()}, context, std::move(done));
}

void Service::forget(const QString& gadget, QObject* context, Done done) {
    call(gadget, bus::kGadgetInterface, "Forget", {QVariantMap()}, context, std::move(done));
}

void Service::setPolicy(const QString& device, const QString& policy, uint seconds,
                        QObject* context, Done done) {
    call(device, bus::kDeviceInterface, "SetPolicy", {policy, seconds, QVariantMap()}, context,
         std::move(done));
}

void Service::recover(const QString& device, bool acceptLoss, QObject* context, Done done) {
    QVariantMap options;
    if (acceptLoss)
        options["accept-loss"] = true;
    startJob(device, "Recover", options, context, std::move(done));
}

void Service::stop(const QString& device, bool force, QObject* context, Done done) {
    QVariantMap options;
    if (force)
        options["force"] = true;
    startJob(device, "Stop", options, context, std::move(done));
}

void Service::startJob(const QString& device, const char* method, const QVariantMap& options,
                       QObject* context, Done done) {
    setBusy(device, true);
    // The device's being busy ends with the job, whether or not the caller is still there.
    call(device, bus::kDeviceInterface, method, {options}, this,
         [this, waiting = Waiting{device, context, std::move(done)}](const Outcome& outcome) {
             if (!outcome.ok) {
                 setBusy(waiting.device, false);
                 if (waiting.context)
                     waiting.done(outcome);
                 return;
             }
             waiting_.insert(outcome.object, waiting);
             // It may have ended before its name reached us.
             jobChanged(outcome.object);
         });
}

void Service::jobChanged(const QString& path) {
    const auto job = jobs_.constFind(path);
    if (job == jobs_.constEnd() || !job->over())
        return;
    finish(path, {job->state == QLatin1String("succeeded"),
                  job->state == QLatin1String("cancelled") ? QStringLiteral("Cancelled")
                                                           : shortError(job->error),
                  job->errorMessage,
                  {}});
}

void Service::finish(const QString& job, const Outcome& outcome) {
    const auto found = waiting_.constFind(job);
    if (found == waiting_.constEnd())
        return;
    const Waiting waiting = *found;
    waiting_.erase(found);
    setBusy(waiting.device, false);
    if (waiting.context)
        waiting.done(outcome);
}

void Service::setBusy(const QString& device, bool busy) {
    int& count = busy_[device];
    const bool before = count > 0;
    count += busy ? 1 : -1;
    const bool after = count > 0;
    if (!after)
        busy_.remove(device);
    if (before != after)
        emit busyChanged(device);
}

void Service::listInFlight(const QString& device, QObject* context, RequestsDone done) {
    const QDBusMessage message =
        methodCall(device, bus::kDeviceInterface, "ListInFlight", {QVariantMap()});
    whenAnswered(bus_.asyncCall(message), context,
                 [done = std::move(done)](const QDBusPendingCall& answer) {
                     const QDBusPendingReply<QList<bus::Request>> requests(answer);
                     done(!requests.isError(),
                          requests.isError() ? QList<bus::Request>() : requests.value());
                 });
}

void Service::refresh(const QString& path, QObject* context, std::function<void()> done) {
    const QDBusMessage message =
        methodCall(path, kPropertiesInterface, "GetAll", {text(bus::kDeviceInterface)});
    whenAnswered(bus_.asyncCall(message), context,
                 [this, path, done = std::move(done)](const QDBusPendingCall& answer) {
                     const QDBusPendingReply<QVariantMap> properties(answer);
                     const auto device = devices_.find(path);
                     if (device != devices_.end() && !properties.isError()) {
                         device->update(properties.value());
                         emit deviceChanged(path);
                     }
                     done();
                 });
}

// -- what belayd says

bool Service::isFromService(const QDBusMessage& signal) const {
    return !owner_.isEmpty() && signal.service() == owner_;
}

// With nobody there from the beginning it asks all the same: the bus starts belayd then.
void Service::ownerChanged(const QString& before, const QString& now) {
    ++generation_;
    owner_.clear();
    earlyEvents_.clear();
    if (!before.isEmpty())
        loseJobs();
    if (!now.isEmpty() || before.isEmpty()) {
        readAll();
        return;
    }
    if (standing_ == Standing::Running)
        setStanding(Standing::Restarting);
    retryTimer_.start(kRestartPause);
}

void Service::loseJobs() {
    jobs_.clear();
    const auto jobs = waiting_.keys();
    for (const QString& job : jobs)
        finish(job, {false,
                     QStringLiteral("Failed"),
                     tr("The helper service ended meanwhile. Look at the device's state."),
                     {}});
}

void Service::readAll() {
    retryTimer_.stop();
    const quint64 generation = ++generation_;
    const QDBusMessage message =
        methodCall(text(bus::kRootPath), kObjectManagerInterface, "GetManagedObjects");
    whenAnswered(bus_.asyncCall(message), this, [this, generation](const QDBusPendingCall& answer) {
        if (generation != generation_)
            return;
        const QDBusPendingReply<bus::ManagedObjects> objects(answer);
        if (objects.isError()) {
            cannotBeReached(objects.error());
            return;
        }
        owner_ = name_.owner();
        took(objects.value());
        setStanding(Standing::Running);
        readManager();
        readEvents();
    });
}

void Service::cannotBeReached(const QDBusError& error) {
    const QString name = error.name();
    const bool unknown = name == QLatin1String("org.freedesktop.DBus.Error.ServiceUnknown") ||
                         name == QLatin1String("org.freedesktop.DBus.Error.NameHasNoOwner") ||
                         name == QLatin1String("org.freedesktop.systemd1.NoSuchUnit");
    setStanding(unknown ? Standing::NotInstalled : Standing::Failed, error.message());
    retryTimer_.start(kRetryPeriod);
}

// The root object is not among those that it lists.
void Service::readManager() {
    const quint64 generation = generation_;
    const QDBusMessage message = methodCall(text(bus::kRootPath), kPropertiesInterface, "GetAll",
                                            {text(bus::kManagerInterface)});
    whenAnswered(bus_.asyncCall(message), this, [this, generation](const QDBusPendingCall& answer) {
        const QDBusPendingReply<QVariantMap> properties(answer);
        if (generation != generation_ || properties.isError())
            return;
        manager_.update(properties.value());
        emit managerChanged();
    });
}

void Service::readEvents() {
    const quint64 generation = generation_;
    const QDBusMessage message = methodCall(text(bus::kRootPath), bus::kManagerInterface,
                                            "ListEvents", {qulonglong(0), 0U, QVariantMap()});
    whenAnswered(bus_.asyncCall(message), this, [this, generation](const QDBusPendingCall& answer) {
        const QDBusPendingReply<QList<bus::Event>> events(answer);
        if (generation != generation_)
            return;
        eventsRead_ = generation;
        // belayd forgets them when it ends; we do not.
        const auto addNewer = [this](const QList<bus::Event>& newer) {
            const qulonglong last = events_.isEmpty() ? 0 : events_.last().time;
            for (const bus::Event& event : newer)
                if (event.time > last)
                    addEvent(event);
        };
        if (!events.isError())
            addNewer(events.value());
        addNewer(std::exchange(earlyEvents_, {}));
    });
}

void Service::took(const bus::ManagedObjects& objects) {
    QStringList gone;
    for (const QString& path : gadgets_.keys() + devices_.keys())
        if (!objects.contains(QDBusObjectPath(path)))
            gone += path;
    for (const QString& path : std::as_const(gone))
        remove(path);
    for (auto object = objects.begin(); object != objects.end(); ++object)
        add(object.key().path(), object.value());
}

void Service::add(const QString& path, const bus::Interfaces& interfaces) {
    for (auto interface = interfaces.begin(); interface != interfaces.end(); ++interface) {
        const QVariantMap& properties = interface.value();
        if (interface.key() == QLatin1String(bus::kGadgetInterface)) {
            const bool known = gadgets_.contains(path);
            gadgets_[path].path = path;
            gadgets_[path].update(properties);
            known ? emit gadgetChanged(path) : emit gadgetAdded(path);
        } else if (interface.key() == QLatin1String(bus::kDeviceInterface)) {
            const bool known = devices_.contains(path);
            devices_[path].path = path;
            devices_[path].update(properties);
            known ? emit deviceChanged(path) : emit deviceAdded(path);
        } else if (interface.key() == QLatin1String(bus::kJobInterface)) {
            jobs_[path].path = path;
            jobs_[path].update(properties);
            jobChanged(path);
        }
    }
}

void Service::remove(const QString& path) {
    if (gadgets_.remove(path) > 0)
        emit gadgetGone(path);
    if (devices_.remove(path) > 0)
        emit deviceGone(path);
    if (jobs_.remove(path) > 0)
        finish(path, {false, QStringLiteral("Failed"), tr("Its outcome is not known."), {}});
}

void Service::interfacesAdded(const QDBusMessage& signal) {
    const QVariantList arguments = signal.arguments();
    if (isFromService(signal) && arguments.size() == 2)
        add(arguments[0].value<QDBusObjectPath>().path(),
            qdbus_cast<bus::Interfaces>(arguments[1]));
}

void Service::interfacesRemoved(const QDBusMessage& signal) {
    const QVariantList arguments = signal.arguments();
    if (isFromService(signal) && !arguments.isEmpty())
        remove(arguments[0].value<QDBusObjectPath>().path());
}

void Service::propertiesChanged(const QDBusMessage& signal) {
    const QVariantList arguments = signal.arguments();
    if (!isFromService(signal) || arguments.size() < 2)
        return;
    const QString path = signal.path();
    const QString interface = arguments[0].toString();
    const auto changed = qdbus_cast<QVariantMap>(arguments[1]);
    if (interface == QLatin1String(bus::kManagerInterface)) {
        manager_.update(changed);
        emit managerChanged();
    } else if (const auto gadget = gadgets_.find(path); gadget != gadgets_.end()) {
        gadget->update(changed);
        emit gadgetChanged(path);
    } else if (const auto device = devices_.find(path); device != devices_.end()) {
        static const QStringList counters = {"InFlight",     "Parked",    "OldestMs",
                                             "UnsavedBytes", "ReadBytes", "WrittenBytes",
                                             "ReadOps",      "WriteOps"};
        device->update(changed);
        const auto names = changed.keys();
        const bool only =
            std::ranges::all_of(names, [](const QString& name) { return counters.contains(name); });
        only ? emit countersChanged(path) : emit deviceChanged(path);
    } else if (const auto job = jobs_.find(path); job != jobs_.end()) {
        job->update(changed);
        jobChanged(path);
    }
}

void Service::eventHappened(const QDBusMessage& signal) {
    const QVariantList arguments = signal.arguments();
    if (!isFromService(signal) || arguments.size() < 5)
        return;
    const bus::Event event{arguments[0].toULongLong(), arguments[1].toString(),
                           arguments[2].value<QDBusObjectPath>(), arguments[3].toString(),
                           qdbus_cast<QVariantMap>(arguments[4])};
    // Those before it are still to come.
    if (eventsRead_ != generation_)
        earlyEvents_ += event;
    else
        addEvent(event);
}

void Service::addEvent(const bus::Event& event) {
    events_ += event;
    if (events_.size() > kMostEvents)
        events_.removeFirst();
    emit happened(event);
}

void Service::setStanding(Standing standing, const QString& trouble) {
    if (standing_ == standing && trouble_ == trouble)
        return;
    standing_ = standing;
    trouble_ = trouble;
    emit standingChanged();
}

}  // namespace belay::ui
