#pragma once

#include "ui/model/clock.h"

#include <QtCore/QHash>
#include <QtCore/QList>
#include <QtCore/QObject>
#include <QtCore/QStringList>
#include <QtCore/QVariantMap>
#include <QtDBus/QDBusArgument>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusVariant>

class QAction;
class QMenu;

namespace belay::ui {

// An entry of a menu and those below it: "(ia{sv}av)".
struct MenuLayout {
    int id = 0;
    QVariantMap properties;
    QList<MenuLayout> children;
};
// An entry alone: "(ia{sv})".
struct MenuEntry {
    int id = 0;
    QVariantMap properties;
};
// What a user did to an entry: "(isvu)".
struct MenuEvent {
    int id = 0;
    QString name;
    QDBusVariant data;
    uint time = 0;
};

// A menu on the bus, as trays show it: the interface com.canonical.dbusmenu (libdbusmenu's
// dbus-menu.xml, version 3).
//
// - Follows the menu by itself, also where entries come and go.
// - An entry keeps its number as long as it exists, so that a click means what was clicked.
class MenuExport : public QObject {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "com.canonical.dbusmenu")
    Q_PROPERTY(uint Version READ version SCRIPTABLE true)
    Q_PROPERTY(QString TextDirection READ textDirection SCRIPTABLE true)
    Q_PROPERTY(QString Status READ status SCRIPTABLE true)
    Q_PROPERTY(QStringList IconThemePath READ iconThemePath SCRIPTABLE true)

 public:
    // An action's properties: the name of its icon, and for themes that lack it the icon itself,
    // as a PNG file's bytes.
    static constexpr auto kIconName = "iconName";
    static constexpr auto kIconData = "iconData";

    // `menu` must outlive this object.
    MenuExport(const QDBusConnection& session, QMenu& menu, QObject* parent = nullptr);

    static QString path();
    // Puts it on the bus.
    void start();

    uint version() const { return 3; }
    QString textDirection() const;
    QString status() const { return QStringLiteral("normal"); }
    QStringList iconThemePath() const { return {}; }

 public slots:
    Q_SCRIPTABLE uint GetLayout(int parent, int depth, const QStringList& names,
                                belay::ui::MenuLayout& layout);
    Q_SCRIPTABLE QList<belay::ui::MenuEntry> GetGroupProperties(const QList<int>& ids,
                                                                const QStringList& names);
    Q_SCRIPTABLE QDBusVariant GetProperty(int id, const QString& name);
    Q_SCRIPTABLE void Event(int id, const QString& name, const QDBusVariant& data, uint time);
    Q_SCRIPTABLE QList<int> EventGroup(const QList<belay::ui::MenuEvent>& events);
    Q_SCRIPTABLE bool AboutToShow(int id);
    Q_SCRIPTABLE QList<int> AboutToShowGroup(const QList<int>& ids, QList<int>& errors);

 signals:
    Q_SCRIPTABLE void LayoutUpdated(uint revision, int parent);

 protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

 private:
    int idOf(QAction* action);
    // Null for an unknown id, and for the menu itself.
    QAction* actionOf(int id) const { return actions_.value(id); }
    QMenu* menuOf(int id) const;
    MenuLayout layoutOf(int id, int depth);
    QVariantMap propertiesOf(int id) const;
    void watch(QMenu* menu);
    void changed();

    QDBusConnection bus_;
    QMenu& menu_;
    QHash<int, QAction*> actions_;
    QHash<QObject*, int> ids_;
    int lastId_ = 0;
    uint revision_ = 1;
    Timer pause_;
};

QDBusArgument& operator<<(QDBusArgument& argument, const MenuLayout& layout);
const QDBusArgument& operator>>(const QDBusArgument& argument, MenuLayout& layout);
QDBusArgument& operator<<(QDBusArgument& argument, const MenuEntry& entry);
const QDBusArgument& operator>>(const QDBusArgument& argument, MenuEntry& entry);
QDBusArgument& operator<<(QDBusArgument& argument, const MenuEvent& event);
const QDBusArgument& operator>>(const QDBusArgument& argument, MenuEvent& event);

}  // namespace belay::ui

Q_DECLARE_METATYPE(belay::ui::MenuLayout)
Q_DECLARE_METATYPE(belay::ui::MenuEntry)
Q_DECLARE_METATYPE(belay::ui::MenuEvent)
