#include "app/program.h"
#include "tests/ui/fake_helper.h"
#include "tests/ui/fake_tray.h"

#include <QtTest/QTest>
#include <QtWidgets/QApplication>

using namespace belay;
using namespace belay::test;

// The program's window while there is a tray, and while there is none.
class TestUiBackground : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();

    void closingHidesTheWindowWhileThereIsATray();
    void closingEndsTheProgramWithoutATray();
    void inTheBackgroundWithoutATrayTheWindowComes();
    void whenTheTrayGoesTheWindowComes();

 private:
    void startProgram(bool background);
    static ui::MainWindow* window();

    std::unique_ptr<FakeHelper> helper_;
    FakeTray tray_;
    QDBusConnection session_{QString()};
    std::unique_ptr<app::Program> program_;
};

void TestUiBackground::init() {
    helper_ = std::make_unique<FakeHelper>();
    QVERIFY(helper_->appear());
    session_ = connectToTestBus();
    QApplication::setQuitOnLastWindowClosed(false);
}

void TestUiBackground::cleanup() {
    program_.reset();
    tray_.vanish();
    QDBusConnection::disconnectFromBus(session_.name());
    session_ = QDBusConnection(QString());
    helper_.reset();
}

void TestUiBackground::startProgram(bool background) {
    program_ = std::make_unique<app::Program>(helper_->client(), session_);
    program_->start(background);
}

ui::MainWindow* TestUiBackground::window() {
    for (QWidget* const widget : QApplication::topLevelWidgets())
        if (auto* const found = qobject_cast<ui::MainWindow*>(widget))
            return found;
    return nullptr;
}

void TestUiBackground::closingHidesTheWindowWhileThereIsATray() {
    QVERIFY(tray_.appear());
    startProgram(false);
    QVERIFY(window() != nullptr);
    QVERIFY(window()->isVisible());
    QTRY_COMPARE(tray_.items.size(), 1);
    QTest::qWait(100);
    QTimer::singleShot(500, qApp, [] { QApplication::exit(7); });
    window()->close();
    // It goes on until the time is over.
    QCOMPARE(QApplication::exec(), 7);
    QVERIFY(!window()->isVisible());
    tray_.press();
    QTRY_VERIFY(window()->isVisible());
    // Stop of what is in use leads there, too.
    window()->close();
    QVERIFY(!window()->isVisible());
    QTRY_VERIFY(tray_.entry({"disk", "_Stop"}).id != 0);
    tray_.click(tray_.entry({"disk", "_Stop"}).id);
    QTRY_VERIFY(window()->isVisible());
}

void TestUiBackground::closingEndsTheProgramWithoutATray() {
    startProgram(false);
    QVERIFY(window()->isVisible());
    QTimer::singleShot(10'000, qApp, [] { QApplication::exit(7); });
    QTimer::singleShot(100, qApp, [] { window()->close(); });
    QCOMPARE(QApplication::exec(), 0);
}

void TestUiBackground::inTheBackgroundWithoutATrayTheWindowComes() {
    startProgram(true);
    QTest::qWait(1500);
    QVERIFY(!window()->isVisible());
    QTRY_VERIFY_WITH_TIMEOUT(window()->isVisible(), 3000);
    program_.reset();

    // With one that comes within that time it does not.
    startProgram(true);
    QTest::qWait(1000);
    QVERIFY(tray_.appear());
    QTest::qWait(4000);
    QVERIFY(!window()->isVisible());
}

void TestUiBackground::whenTheTrayGoesTheWindowComes() {
    QVERIFY(tray_.appear());
    startProgram(true);
    QTRY_COMPARE(tray_.items.size(), 1);
    // A tray that is started anew is no reason.
    tray_.vanish();
    QTest::qWait(1000);
    QVERIFY(tray_.appear());
    QTest::qWait(4000);
    QVERIFY(!window()->isVisible());
    tray_.vanish();
    QTRY_VERIFY_WITH_TIMEOUT(window()->isVisible(), 6000);
}

QTEST_MAIN(TestUiBackground)
#include "tst_ui_background.moc"
