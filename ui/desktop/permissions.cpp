#include "ui/desktop/permissions.h"

#ifdef BELAY_HAS_POLKIT_QT
#include <polkitqt1-authority.h>
#include <polkitqt1-subject.h>

#include <QtDBus/QDBusMessage>
#include <QtDBus/QDBusPendingCallWatcher>
#include <chrono>
#endif

namespace belay::ui {

Permissions::Permissions(const QDBusConnection& bus, QObject* parent)
    : QObject(parent), bus_(bus) {}

#ifdef BELAY_HAS_POLKIT_QT

namespace {

using PolkitQt1::Authority;
using namespace std::chrono_literals;

constexpr auto kPatience = 5s;

const QStringList kActions = {QStringLiteral("org.belay.attach"), QStringLiteral("org.belay.lend"),
                              QStringLiteral("org.belay.recover"), QStringLiteral("org.belay.stop"),
                              QStringLiteral("org.belay.set-policy")};

}  // namespace

void Permissions::start() {
    // Not a ping, which D-Bus libraries answer by themselves, even for a program that hangs.
    QDBusMessage question = QDBusMessage::createMethodCall(
        QStringLiteral("org.freedesktop.PolicyKit1"),
        QStringLiteral("/org/freedesktop/PolicyKit1/Authority"),
        QStringLiteral("org.freedesktop.DBus.Properties"), QStringLiteral("GetAll"));
    question << QStringLiteral("org.freedesktop.PolicyKit1.Authority");
    auto* const watcher = new QDBusPendingCallWatcher(bus_.asyncCall(question), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
        watcher->deleteLater();
        if (watcher->isError() || connected_)
            return;
        connected_ = true;
        patience_.setSingleShot(true);
        connect(&patience_, &Timer::timeout, this, [this] {
            Authority::instance()->checkAuthorizationCancel();
            take(Answer::Unknown);
        });
        Authority* const authority = Authority::instance();
        connect(authority, &Authority::configChanged, this, &Permissions::askAll);
        connect(authority, &Authority::checkAuthorizationFinished, this,
                [this](Authority::Result result) {
                    take(result == Authority::Yes         ? Answer::Yes
                         : result == Authority::Challenge ? Answer::Password
                         : result == Authority::No        ? Answer::No
                                                          : Answer::Unknown);
                });
        askAll();
    });
}

void Permissions::askAll() {
    toAsk_ = kActions;
    if (asked_.isEmpty())
        askNext();
}

void Permissions::askNext() {
    if (toAsk_.isEmpty()) {
        asked_.clear();
        emit changed();
        return;
    }
    asked_ = toAsk_.takeFirst();
    Authority* const authority = Authority::instance();
    // After an error it would never answer again.
    authority->clearError();
    patience_.start(kPatience);
    authority->checkAuthorization(asked_, PolkitQt1::SystemBusNameSubject(bus_.baseService()),
                                  Authority::None);
}

void Permissions::take(Answer answer) {
    if (asked_.isEmpty())
        return;
    patience_.stop();
    know(asked_, answer);
    askNext();
}

#else

void Permissions::start() {}

#endif

}  // namespace belay::ui
