#include "ui/desktop/permissions.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QMetaEnum>
#include <QtCore/QTextStream>

// Prints what the user who runs it may do, each time that it changes, until its input ends.
int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    belay::ui::Permissions permissions(QDBusConnection::systemBus());
    QObject::connect(&permissions, &belay::ui::Permissions::changed, [&permissions] {
        QTextStream out(stdout);
        for (const char* const action : {"stop", "attach", "recover"})
            out << action << ' '
                << QMetaEnum::fromType<belay::ui::Permissions::Answer>().valueToKey(
                       int(permissions.of(QStringLiteral("org.belay.") + QLatin1String(action))))
                << ' ';
        out << '\n';
    });
    permissions.start();
    return application.exec();
}
