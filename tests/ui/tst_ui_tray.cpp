#include "tests/ui/fake_helper.h"
#include "tests/ui/fake_tray.h"
#include "tests/ui/test_clock.h"
#include "ui/desktop/tray.h"
#include "ui/model/service.h"
#include "ui/window/device_actions.h"

#include <QtTest/QSignalSpy>
#include <QtTest/QTest>
#include <QtWidgets/QMessageBox>

using namespace belay;
using namespace belay::test;
using lifecycle::State;
using ui::Tray;
using namespace std::chrono_literals;

namespace {

// More than what ui/desktop collects changes of the icon and of the menu for, and less than it
// waits for a tray.
constexpr auto kCollected = 100ms;
// More than it waits for a tray of today before it looks for one of X11.
constexpr auto kOldTray = 1500ms;

}  // namespace

// The icon in a tray, as the tray sees it over the bus.
class TestUiTray : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();

    void theIconSaysHowThingsStand();
    void theToolTipCounts();
    void itHasPicturesWhereTheThemeHasNone();
    void theMenuListsTheDevices();
    void theMenuFollowsItsDevices();
    void numbersStayWithTheirEntries();
    void recoverIsOneClick();
    void stopOfAnIdleDeviceIsOneClick();
    void stopOfAUsedDeviceOpensTheWindow();
    void aRefusedStopAsksBeforeTheWindow();
    void pressesAskForTheWindow();
    void aTrayMayComeLateAndGo();
    void aTrayNeedsAHost();
    void aNeededIconIsNotHidden();
    void nothingHappensWithoutASessionBus();

 private:
    void start();
    // Waits until all that was said has arrived, and then lets time pass.
    void later(std::chrono::milliseconds time = kCollected) {
        settleBus();
        clock_->advance(time);
        settleBus();
    }
    QString status() { return tray_.properties().value("Status").toString(); }

    std::unique_ptr<TestClock> clock_;
    std::unique_ptr<FakeHelper> helper_;
    FakeTray tray_;
    QDBusConnection session_{QString()};
    std::unique_ptr<ui::Service> service_;
    std::unique_ptr<QWidget> parent_;
    std::unique_ptr<ui::DeviceActions> actions_;
    std::unique_ptr<Tray> icon_;
};

void TestUiTray::init() {
    clock_ = std::make_unique<TestClock>();
    helper_ = std::make_unique<FakeHelper>();
    QVERIFY(helper_->appear());
    session_ = connectToTestBus();
}

void TestUiTray::cleanup() {
    icon_.reset();
    // Goes with its window.
    static_cast<void>(actions_.release());
    parent_.reset();
    service_.reset();
    tray_.vanish();
    QDBusConnection::disconnectFromBus(session_.name());
    session_ = QDBusConnection(QString());
    helper_.reset();
    clock_.reset();
}

void TestUiTray::start() {
    service_ = std::make_unique<ui::Service>(helper_->client());
    parent_ = std::make_unique<QWidget>();
    actions_ = std::make_unique<ui::DeviceActions>(*service_, parent_.get());
    icon_ = std::make_unique<Tray>(*service_, *actions_, session_);
    icon_->start();
    service_->start();
    later();
    QCOMPARE(service_->devices().size(), 1);
}

void TestUiTray::theIconSaysHowThingsStand() {
    QVERIFY(tray_.appear());
    start();
    QCOMPARE(tray_.items, QStringList{session_.baseService()});
    QCOMPARE(status(), QString("Active"));
    const QVariantMap properties = tray_.properties();
    QCOMPARE(properties.value("Category").toString(), QString("Hardware"));
    QCOMPARE(properties.value("Id").toString(), QString("org.belay.Belay"));
    QCOMPARE(properties.value("Menu").value<QDBusObjectPath>().path(), QString("/MenuBar"));

    helper_->setState("d1", State::Failed);
    later();
    QCOMPARE(status(), QString("NeedsAttention"));
    QCOMPARE(icon_->state(), Tray::State::NeedsAttention);
    // Waiting is no matter as long as nothing waits.
    helper_->setState("d1", State::Waiting);
    later();
    QCOMPARE(status(), QString("Active"));
    helper_->changeCounters("d1", [](auto& counters) { counters.inFlight = 3; });
    QTRY_COMPARE(service_->devices().first().inFlight, 3U);
    later();
    QCOMPARE(status(), QString("NeedsAttention"));
    helper_->remove("d1");
    later();
    QCOMPARE(status(), QString("Passive"));
}

void TestUiTray::theToolTipCounts() {
    QVERIFY(tray_.appear());
    start();
    QVERIFY2(icon_->toolTip().startsWith("1 device"), qPrintable(icon_->toolTip()));
    for (const char* id : {"d2", "d3", "d4"})
        helper_->change(id, [id](auto& device) {
            device.gadget = "g1";
            device.state = *id == 'd' && id[1] == '2' ? State::Failed : State::Waiting;
        });
    later();
    QCOMPARE(service_->devices().size(), 4);
    const QStringList lines = icon_->toolTip().split('\n');
    QCOMPARE(lines.size(), 3);
    QVERIFY2(lines[0].startsWith("1 "), qPrintable(lines[0]));
    QVERIFY2(lines[1].startsWith("2 ") && lines[1].contains("waiting"), qPrintable(lines[1]));
    const auto tip = [this] {
        return qdbus_cast<ui::TrayToolTip>(
            tray_.properties().value("ToolTip").value<QDBusArgument>());
    };
    QCOMPARE(tip().text, icon_->toolTip());
    QCOMPARE(tip().title, QString("Belay"));
}

void TestUiTray::itHasPicturesWhereTheThemeHasNone() {
    QVERIFY(tray_.appear());
    start();
    QCOMPARE(tray_.items.size(), 1);
    // The test's data folders have no icons of ours.
    const QVariantMap properties = tray_.properties();
    QCOMPARE(properties.value("IconName").toString(), QString());
    const auto pictures =
        qdbus_cast<QList<ui::IconPicture>>(properties.value("IconPixmap").value<QDBusArgument>());
    QCOMPARE(pictures.size(), 2);
    QCOMPARE(pictures[0].width, 22);
    QCOMPARE(pictures[0].pixels.size(), 22 * 22 * 4);
    // In network byte order the opacity comes first. Something is drawn, and not everywhere.
    int opaque = 0;
    for (qsizetype i = 0; i < pictures[0].pixels.size(); i += 4)
        opaque += uchar(pictures[0].pixels[i]) > 128 ? 1 : 0;
    QVERIFY2(opaque > 40 && opaque < 22 * 22, qPrintable(QString::number(opaque)));
}

void TestUiTray::theMenuListsTheDevices() {
    QVERIFY(tray_.appear());
    start();
    QCOMPARE(tray_.items.size(), 1);
    QCOMPARE(tray_.menu().children.size(), 4);
    const ui::MenuLayout menu = tray_.menu();
    QCOMPARE(menu.properties.value("children-display").toString(), QString("submenu"));
    QCOMPARE(menu.children[0].properties.value("label").toString(), QString("disk"));
    // Again the theme has none.
    QVERIFY(!menu.children[0].properties.contains("icon-name"));
    const QByteArray ready = menu.children[0].properties.value("icon-data").toByteArray();
    QVERIFY(!QImage::fromData(ready, "PNG").isNull());
    QCOMPARE(menu.children[1].properties.value("type").toString(), QString("separator"));
    QCOMPARE(menu.children[2].properties.value("label").toString(), QString("Show _window"));
    QCOMPARE(menu.children[3].properties.value("label").toString(), QString("_Quit"));
    const QList<ui::MenuLayout> device = menu.children[0].children;
    QCOMPARE(device.size(), 4);
    QVERIFY(device[0].properties.value("label").toString().startsWith("Ready"));
    QCOMPARE(device[0].properties.value("enabled"), QVariant(false));
    QCOMPARE(device[2].properties.value("label").toString(), QString("_Recover"));
    // There is nothing to recover.
    QCOMPARE(device[2].properties.value("enabled"), QVariant(false));
    QCOMPARE(device[3].properties.value("label").toString(), QString("_Stop"));
    QVERIFY(!device[3].properties.contains("enabled"));
}

void TestUiTray::theMenuFollowsItsDevices() {
    QVERIFY(tray_.appear());
    start();
    QCOMPARE(tray_.items.size(), 1);
    helper_->change("d2", [](auto& device) {
        device.gadget = "g1";
        device.label = "a_b & c";
        device.state = State::Waiting;
    });
    // Labels are no shortcuts.
    later();
    QVERIFY(tray_.entry({"a__b & c"}).id != 0);
    helper_->setState("d2", State::Failed);
    later();
    QVERIFY(tray_.entry({"a__b & c"})
                .children.value(0)
                .properties.value("label")
                .toString()
                .startsWith("Stopped waiting"));
    QVERIFY(!tray_.entry({"a__b & c", "_Recover"}).properties.contains("enabled"));
    QVERIFY(tray_.entry({"a__b & c"}).properties.value("icon-data") !=
            tray_.entry({"disk"}).properties.value("icon-data"));
    helper_->remove("d2");
    later();
    QCOMPARE(tray_.menu().children.size(), 4);
    // Without belayd nothing can be done.
    helper_->vanish();
    later();
    QCOMPARE(tray_.entry({"disk", "_Stop"}).properties.value("enabled"), QVariant(false));
}

void TestUiTray::numbersStayWithTheirEntries() {
    QVERIFY(tray_.appear());
    start();
    QCOMPARE(tray_.items.size(), 1);
    const int stop = tray_.entry({"disk", "_Stop"}).id;
    QVERIFY(stop != 0);
    helper_->change("d0", [](auto& device) {
        device.gadget = "g1";
        device.label = "first";
    });
    later();
    QCOMPARE(tray_.menu().children.size(), 5);
    QCOMPARE(tray_.entry({"disk", "_Stop"}).id, stop);
    helper_->remove("d1");
    later();
    QCOMPARE(tray_.menu().children.size(), 4);
    // What is gone is not clicked, and its number is nobody else's.
    tray_.click(stop);
    settleBus();
    QVERIFY(helper_->fleet.stops.empty());
    QVERIFY(tray_.entry({"first", "_Stop"}).id != stop);
}

void TestUiTray::recoverIsOneClick() {
    QVERIFY(tray_.appear());
    start();
    helper_->setState("d1", State::Failed);
    later();
    QVERIFY(!tray_.entry({"disk", "_Recover"}).properties.contains("enabled"));
    tray_.click(tray_.entry({"disk", "_Recover"}).id);
    settleBus();
    QCOMPARE(helper_->fleet.recovers.size(), std::size_t(1));
    QVERIFY(!helper_->fleet.recovers[0].flag);
    // One at a time.
    later();
    QCOMPARE(tray_.entry({"disk", "_Recover"}).properties.value("enabled"), QVariant(false));
}

void TestUiTray::stopOfAnIdleDeviceIsOneClick() {
    QVERIFY(tray_.appear());
    helper_->change("d1", [](auto& device) { device.holders.clear(); });
    start();
    QSignalSpy wanted(icon_.get(), &Tray::deviceWanted);
    tray_.click(tray_.entry({"disk", "_Stop"}).id);
    settleBus();
    QCOMPARE(helper_->fleet.stops.size(), std::size_t(1));
    QVERIFY(!helper_->fleet.stops[0].flag);
    QCOMPARE(wanted.size(), 0);
}

void TestUiTray::stopOfAUsedDeviceOpensTheWindow() {
    QVERIFY(tray_.appear());
    start();
    QSignalSpy wanted(icon_.get(), &Tray::deviceWanted);
    const int stop = tray_.entry({"disk", "_Stop"}).id;
    tray_.click(stop);
    settleBus();
    QCOMPARE(wanted.size(), 1);
    QCOMPARE(wanted[0][0].toString(), FakeHelper::devicePath("d1"));
    // Nobody uses it, but not all is saved.
    helper_->change("d1", [](auto& device) {
        device.holders.clear();
        device.counters.unsavedBytes = 512;
    });
    QTRY_COMPARE(service_->devices().first().unsavedBytes, 512U);
    QTRY_VERIFY(service_->devices().first().holders.isEmpty());
    tray_.click(stop);
    settleBus();
    QCOMPARE(wanted.size(), 2);
    QVERIFY(helper_->fleet.stops.empty());
}

// Who uses a lent disk only the other end knows.
void TestUiTray::aRefusedStopAsksBeforeTheWindow() {
    QVERIFY(tray_.appear());
    helper_->change("d1", [](auto& device) {
        device.direction = helper::Direction::Lend;
        device.holders.clear();
    });
    start();
    QCOMPARE(tray_.items.size(), 1);
    tray_.click(tray_.entry({"disk", "_Stop"}).id);
    settleBus();
    QCOMPARE(helper_->fleet.stops.size(), std::size_t(1));
    QVERIFY(!parent_->isVisible());
    helper_->fleet.stops[0].done(errorFrom(EBUSY, "stop", "d1", "The gadget uses it"));
    settleBus();
    QVERIFY(parent_->isVisible());
    auto* const question = parent_->findChild<QMessageBox*>();
    QVERIFY(question != nullptr);
    QVERIFY(question->isVisible());
    question->close();
    QCOMPARE(helper_->fleet.stops.size(), std::size_t(1));
}

void TestUiTray::pressesAskForTheWindow() {
    QVERIFY(tray_.appear());
    start();
    QCOMPARE(tray_.items.size(), 1);
    QSignalSpy window(icon_.get(), &Tray::windowWanted);
    QSignalSpy quit(icon_.get(), &Tray::quitWanted);
    tray_.press("token-9");
    settleBus();
    QCOMPARE(window.size(), 1);
    QCOMPARE(window[0][0].toString(), QString("token-9"));
    tray_.press();
    settleBus();
    QCOMPARE(window.size(), 2);
    QCOMPARE(window[1][0].toString(), QString());
    tray_.click(tray_.entry({"Show _window"}).id);
    settleBus();
    QCOMPARE(window.size(), 3);
    QCOMPARE(quit.size(), 0);
    tray_.click(tray_.entry({"_Quit"}).id);
    settleBus();
    QCOMPARE(quit.size(), 1);
}

void TestUiTray::aTrayMayComeLateAndGo() {
    start();
    later(kOldTray);
    QVERIFY(!icon_->isAvailable());
    for (int i = 0; i < 2; ++i) {
        QVERIFY(tray_.appear());
        settleBus();
        QVERIFY(icon_->isAvailable());
        // Once, and not by Qt as well.
        later(kOldTray);
        QCOMPARE(tray_.items, QStringList{session_.baseService()});
        tray_.vanish();
        settleBus();
        QVERIFY(!icon_->isAvailable());
    }
}

void TestUiTray::aTrayNeedsAHost() {
    QVERIFY(tray_.appear(false));
    start();
    QCOMPARE(tray_.items.size(), 1);
    QVERIFY(!icon_->isAvailable());
    tray_.setHost(true);
    settleBus();
    QVERIFY(icon_->isAvailable());
    tray_.setHost(false);
    settleBus();
    QVERIFY(!icon_->isAvailable());
}

void TestUiTray::aNeededIconIsNotHidden() {
    QVERIFY(tray_.appear());
    start();
    helper_->remove("d1");
    later();
    QCOMPARE(status(), QString("Passive"));
    icon_->setNeeded(true);
    later();
    QCOMPARE(status(), QString("Active"));
    icon_->setNeeded(false);
    later();
    QCOMPARE(status(), QString("Passive"));
}

void TestUiTray::nothingHappensWithoutASessionBus() {
    QDBusConnection::disconnectFromBus(session_.name());
    session_ = QDBusConnection(QStringLiteral("none"));
    start();
    helper_->setState("d1", State::Failed);
    later();
    QCOMPARE(icon_->state(), Tray::State::NeedsAttention);
    QVERIFY(!icon_->isAvailable());
}

QTEST_MAIN(TestUiTray)
#include "tst_ui_tray.moc"
