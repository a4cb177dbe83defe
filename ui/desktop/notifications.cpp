#include "ui/desktop/notifications.h"

#include "ui/model/service.h"
#include "ui/model/words.h"

#include <chrono>

namespace belay::ui {
namespace {

using namespace std::chrono_literals;

// A cable that is moved in its socket is away for less.
constexpr auto kTellPause = 500ms;
// One that comes and goes all the time is told of at this pace.
constexpr auto kLongPause = 5s;
constexpr auto kCalm = 60s;
constexpr auto kBackShown = 5s;

// Whether something waits for it, or may. Who uses a lent disk is known at the other end only.
bool isMissed(const Device& device) {
    return device.lent() || !device.holders.isEmpty() || device.inFlight > 0 ||
           device.unsavedBytes > 0;
}

// What nobody uses may be unplugged: the window says so.
bool isProblem(const Device& device) {
    return device.needsUser() || (device.state == QLatin1String("waiting") && isMissed(device));
}

bool isConnecting(const Gadget* gadget) {
    return gadget != nullptr && gadget->present && gadget->link == QLatin1String("connecting");
}

// It goes on by itself, and is not yet where it goes.
bool isUndecided(const Device& device) {
    static const QStringList states = {"starting", "resuming", "crashed", "recovering"};
    return states.contains(device.state);
}

bool has(const Device& device, const char* problem) {
    return device.problems.contains(QLatin1String(problem));
}

bool dataIsAtStake(const Device& device) {
    return has(device, "data-may-be-missing") ||
           (device.unsavedBytes > 0 && device.state != QLatin1String("needs-attention"));
}

// Whether Recover does something now, with no question to be asked before it.
bool recoverHelps(const Device& device, const Gadget* gadget) {
    if (device.state == QLatin1String("needs-attention"))
        return !has(device, "data-may-be-missing") && !has(device, "different-disk") &&
               !has(device, "incompatible");
    return gadget != nullptr && gadget->present && !isConnecting(gadget);
}

}  // namespace

Notifications::Notifications(Service& service, const QDBusConnection& session, QObject* parent)
    : QObject(parent), service_(service), server_(session) {}

Notifications::~Notifications() {
    for (const auto& [device, entry] : entries_)
        if (entry->id != 0)
            server_.close(entry->id);
    server_.closeUnnamed();
}

void Notifications::start() {
    connect(&server_, &NotificationServer::lost, this, &Notifications::serverLost);
    connect(&server_, &NotificationServer::ready, this, &Notifications::serverReady);
    connect(&server_, &NotificationServer::closed, this, &Notifications::closed);
    connect(&server_, &NotificationServer::acted, this, &Notifications::acted);
    server_.start();
    connect(&service_, &Service::deviceAdded, this, &Notifications::update);
    connect(&service_, &Service::deviceChanged, this, &Notifications::update);
    connect(&service_, &Service::countersChanged, this, &Notifications::update);
    connect(&service_, &Service::deviceGone, this, &Notifications::drop);
    connect(&service_, &Service::gadgetChanged, this, &Notifications::updateGadget);
    const auto devices = service_.devices().keys();
    for (const QString& device : devices)
        update(device);
}

Notifications::Entry& Notifications::entryOf(const QString& device) {
    auto& entry = entries_[device];
    if (!entry) {
        entry = std::make_unique<Entry>();
        entry->serial = ++serial_;
        entry->pause.setSingleShot(true);
        entry->end.setSingleShot(true);
        connect(&entry->pause, &Timer::timeout, this, [this, device] { tellProblem(device); });
        connect(&entry->end, &Timer::timeout, this,
                [this, shown = entry.get()] { withdraw(*shown); });
    }
    return *entry;
}

void Notifications::update(const QString& path) {
    const Device* const device = service_.device(path);
    if (device == nullptr || isUndecided(*device))
        return;
    if (isProblem(*device)) {
        Entry& entry = entryOf(path);
        if (!entry.pause.isActive()) {
            const bool shaky = entry.shows != Shows::Problem && entry.back &&
                               Clock::current().running() - *entry.back < kCalm;
            entry.pause.start(shaky ? kLongPause : kTellPause);
        }
        return;
    }
    const auto found = entries_.find(path);
    if (found == entries_.end())
        return;
    Entry& entry = *found->second;
    entry.pause.stop();
    if (device->state != QLatin1String("live"))
        withdraw(entry);
    else if (entry.shows == Shows::Problem)
        tellBack(path, entry);
}

void Notifications::updateGadget(const QString& gadget) {
    for (const Device& device : service_.devices())
        if (device.gadget == gadget && isProblem(device))
            update(device.path);
}

void Notifications::tellProblem(const QString& path) {
    const Device* const device = service_.device(path);
    // On its way to another state meanwhile, which will be told.
    if (device == nullptr || !isProblem(*device))
        return;
    Entry& entry = entryOf(path);
    const Gadget* const gadget = service_.gadget(device->gadget);
    const bool stake = dataIsAtStake(*device);
    const QString reason = device->state + QLatin1Char(' ') +
                           device->problems.join(QLatin1Char(' ')) +
                           (stake ? QStringLiteral(" stake") : QString());
    const bool another = entry.shows != Shows::Problem || entry.reason != reason;
    if (another)
        entry.trouble.clear();
    // Plugged in again: it is back soon, or does not answer.
    else if (isConnecting(gadget))
        return;

    const NoticeWords words = Words::notice(*device, gadget);
    Notice notice;
    notice.summary = words.summary;
    notice.body = entry.trouble.isEmpty() ? words.body : entry.trouble;
    notice.category = device->state == QLatin1String("waiting") ? QStringLiteral("device.removed")
                                                                : QStringLiteral("device.error");
    notice.urgency = stake ? Notice::Urgency::Critical : Notice::Urgency::Normal;
    if (stake)
        notice.milliseconds = 0;
    notice.actions = {{QStringLiteral("default"), tr("Details")}};
    if (recoverHelps(*device, gadget))
        notice.actions.append({QStringLiteral("recover"), tr("Recover")});
    notice.actions.append({QStringLiteral("details"), tr("Details")});

    const bool changed = entry.notice != notice;
    entry.shows = Shows::Problem;
    entry.hadFailed = device->state == QLatin1String("failed");
    entry.reason = reason;
    entry.notice = notice;
    entry.end.stop();
    // What the user has closed is not to come back with other words.
    if (another || (changed && entry.closed == 0))
        send(path, entry);
}

void Notifications::tellBack(const QString& path, Entry& entry) {
    entry.back = Clock::current().running();
    if (entry.closed == NotificationServer::Dismissed) {
        withdraw(entry);
        return;
    }
    const NoticeWords words = Words::back(*service_.device(path), entry.hadFailed);
    entry.shows = Shows::Back;
    entry.notice = {};
    entry.notice.summary = words.summary;
    entry.notice.body = words.body;
    entry.notice.category = QStringLiteral("device.added");
    entry.notice.urgency = Notice::Urgency::Low;
    entry.notice.transient = true;
    entry.notice.milliseconds = int(std::chrono::milliseconds(kBackShown).count());
    entry.end.start(kBackShown);
    send(path, entry);
}

void Notifications::send(const QString& device, Entry& entry) {
    entry.closed = 0;
    entry.pressed = false;
    if (entry.asking) {
        entry.again = true;
        return;
    }
    entry.asking = true;
    entry.again = false;
    server_.show(entry.notice, entry.id,
                 [this, device, serial = entry.serial](uint id) { sent(device, serial, id); });
}

void Notifications::sent(const QString& device, quint64 serial, uint id) {
    const auto found = entries_.find(device);
    if (found == entries_.end() || found->second->serial != serial) {
        if (id != 0)
            server_.close(id);
        return;
    }
    Entry& entry = *found->second;
    entry.asking = false;
    entry.id = id;
    if (entry.shows == Shows::Nothing)
        withdraw(entry);
    else if (entry.again)
        send(device, entry);
}

// While it is being shown it has no name yet: sent() comes back here.
void Notifications::withdraw(Entry& entry) {
    if (entry.id != 0 && !entry.asking)
        server_.close(std::exchange(entry.id, 0));
    entry.shows = Shows::Nothing;
    entry.reason.clear();
    entry.closed = 0;
    entry.end.stop();
}

void Notifications::drop(const QString& device) {
    const auto found = entries_.find(device);
    if (found == entries_.end())
        return;
    withdraw(*found->second);
    entries_.erase(found);
}

void Notifications::serverLost() {
    for (const auto& [device, entry] : entries_)
        entry->id = 0;
}

void Notifications::serverReady() {
    for (const auto& [device, entry] : entries_)
        if (entry->shows == Shows::Problem && entry->id == 0 && entry->closed == 0 &&
            !entry->asking)
            send(device, *entry);
}

QString Notifications::deviceOf(uint id) const {
    for (const auto& [device, entry] : entries_)
        if (entry->id == id)
            return device;
    return {};
}

void Notifications::closed(uint id, uint reason) {
    const QString device = deviceOf(id);
    if (id == 0 || device.isEmpty())
        return;
    Entry& entry = *entries_.at(device);
    entry.id = 0;
    // Servers close what was pressed: that is no wish to hear no more.
    entry.closed = entry.pressed ? uint(NotificationServer::Expired) : reason;
}

void Notifications::acted(uint id, const QString& action, const QString& token) {
    const QString device = deviceOf(id);
    if (id == 0 || device.isEmpty())
        return;
    entries_.at(device)->pressed = true;
    if (action == QLatin1String("recover"))
        recover(device);
    else
        emit detailsWanted(device, token);
}

void Notifications::recover(const QString& path) {
    service_.recover(path, false, this, [this, path](const Outcome& outcome) {
        const auto found = entries_.find(path);
        if (outcome.ok || outcome.dismissed() || outcome.error == QLatin1String("Cancelled") ||
            found == entries_.end() || found->second->shows != Shows::Problem)
            return;
        const QString words = Words::error(outcome.error);
        Entry& entry = *found->second;
        entry.trouble = words.isEmpty() ? outcome.message : words;
        // It was answered to a press: it comes again even if that has closed it.
        entry.closed = 0;
        entry.notice = {};
        tellProblem(path);
    });
}

}  // namespace belay::ui
