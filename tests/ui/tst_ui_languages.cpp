#include "core/lifecycle/policy.h"
#include "core/lifecycle/state.h"
#include "tests/ui/window_bench.h"
#include "ui/i18n/language.h"
#include "ui/model/format.h"

#include <QtCore/QRegularExpression>
#include <QtCore/QTranslator>
#include <QtTest/QTest>
#include <QtWidgets/QApplication>
#include <QtWidgets/QHeaderView>
#include <QtWidgets/QLabel>
#include <QtWidgets/QMenu>
#include <QtWidgets/QMenuBar>
#include <QtWidgets/QTabBar>
#include <QtWidgets/QTabWidget>
#include <set>

using namespace belay;
using namespace belay::test;

namespace {

// A language in which every text stands in brackets, written from the right: what is not in
// brackets cannot be translated.
class Brackets : public QTranslator {
 public:
    using QTranslator::QTranslator;
    bool isEmpty() const override { return false; }
    QString translate(const char*, const char* text, const char*, int) const override {
        return QStringLiteral("[%1]").arg(QString::fromUtf8(text));
    }
};

// A text of the window's and where it is, for messages.
struct Shown {
    QString where;
    QString text;
};

void add(QList<Shown>& all, const QObject* object, const char* what, const QString& text) {
    if (!text.isEmpty())
        all += {QStringLiteral("%1 of %2").arg(what, object->metaObject()->className()), text};
}

void addActions(QList<Shown>& all, QMenu* menu) {
    // As when it opens.
    QMetaObject::invokeMethod(menu, "aboutToShow");
    const auto actions = menu->actions();
    for (QAction* const action : actions) {
        if (!action->isSeparator())
            add(all, action, "text", action->text());
        if (action->menu() != nullptr)
            addActions(all, action->menu());
    }
}

// All that the window says, to eyes and to ears.
QList<Shown> textsOf(QMainWindow& window) {
    QList<Shown> all;
    for (QAction* const action : window.menuBar()->actions()) {
        add(all, action, "text", action->text());
        addActions(all, action->menu());
    }
    const auto widgets = window.findChildren<QWidget*>();
    for (QWidget* const widget : widgets) {
        add(all, widget, "accessible name", widget->accessibleName());
        add(all, widget, "accessible description", widget->accessibleDescription());
        add(all, widget, "tool tip", widget->toolTip());
        if (auto* const label = qobject_cast<QLabel*>(widget))
            add(all, label, "text", label->text());
        if (auto* const button = qobject_cast<QAbstractButton*>(widget))
            add(all, button, "text", button->text());
        if (auto* const tabs = qobject_cast<QTabBar*>(widget))
            for (int i = 0; i < tabs->count(); ++i)
                add(all, tabs, "tab", tabs->tabText(i));
        if (auto* const view = qobject_cast<QAbstractItemView*>(widget))
            for (int i = 0; view->model() != nullptr && i < view->model()->columnCount(); ++i) {
                const QVariant heading = view->model()->headerData(i, Qt::Horizontal);
                if (heading.typeId() == QMetaType::QString)
                    add(all, view, "heading", heading.toString());
            }
    }
    return all;
}

// The letter after a lonely "&", in lower case; null without one.
QChar keyOf(const QString& text) {
    static const QRegularExpression kKey("(?:^|[^&])&([^&])");
    const QRegularExpressionMatch match = kKey.match(text);
    return match.hasMatch() ? match.captured(1)[0].toLower() : QChar();
}

// The first two of the texts that have the same key.
QString collision(const QStringList& texts) {
    QMap<QChar, QString> taken;
    for (const QString& text : texts) {
        const QChar key = keyOf(text);
        if (key.isNull())
            continue;
        if (taken.contains(key))
            return taken[key] + " and " + text;
        taken[key] = text;
    }
    return {};
}

QStringList textsOf(const QList<QAction*>& actions) {
    QStringList texts;
    for (const QAction* const action : actions)
        texts += action->text();
    return texts;
}

}  // namespace

// The window in each language it speaks, and in one that nobody does.
class TestUiLanguages : public QObject {
    Q_OBJECT

 private slots:
    void init() { usePalette(false); }
    void cleanup();
    void hasRoomForItsWords_data();
    void hasRoomForItsWords();
    void hasAKeyForEach_data() { hasRoomForItsWords_data(); }
    void hasAKeyForEach();
    void leavesNoWordInEnglish();
    void leavesNoEventInEnglish();
    void goesFromTheRight();
    void tellsTheTime_data();
    void tellsTheTime();
};

void TestUiLanguages::cleanup() {
    for (auto* const translator : qApp->findChildren<QTranslator*>())
        delete translator;
    QLocale::setDefault(QLocale::c());
    QApplication::setLayoutDirection(Qt::LeftToRight);
}

void TestUiLanguages::hasRoomForItsWords_data() {
    QTest::addColumn<QString>("locale");
    QTest::newRow("de") << "de_DE";
    QTest::newRow("en") << "en_GB";
    QTest::newRow("es") << "es_ES";
    QTest::newRow("fr") << "fr_FR";
}

void TestUiLanguages::hasRoomForItsWords() {
    QFETCH(const QString, locale);
    QLocale::setDefault(QLocale(locale));
    ui::speak(*qApp, QLocale(locale));
    WindowBench bench;
    bench.helper.setState("d1", lifecycle::State::Waiting);
    bench.settle();
    bench.screenshot(QStringLiteral("language-%1").arg(QTest::currentDataTag()));

    const auto buttons = bench.window.findChildren<QPushButton*>();
    for (const QPushButton* const button : buttons)
        QVERIFY2(!button->isVisible() || button->width() >= button->sizeHint().width(),
                 qPrintable(button->text()));
    const auto views = bench.window.findChildren<QAbstractItemView*>();
    for (const QAbstractItemView* const view : views) {
        const auto* const header = view->findChild<QHeaderView*>();
        for (int i = 0; header != nullptr && header->isVisible() && i < header->count(); ++i)
            QVERIFY2(
                header->isSectionHidden(i) || header->sectionSize(i) >= header->sectionSizeHint(i),
                qPrintable(header->model()->headerData(i, Qt::Horizontal).toString()));
    }
}

void TestUiLanguages::hasAKeyForEach() {
    QFETCH(const QString, locale);
    ui::speak(*qApp, QLocale(locale));
    WindowBench bench;
    // What Alt and a key reach at once: menus, pages and buttons.
    QStringList texts = textsOf(bench.window.menuBar()->actions());
    const auto bars = bench.window.findChildren<QTabBar*>();
    for (const QTabBar* const bar : bars)
        for (int i = 0; i < bar->count(); ++i)
            texts += bar->tabText(i);
    const auto buttons = bench.window.findChildren<QAbstractButton*>();
    for (const QAbstractButton* const button : buttons)
        texts += button->text();
    QVERIFY2(collision(texts).isEmpty(), qPrintable(collision(texts)));

    for (const QAction* const title : bench.window.menuBar()->actions()) {
        QMetaObject::invokeMethod(title->menu(), "aboutToShow");
        const QStringList entries = textsOf(title->menu()->actions());
        QVERIFY2(collision(entries).isEmpty(), qPrintable(collision(entries)));
    }
}

void TestUiLanguages::leavesNoWordInEnglish() {
    QCoreApplication::installTranslator(new Brackets(qApp));
    WindowBench bench;
    // Names, which are the same everywhere.
    const ui::Device device = bench.service.devices().first();
    const QStringList names{device.label, device.node, device.exportUuid, "Belay gadget"};
    QStringList untranslated;
    const auto shown = textsOf(bench.window);
    for (const Shown& one : shown) {
        const bool words = one.text.contains(QRegularExpression("[[:alpha:]]{2}"));
        if (words && !one.text.contains('[') && !names.contains(one.text))
            untranslated += one.where + ": " + one.text;
    }
    QVERIFY(shown.size() > 40);
    QVERIFY2(untranslated.isEmpty(), qPrintable(untranslated.join('\n')));
    bench.screenshot("language-brackets");
}

void TestUiLanguages::leavesNoEventInEnglish() {
    using namespace events;
    std::vector<Any> all{TakenOver{"1"}, WorkerEnded{"killed"},
                         GadgetSeen{std::string(GadgetSeen::kPluggedIn), "1-2"},
                         GadgetSeen{std::string(GadgetSeen::kUnplugged), "1-2"},
                         ProblemFound{std::string(ProblemFound::kCannotLend), "/x/12", "why"}};
    for (const auto state : lifecycle::kStateNames)
        all.push_back(StateChanged{"live", std::string(state), "why"});
    for (const auto problem : lifecycle::kProblemNames)
        all.push_back(ProblemFound{std::string(problem), "", "why"});
    for (const auto action : Asked::kActions)
        all.push_back(Asked{.action = std::string(action),
                            .user = "12",
                            .share = "12",
                            .file = "/x/12",
                            .policy = "wait"});
    for (const auto policy : lifecycle::kPolicyNames)
        all.push_back(Asked{.action = std::string(Asked::kSetPolicy),
                            .user = "12",
                            .policy = std::string(policy),
                            .seconds = "60"});
    std::set<std::string_view> kinds;
    QCoreApplication::installTranslator(new Brackets(qApp));
    WindowBench bench;
    bench.find<QTabWidget>("[About the selected device]")->setCurrentIndex(2);
    // As the window shows them, of the selected device, the newest first.
    for (const Any& event : all) {
        kinds.insert(kindOf(event));
        bench.helper.tell({.atUs = 1, .what = event, .subject = "d1", .subjectIsDevice = true});
    }
    QCOMPARE(kinds.size(), std::variant_size_v<Any>);
    QTRY_COMPARE(bench.spoken("[Events]", 2).size(), qsizetype(all.size()));
    const QStringList shown = bench.spoken("[Events]", 2);
    static const QRegularExpression kInBrackets("\\[[^\\[\\]]*\\]");
    for (QString text : shown) {
        const QString whole = text;
        QVERIFY2(text.contains('['), qPrintable(whole));
        while (text.contains(kInBrackets))
            text.remove(kInBrackets);
        QVERIFY2(!text.contains(QRegularExpression("[[:alpha:]]{2}")), qPrintable(whole));
    }
}

void TestUiLanguages::goesFromTheRight() {
    QApplication::setLayoutDirection(Qt::RightToLeft);
    WindowBench bench;
    bench.screenshot("language-from-the-right");
    const auto left = [&](const QWidget* widget) {
        return widget->mapTo(&bench.window, QPoint()).x();
    };
    const auto* const gadgets = bench.find<QAbstractItemView>("Gadgets");
    auto* const devices = bench.find<QAbstractItemView>("Devices");
    QVERIFY(left(gadgets) > left(devices) + devices->width() / 2);
    // In a row, the name is where reading begins, and the buttons at the other end.
    const QRect name = devices->visualRect(devices->model()->index(0, 0));
    const auto* const recover = bench.find<QPushButton>("Recover disk");
    const auto* const stop = bench.find<QPushButton>("Stop disk");
    QVERIFY(left(recover) > left(stop));
    QVERIFY(left(devices) + name.left() > left(recover) + recover->width());
    QVERIFY(left(stop) >= left(devices));
    // A path is not turned round.
    QCOMPARE(devices->model()->index(0, 1).data().toString(),
             QChar(0x2066) + bench.service.devices().first().node + QChar(0x2069));
}

void TestUiLanguages::tellsTheTime_data() {
    QTest::addColumn<QString>("locale");
    QTest::addColumn<QString>("afternoon");
    QTest::newRow("C") << "C"
                       << "14:05:09";
    QTest::newRow("de") << "de_DE"
                        << "14:05:09";
    QTest::newRow("en") << "en_US"
                        << "2:05:09 PM";
    QTest::newRow("es") << "es_ES"
                        << "14:05:09";
    QTest::newRow("fr") << "fr_FR"
                        << "14:05:09";
    QTest::newRow("ja") << "ja_JP"
                        << "14時05分09秒";
}

void TestUiLanguages::tellsTheTime() {
    QFETCH(const QString, locale);
    QFETCH(const QString, afternoon);
    QLocale::setDefault(QLocale(locale));
    const QDateTime today(QDate::currentDate(), QTime(14, 5, 9));
    // The space before PM is one of several.
    QCOMPARE(ui::timeText(today).simplified().replace(QChar(0x202f), ' '), afternoon);
    const QDateTime earlier = today.addDays(-40);
    QVERIFY(ui::timeText(earlier).contains(QString::number(earlier.date().year() % 100)));
}

QTEST_MAIN(TestUiLanguages)
#include "tst_ui_languages.moc"
