// asker DEVICE: what the window asks of the device that is selected in it: watches everything, and
// has the requests in flight listed four times a second.
#include <QtCore/QCoreApplication>
#include <QtCore/QTimer>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusMessage>
#include <QtDBus/QDBusPendingCallWatcher>
#include <cstdio>

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    const QString service = QStringLiteral("org.belay.Helper1");
    const QString device = QString::fromLocal8Bit(argc == 2 ? argv[1] : "");
    auto bus = QDBusConnection::systemBus();
    bus.call(QDBusMessage::createMethodCall(service, QStringLiteral("/org/belay/Helper1"),
                                            QStringLiteral("org.freedesktop.DBus.ObjectManager"),
                                            QStringLiteral("GetManagedObjects")));
    QTimer timer;
    QObject::connect(&timer, &QTimer::timeout, &application, [&] {
        auto ask = QDBusMessage::createMethodCall(
            service, device, QStringLiteral("org.belay.Device1"), QStringLiteral("ListInFlight"));
        ask << QVariantMap();
        auto* const answer = new QDBusPendingCallWatcher(bus.asyncCall(ask), &timer);
        QObject::connect(answer, &QDBusPendingCallWatcher::finished, answer, [answer] {
            std::puts(answer->isError() ? "error" : "answer");
            std::fflush(stdout);
            answer->deleteLater();
        });
    });
    timer.start(250);
    return QCoreApplication::exec();
}
