#include "ui/desktop/status_notifier.h"

#include <QtCore/QMetaEnum>
#include <QtCore/QtEndian>
#include <QtDBus/QDBusMetaType>
#include <QtDBus/QDBusPendingCallWatcher>
#include <QtDBus/QDBusPendingReply>
#include <QtGui/QImage>
#include <QtGui/QPixmap>
#include <cstring>
#include <utility>

namespace belay::ui {
namespace {

constexpr auto kItemPath = "/StatusNotifierItem";
constexpr auto kWatcher = "org.kde.StatusNotifierWatcher";
constexpr auto kWatcherPath = "/StatusNotifierWatcher";
// What trays of 100 % and of 200 % scale take.
constexpr int kSizes[] = {22, 44};

QDBusMessage watcherCall(const char* interface, const char* method) {
    QDBusMessage message =
        QDBusMessage::createMethodCall(QLatin1String(kWatcher), QLatin1String(kWatcherPath),
                                       QLatin1String(interface), QLatin1String(method));
    message.setAutoStartService(false);
    return message;
}

}  // namespace

QDBusArgument& operator<<(QDBusArgument& argument, const IconPicture& picture) {
    argument.beginStructure();
    argument << picture.width << picture.height << picture.pixels;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, IconPicture& picture) {
    argument.beginStructure();
    argument >> picture.width >> picture.height >> picture.pixels;
    argument.endStructure();
    return argument;
}

QDBusArgument& operator<<(QDBusArgument& argument, const TrayToolTip& toolTip) {
    argument.beginStructure();
    argument << toolTip.icon << toolTip.pictures << toolTip.title << toolTip.text;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, TrayToolTip& toolTip) {
    argument.beginStructure();
    argument >> toolTip.icon >> toolTip.pictures >> toolTip.title >> toolTip.text;
    argument.endStructure();
    return argument;
}

StatusNotifier::StatusNotifier(const QDBusConnection& session, const QString& menu, QObject* parent)
    : QObject(parent), bus_(session), watcher_(session, QLatin1String(kWatcher)), menu_(menu) {
    qDBusRegisterMetaType<IconPicture>();
    qDBusRegisterMetaType<QList<IconPicture>>();
    qDBusRegisterMetaType<TrayToolTip>();
}

// -- the tray

void StatusNotifier::start() {
    if (!bus_.isConnected())
        return;
    bus_.registerObject(QLatin1String(kItemPath), this, QDBusConnection::ExportScriptableContents);
    connect(&watcher_, &BusOwner::changed, this, [this](const QString&, const QString& owner) {
        entered_ = false;
        ++generation_;
        if (owner.isEmpty())
            setShown(false);
        else
            enter();
    });
    for (const char* const name :
         {"StatusNotifierHostRegistered", "StatusNotifierHostUnregistered"})
        // Without the service's name: with it, QtDBus would ask who owns it, and wait.
        bus_.connect(QString(), QLatin1String(kWatcherPath), QLatin1String(kWatcher),
                     QLatin1String(name), this, SLOT(hostsChanged(QDBusMessage)));
    watcher_.start();
}

// By our unique name, which hosts take as well as one for the purpose.
void StatusNotifier::enter() {
    QDBusMessage message = watcherCall(kWatcher, "RegisterStatusNotifierItem");
    message << bus_.baseService();
    auto* const answer = new QDBusPendingCallWatcher(bus_.asyncCall(message), this);
    connect(answer, &QDBusPendingCallWatcher::finished, this,
            [this, answer, generation = ++generation_] {
                answer->deleteLater();
                if (generation != generation_ || answer->isError())
                    return;
                entered_ = true;
                askForHosts();
            });
}

// A watcher without a host shows nothing.
void StatusNotifier::askForHosts() {
    QDBusMessage message = watcherCall("org.freedesktop.DBus.Properties", "Get");
    message << QLatin1String(kWatcher) << QStringLiteral("IsStatusNotifierHostRegistered");
    auto* const answer = new QDBusPendingCallWatcher(bus_.asyncCall(message), this);
    connect(answer, &QDBusPendingCallWatcher::finished, this,
            [this, answer, generation = generation_] {
                answer->deleteLater();
                const QDBusPendingReply<QDBusVariant> there(*answer);
                if (generation == generation_)
                    setShown(!there.isError() && there.value().variant().toBool());
            });
}

void StatusNotifier::hostsChanged(const QDBusMessage& signal) {
    if (entered_ && signal.service() == watcher_.owner())
        askForHosts();
}

void StatusNotifier::setShown(bool shown) {
    if (std::exchange(shown_, shown) != shown)
        emit shownChanged();
}

// -- the icon

void StatusNotifier::set(Status status, const QString& name, const QIcon& icon,
                         const QString& toolTip) {
    icon_ = icon;
    if (std::exchange(iconName_, name) != name) {
        emit NewIcon();
        emit NewAttentionIcon();
    }
    if (std::exchange(status_, status) != status)
        emit NewStatus(this->status());
    if (std::exchange(toolTip_, toolTip) != toolTip)
        emit NewToolTip();
}

QString StatusNotifier::status() const {
    return QLatin1String(QMetaEnum::fromType<Status>().valueToKey(int(status_)));
}

QString StatusNotifier::iconName() const {
    return QIcon::hasThemeIcon(iconName_) ? iconName_ : QString();
}

QList<IconPicture> StatusNotifier::pictures() const {
    QList<IconPicture> pictures;
    if (!iconName().isEmpty())
        return pictures;
    for (const int size : kSizes) {
        const QImage image =
            icon_.pixmap(QSize(size, size), 1).toImage().convertToFormat(QImage::Format_ARGB32);
        QByteArray pixels(image.sizeInBytes(), Qt::Uninitialized);
        qToBigEndian<quint32>(image.constBits(), pixels.size() / qsizetype(sizeof(quint32)),
                              pixels.data());
        pictures += IconPicture{image.width(), image.height(), pixels};
    }
    return pictures;
}

void StatusNotifier::Activate(int, int) {
    emit activated(std::exchange(token_, {}));
}

}  // namespace belay::ui
