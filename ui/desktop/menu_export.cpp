#include "ui/desktop/menu_export.h"

#include <QtCore/QEvent>
#include <QtDBus/QDBusMetaType>
#include <QtGui/QAction>
#include <QtGui/QActionEvent>
#include <QtGui/QIcon>
#include <QtWidgets/QApplication>
#include <QtWidgets/QMenu>
#include <chrono>

namespace belay::ui {
namespace {

using namespace std::chrono_literals;

// Changes come in bunches; a host reads the whole menu anew for each.
constexpr auto kChangePause = 100ms;

// Qt marks the letter of a shortcut with &, the menus on the bus with _.
QString labelOf(const QString& text) {
    QString label;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const QChar c = text[i];
        if (c == QLatin1Char('_')) {
            label += QStringLiteral("__");
        } else if (c != QLatin1Char('&')) {
            label += c;
        } else if (i + 1 < text.size()) {
            if (text[i + 1] == QLatin1Char('&'))
                label += text[++i];
            else
                label += QLatin1Char('_');
        }
    }
    return label;
}

}  // namespace

QDBusArgument& operator<<(QDBusArgument& argument, const MenuLayout& layout) {
    argument.beginStructure();
    argument << layout.id << layout.properties;
    argument.beginArray(QMetaType::fromType<QDBusVariant>());
    for (const MenuLayout& child : layout.children)
        argument << QDBusVariant(QVariant::fromValue(child));
    argument.endArray();
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, MenuLayout& layout) {
    argument.beginStructure();
    argument >> layout.id >> layout.properties;
    layout.children.clear();
    argument.beginArray();
    while (!argument.atEnd()) {
        QDBusVariant packed;
        argument >> packed;
        layout.children += qdbus_cast<MenuLayout>(packed.variant());
    }
    argument.endArray();
    argument.endStructure();
    return argument;
}

QDBusArgument& operator<<(QDBusArgument& argument, const MenuEntry& entry) {
    argument.beginStructure();
    argument << entry.id << entry.properties;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, MenuEntry& entry) {
    argument.beginStructure();
    argument >> entry.id >> entry.properties;
    argument.endStructure();
    return argument;
}

QDBusArgument& operator<<(QDBusArgument& argument, const MenuEvent& event) {
    argument.beginStructure();
    argument << event.id << event.name << event.data << event.time;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, MenuEvent& event) {
    argument.beginStructure();
    argument >> event.id >> event.name >> event.data >> event.time;
    argument.endStructure();
    return argument;
}

MenuExport::MenuExport(const QDBusConnection& session, QMenu& menu, QObject* parent)
    : QObject(parent), bus_(session), menu_(menu) {
    qDBusRegisterMetaType<MenuLayout>();
    qDBusRegisterMetaType<MenuEntry>();
    qDBusRegisterMetaType<QList<MenuEntry>>();
    qDBusRegisterMetaType<MenuEvent>();
    qDBusRegisterMetaType<QList<MenuEvent>>();
    pause_.setSingleShot(true);
    pause_.setInterval(kChangePause);
    connect(&pause_, &Timer::timeout, this, [this] { emit LayoutUpdated(++revision_, 0); });
    watch(&menu_);
}

QString MenuExport::path() {
    return QStringLiteral("/MenuBar");
}

void MenuExport::start() {
    bus_.registerObject(path(), this, QDBusConnection::ExportScriptableContents);
}

QString MenuExport::textDirection() const {
    return QApplication::isRightToLeft() ? QStringLiteral("rtl") : QStringLiteral("ltr");
}

// -- the menu

void MenuExport::watch(QMenu* menu) {
    menu->installEventFilter(this);
    const auto actions = menu->actions();
    for (QAction* const action : actions)
        idOf(action);
}

bool MenuExport::eventFilter(QObject* watched, QEvent* event) {
    switch (event->type()) {
        case QEvent::ActionAdded:
            idOf(static_cast<QActionEvent*>(event)->action());
            changed();
            break;
        case QEvent::ActionChanged:
        case QEvent::ActionRemoved:
            changed();
            break;
        default:
            break;
    }
    return QObject::eventFilter(watched, event);
}

void MenuExport::changed() {
    if (!pause_.isActive())
        pause_.start();
}

int MenuExport::idOf(QAction* action) {
    const auto known = ids_.constFind(action);
    if (known != ids_.constEnd())
        return *known;
    const int id = ++lastId_;
    ids_.insert(action, id);
    actions_.insert(id, action);
    connect(action, &QObject::destroyed, this,
            [this](QObject* gone) { actions_.remove(ids_.take(gone)); });
    if (action->menu() != nullptr)
        watch(action->menu());
    return id;
}

QMenu* MenuExport::menuOf(int id) const {
    if (id == 0)
        return &menu_;
    const QAction* const action = actionOf(id);
    return action != nullptr ? action->menu() : nullptr;
}

// Only what is not as it is by default.
QVariantMap MenuExport::propertiesOf(int id) const {
    QVariantMap properties;
    const QAction* const action = actionOf(id);
    if (menuOf(id) != nullptr)
        properties.insert(QStringLiteral("children-display"), QStringLiteral("submenu"));
    if (action == nullptr)
        return properties;
    if (action->isSeparator())
        properties.insert(QStringLiteral("type"), QStringLiteral("separator"));
    else
        properties.insert(QStringLiteral("label"), labelOf(action->text()));
    if (!action->isEnabled())
        properties.insert(QStringLiteral("enabled"), false);
    if (!action->isVisible())
        properties.insert(QStringLiteral("visible"), false);
    const QString icon = action->property(kIconName).toString();
    if (QIcon::hasThemeIcon(icon))
        properties.insert(QStringLiteral("icon-name"), icon);
    else if (const QVariant data = action->property(kIconData); data.isValid())
        properties.insert(QStringLiteral("icon-data"), data);
    return properties;
}

MenuLayout MenuExport::layoutOf(int id, int depth) {
    MenuLayout layout{id, propertiesOf(id), {}};
    QMenu* const menu = menuOf(id);
    if (menu == nullptr || depth == 0)
        return layout;
    const auto actions = menu->actions();
    for (QAction* const action : actions)
        layout.children += layoutOf(idOf(action), depth - 1);
    return layout;
}

// -- the bus

// `names` may be fewer than all, which a host must be able to take, too.
uint MenuExport::GetLayout(int parent, int depth, const QStringList&, MenuLayout& layout) {
    // Without a limit it is -1.
    layout = layoutOf(parent, depth);
    return revision_;
}

QList<MenuEntry> MenuExport::GetGroupProperties(const QList<int>& ids, const QStringList&) {
    QList<MenuEntry> entries;
    const QList<int> all = ids.isEmpty() ? actions_.keys() : ids;
    for (const int id : all)
        if (id == 0 || actionOf(id) != nullptr)
            entries += MenuEntry{id, propertiesOf(id)};
    return entries;
}

QDBusVariant MenuExport::GetProperty(int id, const QString& name) {
    const QVariantMap properties = propertiesOf(id);
    return QDBusVariant(properties.value(name, QString()));
}

void MenuExport::Event(int id, const QString& name, const QDBusVariant&, uint) {
    QAction* const action = actionOf(id);
    if (name == QLatin1String("clicked") && action != nullptr) {
        // The caller has its answer before anything is done.
        QMetaObject::invokeMethod(action, &QAction::trigger, Qt::QueuedConnection);
    } else if (name == QLatin1String("opened")) {
        AboutToShow(id);
    }
}

QList<int> MenuExport::EventGroup(const QList<MenuEvent>& events) {
    QList<int> unknown;
    for (const MenuEvent& event : events) {
        if (event.id != 0 && actionOf(event.id) == nullptr)
            unknown += event.id;
        else
            Event(event.id, event.name, event.data, event.time);
    }
    return unknown;
}

bool MenuExport::AboutToShow(int id) {
    QMenu* const menu = menuOf(id);
    if (menu == nullptr)
        return false;
    emit menu->aboutToShow();
    return pause_.isActive();
}

QList<int> MenuExport::AboutToShowGroup(const QList<int>& ids, QList<int>& errors) {
    QList<int> updated;
    for (const int id : ids) {
        if (menuOf(id) == nullptr)
            errors += id;
        else if (AboutToShow(id))
            updated += id;
    }
    return updated;
}

}  // namespace belay::ui
