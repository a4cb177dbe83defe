#include "app/program.h"
#include "tests/ui/fake_helper.h"
#include "tests/ui/fake_tray.h"
#include "tests/ui/test_clock.h"

#include <QtTest/QTest>
#include <QtWidgets/QApplication>

using namespace belay;
using namespace belay::test;
using namespace std::chrono_literals;

namespace {

// How long app/program.cpp waits for a tray before it shows a hidden window.
constexpr auto kTrayPatience = 3s;
constexpr auto kMoment = 1ms;

}  // namespace

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
    void aPolkitThatHangsHoldsUpNobody();

 private:
    void startProgram(bool background);
    static ui::MainWindow* window();
    // Waits until all that was said has arrived, and then lets time pass.
    void later(std::chrono::milliseconds time) {
        settleBus();
        clock_->advance(time);
        settleBus();
    }
    // Closes the window; whether that ends the program.
    static bool closingEnds();

    std::unique_ptr<TestClock> clock_;
    std::unique_ptr<FakeHelper> helper_;
    FakeTray tray_;
    QDBusConnection session_{QString()};
    std::unique_ptr<app::Program> program_;
};

void TestUiBackground::init() {
    clock_ = std::make_unique<TestClock>();
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
    clock_.reset();
}

void TestUiBackground::startProgram(bool background) {
    program_ = std::make_unique<app::Program>(helper_->client(), session_);
    program_->start(background);
    settleBus();
}

bool TestUiBackground::closingEnds() {
    // What was asked for first comes first: the end, if the window asks for it. What is left of
    // this goes with the context.
    QObject context;
    const auto later = [&context](auto then) {
        QMetaObject::invokeMethod(&context, then, Qt::QueuedConnection);
    };
    later([later] {
        window()->close();
        later([] { QApplication::exit(7); });
    });
    return QApplication::exec() != 7;
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
    QCOMPARE(tray_.items.size(), 1);
    QVERIFY(!closingEnds());
    QVERIFY(!window()->isVisible());
    later(2 * kTrayPatience);
    QVERIFY(!window()->isVisible());
    tray_.press();
    settleBus();
    QVERIFY(window()->isVisible());
    // Stop of what is in use leads there, too.
    window()->close();
    QVERIFY(!window()->isVisible());
    QVERIFY(tray_.entry({"disk", "_Stop"}).id != 0);
    tray_.click(tray_.entry({"disk", "_Stop"}).id);
    settleBus();
    QVERIFY(window()->isVisible());
}

void TestUiBackground::closingEndsTheProgramWithoutATray() {
    startProgram(false);
    QVERIFY(window()->isVisible());
    QVERIFY(closingEnds());
}

void TestUiBackground::inTheBackgroundWithoutATrayTheWindowComes() {
    startProgram(true);
    later(kTrayPatience - kMoment);
    QVERIFY(!window()->isVisible());
    later(kMoment);
    QVERIFY(window()->isVisible());
    program_.reset();

    // With one that comes within that time it does not.
    startProgram(true);
    later(kTrayPatience / 2);
    QVERIFY(tray_.appear());
    later(2 * kTrayPatience);
    QVERIFY(!window()->isVisible());
}

void TestUiBackground::whenTheTrayGoesTheWindowComes() {
    QVERIFY(tray_.appear());
    startProgram(true);
    QCOMPARE(tray_.items.size(), 1);
    // A tray that is started anew is no reason.
    tray_.vanish();
    later(kTrayPatience - kMoment);
    QVERIFY(tray_.appear());
    later(2 * kTrayPatience);
    QVERIFY(!window()->isVisible());
    tray_.vanish();
    later(kTrayPatience);
    QVERIFY(window()->isVisible());
}

void TestUiBackground::aPolkitThatHangsHoldsUpNobody() {
    helper_->polkit.hangs = true;
    startProgram(false);
    QTRY_VERIFY(!helper_->polkit.unanswered.isEmpty());
    settleBus();
    QVERIFY(window()->isVisible());
    QCOMPARE(helper_->polkit.unanswered.size(), 1);
}

QTEST_MAIN(TestUiBackground)
#include "tst_ui_background.moc"
