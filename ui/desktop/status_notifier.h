#pragma once

#include "ui/model/bus_owner.h"

#include <QtCore/QByteArray>
#include <QtCore/QList>
#include <QtCore/QObject>
#include <QtCore/QString>
#include <QtDBus/QDBusArgument>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusMessage>
#include <QtDBus/QDBusObjectPath>
#include <QtGui/QIcon>

namespace belay::ui {

// A picture as it goes over the bus, "(iiay)": ARGB32 in network byte order.
struct IconPicture {
    int width = 0;
    int height = 0;
    QByteArray pixels;
};
// "(sa(iiay)ss)".
struct TrayToolTip {
    QString icon;
    QList<IconPicture> pictures;
    QString title;
    QString text;
};

// An icon in the trays of today: the interface org.kde.StatusNotifierItem (freedesktop.org, Status
// Notifier Item) and its host, org.kde.StatusNotifierWatcher. Qt's own tray icon does not do: it
// knows no states, misses a tray that starts after the program, and waits for the bus.
class StatusNotifier : public QObject {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.kde.StatusNotifierItem")
    Q_PROPERTY(QString Category READ category SCRIPTABLE true)
    Q_PROPERTY(QString Id READ id SCRIPTABLE true)
    Q_PROPERTY(QString Title READ title SCRIPTABLE true)
    Q_PROPERTY(QString Status READ status SCRIPTABLE true)
    Q_PROPERTY(int WindowId READ windowId SCRIPTABLE true)
    Q_PROPERTY(QString IconName READ iconName SCRIPTABLE true)
    Q_PROPERTY(QList<belay::ui::IconPicture> IconPixmap READ pictures SCRIPTABLE true)
    Q_PROPERTY(QString AttentionIconName READ iconName SCRIPTABLE true)
    Q_PROPERTY(QList<belay::ui::IconPicture> AttentionIconPixmap READ pictures SCRIPTABLE true)
    Q_PROPERTY(QString OverlayIconName READ none SCRIPTABLE true)
    Q_PROPERTY(belay::ui::TrayToolTip ToolTip READ toolTip SCRIPTABLE true)
    Q_PROPERTY(bool ItemIsMenu READ isMenu SCRIPTABLE true)
    Q_PROPERTY(QDBusObjectPath Menu READ menu SCRIPTABLE true)

 public:
    enum class Status {
        Passive,  // nothing to see; a tray may hide it
        Active,
        NeedsAttention,
    };
    Q_ENUM(Status)

    // `menu`: where the menu is on the same bus.
    StatusNotifier(const QDBusConnection& session, const QString& menu, QObject* parent = nullptr);

    // Looks for a tray, and from here on for the next one. Nothing here waits.
    void start();
    // A tray is there that shows it, if it is not Passive.
    bool isShown() const { return shown_; }
    // `name`: of the icon in the desktop's theme; `icon` if that does not have it.
    void set(Status status, const QString& name, const QIcon& icon, const QString& toolTip);

    QString category() const { return QStringLiteral("Hardware"); }
    QString id() const { return QStringLiteral("org.belay.Belay"); }
    QString title() const { return QStringLiteral("Belay"); }
    QString status() const;
    int windowId() const { return 0; }
    // Empty if the theme has none of that name.
    QString iconName() const;
    QList<IconPicture> pictures() const;
    QString none() const { return {}; }
    TrayToolTip toolTip() const { return {{}, {}, title(), toolTip_}; }
    bool isMenu() const { return false; }
    QDBusObjectPath menu() const { return QDBusObjectPath(menu_); }

 public slots:
    Q_SCRIPTABLE void Activate(int x, int y);
    Q_SCRIPTABLE void SecondaryActivate(int x, int y) { Activate(x, y); }
    // Hosts show the menu by themselves.
    Q_SCRIPTABLE void ContextMenu(int, int) {}
    Q_SCRIPTABLE void Scroll(int, const QString&) {}
    Q_SCRIPTABLE void ProvideXdgActivationToken(const QString& token) { token_ = token; }

 signals:
    Q_SCRIPTABLE void NewStatus(const QString& status);
    Q_SCRIPTABLE void NewIcon();
    Q_SCRIPTABLE void NewAttentionIcon();
    Q_SCRIPTABLE void NewToolTip();
    // Pressed. `token`: with which a window may come to the front; may be empty.
    void activated(const QString& token);
    void shownChanged();

 private slots:
    void hostsChanged(const QDBusMessage& signal);

 private:
    void enter();
    void askForHosts();
    void setShown(bool shown);

    QDBusConnection bus_;
    BusOwner watcher_;
    QString menu_;
    bool entered_ = false;  // the watcher has taken it in
    bool shown_ = false;
    quint64 generation_ = 0;
    Status status_ = Status::Passive;
    QString iconName_;
    QIcon icon_;
    QString toolTip_;
    QString token_;
};

QDBusArgument& operator<<(QDBusArgument& argument, const IconPicture& picture);
const QDBusArgument& operator>>(const QDBusArgument& argument, IconPicture& picture);
QDBusArgument& operator<<(QDBusArgument& argument, const TrayToolTip& toolTip);
const QDBusArgument& operator>>(const QDBusArgument& argument, TrayToolTip& toolTip);

}  // namespace belay::ui

Q_DECLARE_METATYPE(belay::ui::IconPicture)
Q_DECLARE_METATYPE(belay::ui::TrayToolTip)
