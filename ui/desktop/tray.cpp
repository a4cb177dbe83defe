#include "ui/desktop/tray.h"

#include "ui/model/service.h"
#include "ui/model/words.h"
#include "ui/window/device_actions.h"
#include "ui/window/look.h"

#include <QtCore/QBuffer>
#include <QtWidgets/QApplication>
#include <QtWidgets/QSystemTrayIcon>
#include <algorithm>
#include <chrono>

namespace belay::ui {
namespace {

using namespace std::chrono_literals;

// A tray of today is at the bus by then, if there is one.
constexpr auto kOldTrayPause = 1s;
// Qt does not tell when one of X11 comes or goes.
constexpr auto kOldTrayPeriod = 5s;
// Counters of many devices change at once, and often.
constexpr auto kIconPause = 50ms;
// Pixels, for menus at any scale.
constexpr int kMenuIcon = 32;

QString iconName(Tray::State state) {
    switch (state) {
        case Tray::State::NeedsAttention:
            return QStringLiteral("belay-attention");
        case Tray::State::Active:
            return QStringLiteral("org.belay.Belay");
        case Tray::State::Passive:
            break;
    }
    return QStringLiteral("belay-idle");
}

// For who does not find it by its name. How light a tray is nobody says: these are seen on both.
QIcon iconOf(Tray::State state) {
    switch (state) {
        case Tray::State::NeedsAttention:
            return symbolicIcon(iconName(state), QColor(0xe0, 0x5a, 0x1f));
        case Tray::State::Active:
            return applicationIcon();
        case Tray::State::Passive:
            break;
    }
    return symbolicIcon(iconName(state), QColor(0x80, 0x80, 0x80));
}

// Programs hang on it, or bytes.
bool holdsSomething(const Device& device) {
    return device.inFlight > 0 || device.unsavedBytes > 0;
}

bool isWaiting(const Device& device) {
    return device.state == QLatin1String("waiting");
}

// In an action's text, & marks a letter.
QString plain(QString text) {
    return text.replace(QLatin1Char('&'), QStringLiteral("&&"));
}

}  // namespace

Tray::Tray(Service& service, DeviceActions& actions, const QDBusConnection& session)
    : service_(service),
      actions_(actions),
      end_(menu_.addSeparator()),
      export_(session, menu_),
      notifier_(session, MenuExport::path()) {
    connect(menu_.addAction(tr("Show &window")), &QAction::triggered, this,
            [this] { emit windowWanted({}); });
    connect(menu_.addAction(tr("&Quit")), &QAction::triggered, this, &Tray::quitWanted);
    connect(&menu_, &QMenu::aboutToShow, this, &Tray::updateDevices);
    connect(&notifier_, &StatusNotifier::activated, this, &Tray::windowWanted);
    connect(&notifier_, &StatusNotifier::shownChanged, this, [this] {
        updateOldTray();
        emit availableChanged();
    });
    oldTrayPause_.setSingleShot(true);
    connect(&oldTrayPause_, &Timer::timeout, this, &Tray::updateOldTray);
    oldTrayCheck_.setInterval(kOldTrayPeriod);
    connect(&oldTrayCheck_, &Timer::timeout, this, &Tray::checkOldTray);
    iconPause_.setSingleShot(true);
    iconPause_.setInterval(kIconPause);
    connect(&iconPause_, &Timer::timeout, this, &Tray::updateIcon);
    const auto updateSoon = [this] {
        if (!iconPause_.isActive())
            iconPause_.start();
    };

    connect(&service_, &Service::deviceAdded, this, &Tray::addDevice);
    connect(&service_, &Service::deviceGone, this, &Tray::removeDevice);
    connect(&service_, &Service::deviceChanged, this, &Tray::updateDevice);
    connect(&service_, &Service::busyChanged, this, &Tray::updateDevice);
    connect(&service_, &Service::standingChanged, this, &Tray::updateDevices);
    connect(&service_, &Service::standingChanged, this, updateSoon);
    connect(&service_, &Service::deviceAdded, this, updateSoon);
    connect(&service_, &Service::deviceChanged, this, updateSoon);
    connect(&service_, &Service::countersChanged, this, updateSoon);
    connect(&service_, &Service::deviceGone, this, updateSoon);
    const auto devices = service_.devices().keys();
    for (const QString& device : devices)
        addDevice(device);
    updateIcon();
}

Tray::~Tray() = default;

void Tray::start() {
    started_ = true;
    export_.start();
    notifier_.start();
    oldTrayPause_.start(kOldTrayPause);
}

bool Tray::isAvailable() {
    if (notifier_.isShown())
        return true;
    oldTrayThere_ = old_ && QSystemTrayIcon::isSystemTrayAvailable();
    return oldTrayThere_;
}

void Tray::setNeeded(bool needed) {
    needed_ = needed;
    updateIcon();
}

// Qt's icon finds trays of X11 by itself, whenever they come. It must not be made while there is
// another tray: it would go there, too.
void Tray::updateOldTray() {
    if (notifier_.isShown() || oldTrayPause_.isActive() || !started_) {
        old_.reset();
        oldTrayCheck_.stop();
        return;
    }
    if (old_ || QApplication::platformName() != QLatin1String("xcb"))
        return;
    old_ = std::make_unique<QSystemTrayIcon>();
    old_->setContextMenu(&menu_);
    connect(old_.get(), &QSystemTrayIcon::activated, this,
            [this](QSystemTrayIcon::ActivationReason reason) {
                if (reason == QSystemTrayIcon::Trigger)
                    emit windowWanted({});
            });
    updateIcon();
    old_->show();
    oldTrayCheck_.start();
}

void Tray::checkOldTray() {
    const bool before = oldTrayThere_;
    if (isAvailable() != before)
        emit availableChanged();
}

// -- what it shows

Tray::State Tray::stateNow() const {
    const auto& devices = service_.devices();
    const bool attention = std::ranges::any_of(devices, [](const Device& device) {
        return device.needsUser() || (isWaiting(device) && holdsSomething(device));
    });
    if (attention)
        return State::NeedsAttention;
    return devices.isEmpty() && !needed_ ? State::Passive : State::Active;
}

void Tray::updateIcon() {
    state_ = stateNow();
    // Needed or not, without devices it looks idle.
    const State looks =
        state_ == State::Active && service_.devices().isEmpty() ? State::Passive : state_;
    const QIcon icon = iconOf(looks);
    const QString tip = toolTip();
    notifier_.set(state_, iconName(looks) + QStringLiteral("-symbolic"), icon, tip);
    if (old_) {
        old_->setIcon(icon);
        old_->setToolTip(tip);
    }
}

QString Tray::toolTip() const {
    int ready = 0;
    int waiting = 0;
    int attention = 0;
    for (const Device& device : service_.devices()) {
        if (device.needsUser())
            ++attention;
        else if (isWaiting(device))
            ++waiting;
        else
            ++ready;
    }
    QStringList parts;
    if (attention > 0)
        parts += tr("%n device(s) need attention", nullptr, attention);
    if (waiting > 0)
        parts += tr("%n device(s) unplugged, waiting", nullptr, waiting);
    if (ready > 0)
        parts += tr("%n device(s) in use", nullptr, ready);
    if (parts.isEmpty())
        parts += service_.standing() == Service::Standing::Running
                     ? tr("No devices")
                     : tr("The helper service is not there.");
    return parts.join(QLatin1Char('\n'));
}

// -- the menu

void Tray::addDevice(const QString& path) {
    auto entry = std::make_shared<Entry>();
    entry->menu = std::make_unique<QMenu>();
    entry->line = entry->menu->addAction(QString());
    entry->line->setEnabled(false);
    entry->menu->addSeparator();
    entry->recover = entry->menu->addAction(tr("&Recover"));
    entry->stop = entry->menu->addAction(tr("&Stop"));
    connect(entry->menu.get(), &QMenu::aboutToShow, this, [this, path] { updateDevice(path); });
    connect(entry->recover, &QAction::triggered, this, [this, path] { recover(path); });
    connect(entry->stop, &QAction::triggered, this, [this, path] { stop(path); });
    entries_.insert(path, entry);
    updateDevice(path);
    menu_.insertMenu(end_, entry->menu.get());
}

void Tray::removeDevice(const QString& path) {
    entries_.remove(path);
}

void Tray::updateDevice(const QString& path) {
    const Device* const device = service_.device(path);
    const auto entry = entries_.value(path);
    if (device == nullptr || !entry)
        return;
    const StateWords words = Words::of(*device, Clock::current().now());
    entry->menu->setTitle(plain(device->title()));
    setIcon(*entry, words);
    entry->line->setText(plain(words.line()));
    entry->recover->setEnabled(actions_.canRecover(path));
    entry->stop->setEnabled(actions_.canStop(path));
}

void Tray::setIcon(Entry& entry, const StateWords& words) {
    QAction* const action = entry.menu->menuAction();
    const QString name = words.icon + QStringLiteral("-symbolic");
    if (action->property(MenuExport::kIconName).toString() == name)
        return;
    const QIcon icon = symbolicIcon(words.icon, colorOf(words.tone, QApplication::palette()));
    QByteArray& data = iconData_[name];
    if (data.isEmpty()) {
        QBuffer file(&data);
        icon.pixmap(QSize(kMenuIcon, kMenuIcon), 1).save(&file, "PNG");
    }
    action->setProperty(MenuExport::kIconName, name);
    action->setProperty(MenuExport::kIconData, data);
    action->setIcon(icon);
}

void Tray::updateDevices() {
    const auto devices = entries_.keys();
    for (const QString& device : devices)
        updateDevice(device);
}

void Tray::recover(const QString& path) {
    const Device* const device = service_.device(path);
    if (device == nullptr)
        return;
    // There is a question to be answered first, beside what it is about.
    if (device->problems.contains(QLatin1String("data-may-be-missing")))
        emit deviceWanted(path);
    actions_.recover(path);
}

void Tray::stop(const QString& path) {
    const Device* const device = service_.device(path);
    if (device == nullptr)
        return;
    if (!device->holders.isEmpty() || holdsSomething(*device))
        emit deviceWanted(path);
    else
        actions_.stop(path);
}

}  // namespace belay::ui
