#include "app/program.h"
#include "helper/service/unix_signals.h"
#include "ui/desktop/single_instance.h"
#include "ui/i18n/language.h"

#include <QtCore/QCommandLineParser>
#include <QtDBus/QDBusConnection>
#include <QtWidgets/QApplication>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace belay;

namespace {

constexpr auto kBackground = "background";

// With which our window, or that of the one that runs already, may come to the front.
QString takeActivationToken() {
    QByteArray token = qgetenv("XDG_ACTIVATION_TOKEN");
    if (token.isEmpty())
        token = qgetenv("DESKTOP_STARTUP_ID");
    return QString::fromUtf8(token);
}

void parse(QCommandLineParser& parser, QCoreApplication& program) {
    QCoreApplication::setApplicationName(QStringLiteral("belay"));
    QCoreApplication::setApplicationVersion(QStringLiteral(BELAY_VERSION));
    ui::speak(program);
    parser.setApplicationDescription(QCoreApplication::translate(
        "Program", "Disks over a USB cable that survive the cable being pulled."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOption({QLatin1String(kBackground),
                      QCoreApplication::translate(
                          "Program", "Starts in the tray, without a window if there is a tray.")});
    parser.process(program);
}

// Whether it is a question that is answered in the terminal.
bool wantsText(int argc, char** argv) {
    return std::any_of(argv + 1, argv + argc, [](std::string_view argument) {
        return argument == "--help" || argument == "-h" || argument == "--help-all" ||
               argument == "--version" || argument == "-v";
    });
}

// Qt would abort.
bool hasDisplay(int argc, char** argv) {
    const bool chosen = std::any_of(argv + 1, argv + argc, [](std::string_view argument) {
        return argument.ends_with("-platform") || argument.ends_with("-display");
    });
    return chosen || !qEnvironmentVariableIsEmpty("DISPLAY") ||
           !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY") ||
           !qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM");
}

}  // namespace

int main(int argc, char** argv) {
    if (wantsText(argc, argv)) {
        QCoreApplication program(argc, argv);
        QCommandLineParser parser;
        parse(parser, program);
        return EXIT_SUCCESS;
    }
    if (!hasDisplay(argc, argv)) {
        std::fputs(
            "belay: there is no display here; use “busctl tree org.belay.Helper1” or log in "
            "to a desktop\n",
            stderr);
        return EXIT_FAILURE;
    }
    const QString token = takeActivationToken();
    QApplication program(argc, argv);
    QApplication::setApplicationDisplayName(QStringLiteral("Belay"));
    QApplication::setDesktopFileName(QStringLiteral("org.belay.Belay"));
    QApplication::setQuitOnLastWindowClosed(false);
    QCommandLineParser parser;
    parse(parser, program);
    const bool background = parser.isSet(QLatin1String(kBackground));

    const QDBusConnection session = QDBusConnection::sessionBus();
    ui::SingleInstance instance(session);
    if (!instance.claim()) {
        if (background || instance.activateOther(token))
            return EXIT_SUCCESS;
        std::fputs("belay: it runs already, but does not answer; end it and start it again\n",
                   stderr);
        return EXIT_FAILURE;
    }
    app::Program belay(QDBusConnection::systemBus(), session);
    QObject::connect(&instance, &ui::SingleInstance::activated, &belay, &app::Program::show);
    // What is shown on the desktop is taken back, which a signal alone would not do.
    const service::UnixSignals ending([] { QApplication::quit(); });
    belay.start(background);
    return QApplication::exec();
}
