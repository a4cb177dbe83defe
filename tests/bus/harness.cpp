#include "tests/bus/harness.h"

#include <pwd.h>

#include <QtCore/QEventLoop>
#include <QtCore/QRegularExpression>
#include <QtCore/QTimer>
#include <QtDBus/QDBusPendingCallWatcher>
#include <QtDBus/QDBusVariant>

namespace belay::test {

QStringList commandAs(const char* user, const QStringList& command) {
    if (user == QLatin1String(kRoot))
        return command;
    const passwd* const entry = ::getpwnam(user);
    if (entry == nullptr)
        qFatal("there is no user %s", user);
    return QStringList{QStringLiteral("setpriv"), QStringLiteral("--reuid=%1").arg(entry->pw_uid),
                       QStringLiteral("--regid=%1").arg(entry->pw_gid),
                       QStringLiteral("--clear-groups")} +
           command;
}

Ran runAs(const char* user, const QStringList& command) {
    const QStringList all = commandAs(user, command);
    QProcess process;
    QEventLoop loop;
    QObject::connect(&process, &QProcess::finished, &loop, &QEventLoop::quit);
    QObject::connect(&process, &QProcess::errorOccurred, &loop, &QEventLoop::quit);
    QTimer::singleShot(kPatienceMs, &loop, &QEventLoop::quit);
    process.start(all.first(), all.mid(1));
    loop.exec();
    if (process.state() != QProcess::NotRunning) {
        process.kill();
        process.waitForFinished();
    }
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
            QString::fromUtf8(process.readAllStandardOutput()),
            QString::fromUtf8(process.readAllStandardError())};
}

Ran callAs(const char* user, const QString& path, const char* interface, const QString& method,
           const QStringList& arguments) {
    return runAs(
        user, QStringList{QStringLiteral("busctl"), QStringLiteral("--system"),
                          QStringLiteral("call"), QLatin1String(bus::kService),
                          QLatin1String(bus::kRootPath) + path, QLatin1String(interface), method} +
                  arguments);
}

QString pathIn(const Ran& ran) {
    static const QRegularExpression form(QStringLiteral("^o \"(/[^\"]*)\"\n$"));
    return form.match(ran.out).captured(1);
}

QDBusConnection connectAs(const QString& name) {
    return QDBusConnection::connectToBus(QStringLiteral("unix:path=/run/dbus/system_bus_socket"),
                                         name);
}

QDBusMessage call(const QDBusConnection& client, const QString& path, const char* interface,
                  const QString& method, const QVariantList& arguments) {
    auto message = QDBusMessage::createMethodCall(QLatin1String(bus::kService),
                                                  QLatin1String(bus::kRootPath) + path,
                                                  QLatin1String(interface), method);
    message.setArguments(arguments);
    QDBusPendingCallWatcher pending(client.asyncCall(message));
    QEventLoop loop;
    QObject::connect(&pending, &QDBusPendingCallWatcher::finished, &loop, &QEventLoop::quit);
    if (!pending.isFinished())
        loop.exec();
    return pending.reply();
}

QVariant get(const QDBusConnection& client, const QString& path, const char* interface,
             const QString& property) {
    const auto reply = call(client, path, "org.freedesktop.DBus.Properties", QStringLiteral("Get"),
                            {QLatin1String(interface), property});
    return reply.arguments().value(0).value<QDBusVariant>().variant();
}

void spin(int milliseconds) {
    QEventLoop loop;
    QTimer::singleShot(milliseconds, &loop, &QEventLoop::quit);
    loop.exec();
}

bool spinUntil(const std::function<bool()>& met) {
    QEventLoop loop;
    bool patient = true;
    QTimer::singleShot(kPatienceMs, &loop, [&patient] { patient = false; });
    while (!met() && patient)
        loop.processEvents(QEventLoop::WaitForMoreEvents);
    return met();
}

}  // namespace belay::test
