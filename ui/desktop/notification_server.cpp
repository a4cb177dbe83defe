#include "ui/desktop/notification_server.h"

#include "ui/model/clock.h"

#include <QtDBus/QDBusPendingCallWatcher>
#include <QtDBus/QDBusPendingReply>
#include <chrono>
#include <thread>

namespace belay::ui {
namespace {

using namespace std::chrono_literals;

constexpr auto kService = "org.freedesktop.Notifications";
constexpr auto kPath = "/org/freedesktop/Notifications";
// A server that is well names a notification within some milliseconds. Who quits is not to notice
// one that is not.
constexpr auto kLastPatience = 300ms;
constexpr auto kLook = 2ms;

QDBusMessage methodCall(const char* method) {
    return QDBusMessage::createMethodCall(QLatin1String(kService), QLatin1String(kPath),
                                          QLatin1String(kService), QLatin1String(method));
}

}  // namespace

NotificationServer::NotificationServer(const QDBusConnection& session, QObject* parent)
    : QObject(parent), bus_(session), name_(session, QLatin1String(kService)) {}

void NotificationServer::start() {
    if (!bus_.isConnected())
        return;
    connect(&name_, &BusOwner::changed, this, &NotificationServer::ownerChanged);
    // Without the service's name: with it, QtDBus would ask who owns it, and wait for the answer.
    const auto listen = [this](const char* name, const char* slot) {
        bus_.connect(QString(), QLatin1String(kPath), QLatin1String(kService), QLatin1String(name),
                     this, slot);
    };
    listen("NotificationClosed", SLOT(notificationClosed(QDBusMessage)));
    listen("ActionInvoked", SLOT(actionInvoked(QDBusMessage)));
    listen("ActivationToken", SLOT(activationToken(QDBusMessage)));
    name_.start();
}

// With nobody there from the beginning it asks all the same: the bus starts a server then, if one
// is installed.
void NotificationServer::ownerChanged(const QString& before, const QString& now) {
    ++generation_;
    if (!before.isEmpty())
        emit lost();
    if (!now.isEmpty() || before.isEmpty())
        askCapabilities();
}

void NotificationServer::askCapabilities() {
    auto* const answer =
        new QDBusPendingCallWatcher(bus_.asyncCall(methodCall("GetCapabilities")), this);
    connect(answer, &QDBusPendingCallWatcher::finished, this,
            [this, answer, generation = generation_] {
                answer->deleteLater();
                const QDBusPendingReply<QStringList> capabilities(*answer);
                if (generation != generation_ || capabilities.isError())
                    return;
                const QStringList list = capabilities.value();
                capabilities_ = QSet<QString>(list.begin(), list.end());
                emit ready();
            });
}

void NotificationServer::show(const Notice& notice, uint replaces, Shown shown) {
    if (!bus_.isConnected()) {
        shown(0);
        return;
    }
    QStringList actions;
    if (capabilities_.contains(QStringLiteral("actions")))
        for (const auto& [key, label] : notice.actions)
            actions << key << label;
    QVariantMap hints{
        {QStringLiteral("urgency"), QVariant::fromValue(uchar(notice.urgency))},
        {QStringLiteral("desktop-entry"), QStringLiteral("org.belay.Belay")},
        {QStringLiteral("category"), notice.category},
    };
    if (notice.transient)
        hints.insert(QStringLiteral("transient"), true);
    // Labels come from the other end of the cable: they must not become markup.
    const bool markup = capabilities_.contains(QStringLiteral("body-markup"));
    QDBusMessage message = methodCall("Notify");
    message << QStringLiteral("Belay") << replaces << QStringLiteral("org.belay.Belay")
            << notice.summary << (markup ? notice.body.toHtmlEscaped() : notice.body) << actions
            << hints << notice.milliseconds;
    auto* const answer = new QDBusPendingCallWatcher(bus_.asyncCall(message), this);
    unnamed_ += answer;
    connect(answer, &QDBusPendingCallWatcher::finished, this,
            [this, answer, shown = std::move(shown)] {
                unnamed_.removeOne(answer);
                answer->deleteLater();
                const QDBusPendingReply<uint> id(*answer);
                shown(id.isError() ? 0 : id.value());
            });
}

// QtDBus takes answers in a thread of its own, so none needs this one's event loop, in which all
// else of a program that ends would go on, too.
void NotificationServer::closeUnnamed() {
    const QDeadlineTimer deadline = Clock::current().deadline(kLastPatience);
    for (QDBusPendingCallWatcher* const answer : std::exchange(unnamed_, {})) {
        while (!answer->isFinished() && !deadline.hasExpired())
            std::this_thread::sleep_for(kLook);
        if (answer->isFinished() && !answer->isError())
            close(QDBusPendingReply<uint>(*answer).value());
        delete answer;
    }
}

void NotificationServer::close(uint id) {
    QDBusMessage message = methodCall("CloseNotification");
    message << id;
    message.setAutoStartService(false);
    bus_.send(message);
}

bool NotificationServer::isFromServer(const QDBusMessage& signal) const {
    return !name_.owner().isEmpty() && signal.service() == name_.owner();
}

void NotificationServer::notificationClosed(const QDBusMessage& signal) {
    if (isFromServer(signal))
        emit closed(signal.arguments().value(0).toUInt(), signal.arguments().value(1).toUInt());
}

// It comes before the action that it is for.
void NotificationServer::activationToken(const QDBusMessage& signal) {
    if (!isFromServer(signal))
        return;
    tokenId_ = signal.arguments().value(0).toUInt();
    token_ = signal.arguments().value(1).toString();
}

void NotificationServer::actionInvoked(const QDBusMessage& signal) {
    if (!isFromServer(signal))
        return;
    const uint id = signal.arguments().value(0).toUInt();
    const QString token = std::exchange(token_, {});
    emit acted(id, signal.arguments().value(1).toString(), tokenId_ == id ? token : QString());
}

}  // namespace belay::ui
