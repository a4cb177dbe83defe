#include "ui/i18n/language.h"
#include "ui/model/words.h"

#include <QtCore/QDir>
#include <QtCore/QFile>
#include <QtCore/QProcess>
#include <QtCore/QRegularExpression>
#include <QtCore/QTemporaryDir>
#include <QtCore/QTranslator>
#include <QtTest/QTest>
#include <QtXml/QDomDocument>
#include <algorithm>

using namespace belay;

namespace {

// One text of a .ts file with what stands for it in the file's language: one translation, or one
// for each of the language's plural forms.
struct Message {
    QString context;
    QString source;
    bool plural = false;
    QString type;  // "", "unfinished", "vanished" or "obsolete"
    QStringList translations;

    QString name() const { return context + ": " + source; }
};

QList<Message> messagesOf(const QString& path) {
    QFile file(path);
    QDomDocument document;
    if (!file.open(QIODevice::ReadOnly) || !document.setContent(&file))
        return {};
    QList<Message> messages;
    for (QDomElement context = document.documentElement().firstChildElement("context");
         !context.isNull(); context = context.nextSiblingElement("context")) {
        for (QDomElement element = context.firstChildElement("message"); !element.isNull();
             element = element.nextSiblingElement("message")) {
            const QDomElement translation = element.firstChildElement("translation");
            Message message{context.firstChildElement("name").text(),
                            element.firstChildElement("source").text(),
                            element.attribute("numerus") == "yes",
                            translation.attribute("type"),
                            {}};
            if (message.plural) {
                for (QDomElement form = translation.firstChildElement("numerusform");
                     !form.isNull(); form = form.nextSiblingElement("numerusform"))
                    message.translations += form.text();
            } else
                message.translations += translation.text();
            messages += message;
        }
    }
    return messages;
}

// %1, %L2, %n and so on, each as often as it occurs, in the alphabet's order.
QStringList placeholders(const QString& text) {
    static const QRegularExpression kForm("%L?([0-9]{1,2}|n)");
    QStringList found;
    for (auto it = kForm.globalMatch(text); it.hasNext();)
        found += it.next().captured();
    std::sort(found.begin(), found.end());
    return found;
}

// What a text must have in common with its translation besides its placeholders: whether it has
// a key of its own, and how it ends.
QString shape(QString text) {
    text.remove("&&");
    QString result = QString::number(text.count('&')) + " key(s)";
    for (const QString end : {"…", ":", ".", "?", ")"}) {
        if (text.endsWith(end))
            result += ", ends with " + end;
    }
    return result;
}

}  // namespace

// The window's words in other languages: all of them, and nothing that is no longer said.
class TestUiTranslations : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase();
    void everythingIsTranslated_data();
    void everythingIsTranslated();
    void translationsFit_data() { everythingIsTranslated_data(); }
    void translationsFit();
    void theProgramSpeaks_data();
    void theProgramSpeaks();

 private:
    QString copy(const QString& language) const {
        return copies_.filePath("belay_" + language + ".ts");
    }

    QTemporaryDir copies_;
};

// Copies of the .ts files, brought up to date from the sources as update_translations does.
void TestUiTranslations::initTestCase() {
    const QDir sources(BELAY_SOURCE_DIR);
    QStringList arguments{"-silent", "-locations", "none", "-I", BELAY_SOURCE_DIR};
    for (const QString folder : {"ui", "app"}) {
        if (sources.exists(folder))
            arguments += sources.filePath(folder);
    }
    for (const QString language : {"de", "en", "es", "fr"}) {
        QVERIFY(QFile::copy(sources.filePath("translations/belay_" + language + ".ts"),
                            copy(language)));
        QStringList own = arguments;
        if (language == "en")
            own += "-pluralonly";
        QProcess update;
        update.start(BELAY_LUPDATE, own + QStringList{"-ts", copy(language)});
        QVERIFY2(update.waitForFinished() && update.exitCode() == 0, update.readAllStandardError());
    }
}

void TestUiTranslations::everythingIsTranslated_data() {
    QTest::addColumn<QString>("language");
    QTest::addColumn<bool>("pluralsOnly");
    QTest::newRow("German") << "de" << false;
    QTest::newRow("English") << "en" << true;
    QTest::newRow("Spanish") << "es" << false;
    QTest::newRow("French") << "fr" << false;
}

void TestUiTranslations::everythingIsTranslated() {
    QFETCH(QString, language);
    QFETCH(bool, pluralsOnly);
    const QList<Message> messages = messagesOf(copy(language));
    QVERIFY(messages.size() > (pluralsOnly ? 1 : 100));
    QStringList faults;
    for (const Message& message : messages) {
        // One and many: all four languages have these two.
        const qsizetype forms = message.plural ? 2 : 1;
        if (!message.type.isEmpty())
            faults += message.type + ": " + message.name();
        else if (message.translations.size() != forms || message.translations.contains(QString()))
            faults += "a form is missing: " + message.name();
        else if (message.plural && message.translations[0] == message.translations[1])
            faults += "both plural forms are the same: " + message.name();
    }
    QVERIFY2(faults.isEmpty(), qPrintable("\n" + faults.join('\n') +
                                          "\nThe target update_translations takes new texts into "
                                          "translations/*.ts, to be translated there."));
}

void TestUiTranslations::translationsFit() {
    QFETCH(QString, language);
    QFETCH(bool, pluralsOnly);
    int same = 0;
    int all = 0;
    for (const Message& message : messagesOf(copy(language))) {
        for (const QString& translation : message.translations) {
            if (translation.isEmpty())
                continue;
            QVERIFY2(placeholders(translation) == placeholders(message.source) &&
                         shape(translation) == shape(message.source),
                     qPrintable(message.name() + " / " + translation));
            ++all;
            same += translation == message.source ? 1 : 0;
        }
    }
    // Names, units and keys are the same in all languages; little else is.
    if (!pluralsOnly)
        QVERIFY2(same * 6 < all, qPrintable(QStringLiteral("%1 of %2").arg(same).arg(all)));
}

void TestUiTranslations::theProgramSpeaks_data() {
    QTest::addColumn<QString>("locale");
    QTest::addColumn<QString>("recover");
    QTest::addColumn<QString>("one");
    QTest::addColumn<QString>("many");
    QTest::newRow("German") << "de_AT"
                            << "&Wiederherstellen"
                            << "%1 Anfrage zurückgehalten"
                            << "%1 Anfragen zurückgehalten";
    QTest::newRow("Spanish") << "es_MX"
                             << "&Recuperar"
                             << "%1 petición retenida"
                             << "%1 peticiones retenidas";
    QTest::newRow("French") << "fr_CA"
                            << "&Rétablir"
                            << "%1 requête retenue"
                            << "%1 requêtes retenues";
    QTest::newRow("English") << "en_GB"
                             << "&Recover"
                             << "%1 request held"
                             << "%1 requests held";
    QTest::newRow("a language of none") << "C"
                                        << "&Recover"
                                        << "%1 request held"
                                        << "%1 requests held";
    QTest::newRow("a language not translated to") << "fi_FI"
                                                  << "&Recover"
                                                  << "%1 request held"
                                                  << "%1 requests held";
}

void TestUiTranslations::theProgramSpeaks() {
    QFETCH(QString, locale);
    QFETCH(QString, recover);
    QFETCH(QString, one);
    QFETCH(QString, many);
    ui::speak(*qApp, QLocale(locale));
    // The window's class is in a namespace, which is part of what its words are found by.
    QCOMPARE(QCoreApplication::translate("belay::ui::MainWindow", "&Recover"), recover);
    ui::Device device;
    device.state = "waiting";
    for (const uint held : {1U, 2U, 5U}) {
        device.inFlight = held;
        const QString text = ui::Words::of(device, QDateTime::currentDateTime()).detail;
        QCOMPARE(text, (held == 1 ? one : many).arg(held));
    }
    for (auto* translator : qApp->findChildren<QTranslator*>())
        delete translator;
}

QTEST_GUILESS_MAIN(TestUiTranslations)
#include "tst_ui_translations.moc"
