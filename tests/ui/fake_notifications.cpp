#include "tests/ui/fake_notifications.h"

#include "tests/ui/fake_helper.h"

namespace belay::test {
namespace {

constexpr auto kService = "org.freedesktop.Notifications";
constexpr auto kPath = "/org/freedesktop/Notifications";
constexpr uint kDismissed = 2;
constexpr uint kClosed = 3;

}  // namespace

bool FakeNotifications::Shown::offers(const QString& action) const {
    for (qsizetype i = 0; i < actions.size(); i += 2)
        if (actions[i] == action)
            return true;
    return false;
}

FakeNotifications::FakeNotifications(const QStringList& capabilities)
    : capabilities_(capabilities) {}

FakeNotifications::~FakeNotifications() {
    vanish();
}

bool FakeNotifications::appear() {
    bus_ = connectToTestBus();
    return bus_.registerObject(QLatin1String(kPath), this,
                               QDBusConnection::ExportScriptableContents) &&
           bus_.registerService(QLatin1String(kService));
}

void FakeNotifications::vanish() {
    if (!bus_.isConnected())
        return;
    bus_.unregisterService(QLatin1String(kService));
    bus_.unregisterObject(QLatin1String(kPath));
    QDBusConnection::disconnectFromBus(bus_.name());
    bus_ = QDBusConnection(QString());
    visible_.clear();
}

uint FakeNotifications::Notify(const QString&, uint replaces, const QString& icon,
                               const QString& summary, const QString& body,
                               const QStringList& actions, const QVariantMap& hints,
                               int milliseconds) {
    const uint id = replaces != 0 ? replaces : ++last_;
    const Shown shown{id, replaces, icon, summary, body, actions, hints, milliseconds};
    history += shown;
    visible_.insert(id, shown);
    if (std::exchange(hold_, false)) {
        setDelayedReply(true);
        held_ = message().createReply(id);
    }
    return id;
}

void FakeNotifications::answer() {
    bus_.send(held_);
}

void FakeNotifications::CloseNotification(uint id) {
    if (visible_.remove(id) == 0)
        return;
    ++withdrawn;
    emit NotificationClosed(id, kClosed);
}

void FakeNotifications::press(uint id, const QString& action, const QString& token) {
    if (!token.isEmpty())
        emit ActivationToken(id, token);
    emit ActionInvoked(id, action);
    dismiss(id);
}

void FakeNotifications::dismiss(uint id) {
    visible_.remove(id);
    emit NotificationClosed(id, kDismissed);
}

}  // namespace belay::test
