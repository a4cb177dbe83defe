#include "tests/ui/fake_tray.h"

#include "tests/ui/fake_helper.h"

#include <QtCore/QEventLoop>
#include <QtDBus/QDBusPendingCallWatcher>

namespace belay::test {
namespace {

constexpr auto kName = "org.kde.StatusNotifierWatcher";
constexpr auto kWatcherPath = "/StatusNotifierWatcher";
constexpr auto kItem = "org.kde.StatusNotifierItem";
constexpr auto kItemPath = "/StatusNotifierItem";
constexpr auto kMenu = "com.canonical.dbusmenu";
constexpr auto kMenuPath = "/MenuBar";

}  // namespace

FakeTray::~FakeTray() {
    vanish();
}

bool FakeTray::appear(bool host) {
    items.clear();
    host_ = host;
    bus_ = connectToTestBus();
    return bus_.registerObject(QLatin1String(kWatcherPath), this,
                               QDBusConnection::ExportScriptableContents) &&
           bus_.registerService(QLatin1String(kName));
}

void FakeTray::vanish() {
    if (!bus_.isConnected())
        return;
    bus_.unregisterService(QLatin1String(kName));
    bus_.unregisterObject(QLatin1String(kWatcherPath));
    QDBusConnection::disconnectFromBus(bus_.name());
    bus_ = QDBusConnection(QString());
}

void FakeTray::setHost(bool host) {
    host_ = host;
    if (host)
        emit StatusNotifierHostRegistered();
    else
        emit StatusNotifierHostUnregistered();
}

QDBusMessage FakeTray::ask(const char* path, const char* interface, const char* method,
                           const QVariantList& arguments) {
    QDBusMessage message = QDBusMessage::createMethodCall(
        items.value(0), QLatin1String(path), QLatin1String(interface), QLatin1String(method));
    message.setArguments(arguments);
    QDBusPendingCallWatcher pending(bus_.asyncCall(message));
    QEventLoop loop;
    connect(&pending, &QDBusPendingCallWatcher::finished, &loop, &QEventLoop::quit);
    if (!pending.isFinished())
        loop.exec();
    return pending.reply();
}

QVariantMap FakeTray::properties() {
    const QDBusMessage reply =
        ask(kItemPath, "org.freedesktop.DBus.Properties", "GetAll", {QLatin1String(kItem)});
    return qdbus_cast<QVariantMap>(reply.arguments().value(0));
}

ui::MenuLayout FakeTray::menu() {
    const QDBusMessage reply = ask(kMenuPath, kMenu, "GetLayout", {0, -1, QStringList()});
    return qdbus_cast<ui::MenuLayout>(reply.arguments().value(1));
}

ui::MenuLayout FakeTray::entry(const QStringList& labels) {
    ui::MenuLayout found = menu();
    for (const QString& label : labels) {
        ui::MenuLayout next;
        for (const ui::MenuLayout& child : std::as_const(found.children))
            if (child.properties.value(QStringLiteral("label")).toString() == label)
                next = child;
        found = next;
    }
    return found;
}

void FakeTray::click(int id) {
    ask(kMenuPath, kMenu, "Event",
        {id, QStringLiteral("clicked"), QVariant::fromValue(QDBusVariant(QString())), 0U});
}

void FakeTray::aboutToShow(int id) {
    ask(kMenuPath, kMenu, "AboutToShow", {id});
}

void FakeTray::press(const QString& token) {
    if (!token.isEmpty())
        ask(kItemPath, kItem, "ProvideXdgActivationToken", {token});
    ask(kItemPath, kItem, "Activate", {0, 0});
}

}  // namespace belay::test
