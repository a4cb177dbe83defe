#include "ui/i18n/language.h"

#include <QtCore/QLibraryInfo>
#include <QtCore/QTranslator>

namespace belay::ui {

void speak(QCoreApplication& program, const QLocale& locale) {
    auto* own = new QTranslator(&program);
    const QString name = QStringLiteral("belay");
    const QString separator = QStringLiteral("_");
    const QString folder = QStringLiteral(":/i18n");
    const bool translated = own->load(locale, name, separator, folder);
    // English has plural forms to be found too.
    if (translated || own->load(QLocale(QLocale::English), name, separator, folder))
        QCoreApplication::installTranslator(own);
    if (!translated)
        return;
    auto* qts = new QTranslator(&program);
    if (qts->load(locale, QStringLiteral("qtbase"), separator,
                  QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
        QCoreApplication::installTranslator(qts);
}

}  // namespace belay::ui
