#include "core/lifecycle/state.h"
#include "tests/ui/window_bench.h"
#include "ui/desktop/permissions.h"
#include "ui/i18n/language.h"
#include "ui/window/device_actions.h"
#include "ui/window/gadget_model.h"
#include "ui/window/lend_dialog.h"

#include <QtCore/QMimeData>
#include <QtCore/QTemporaryDir>
#include <QtCore/QUrl>
#include <QtGui/QClipboard>
#include <QtTest/QTest>
#include <QtWidgets/QApplication>
#include <QtWidgets/QCheckBox>
#include <QtWidgets/QComboBox>
#include <QtWidgets/QLabel>
#include <QtWidgets/QLineEdit>
#include <QtWidgets/QMenu>
#include <QtWidgets/QTabWidget>

using namespace belay;
using namespace belay::test;
using lifecycle::PolicyKind;
using lifecycle::State;
using namespace std::chrono_literals;

// What a user does in the window, and what belayd is asked for.
class TestUiWindow : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase() { ui::speak(*qApp, QLocale(QLocale::English)); }
    void init() { usePalette(false); }
    void recoversByButtonAndKey();
    void asksBeforeItAcceptsALoss();
    void stopsWhatIsNotInUse();
    void saysWhoUsesItBeforeItForces();
    void offersForceWhenItCannotBeSaved();
    void isSilentWhenThePasswordIsDismissed();
    void saysThatItIsNotAllowed();
    void saysBeforehandWhatPolkitWillSay();
    void attachesAShare();
    void saysWhyThereIsNothingToAttach();
    void attachesAutomatically();
    void lendsAFileReadOnly();
    void lendsWithABlockSize();
    void lendsADroppedFile();
    void refusesWhatCannotBeLent();
    void setsAPolicy();
    void forgetsAGadget();
    void listsRequestsOnlyWhileTheyCanBeSeen();
    void tellsEvents();
    void copiesAReport();
    void drawsHistory();
    void isUsedWithoutAMouse();
    void namesEveryControl();
    void waitsForNobody();
    void listsRequests();
};

namespace {

void makeWaiting(WindowBench& bench) {
    bench.helper.setState("d1", State::Waiting);
    QTRY_VERIFY(bench.find<QPushButton>("Recover disk")->isEnabled());
}

void click(QWidget* widget) {
    QVERIFY(widget != nullptr);
    QTest::mouseClick(widget, Qt::LeftButton);
}

}  // namespace

void TestUiWindow::recoversByButtonAndKey() {
    WindowBench bench;
    auto* const button = bench.find<QPushButton>("Recover disk");
    QVERIFY(button != nullptr && !button->isEnabled());
    makeWaiting(bench);
    click(button);
    QTRY_COMPARE(bench.helper.fleet.recovers.size(), std::size_t(1));
    QVERIFY(!bench.helper.fleet.recovers[0].flag);
    // Once is enough.
    QVERIFY(!button->isEnabled());
    bench.helper.fleet.recovers[0].done(
        errorFrom(ENOTCONN, "open a session", "g1", "Plug the gadget in"));
    QTRY_VERIFY(bench.problem().contains("is not back yet"));
    QVERIFY(bench.problem().contains("Plug it in"));
    QVERIFY(button->isEnabled());
    bench.screenshot("refused");
    click(bench.find<QWidget>("Close this message"));

    QTest::keyClick(&bench.window, Qt::Key_R, Qt::ControlModifier);
    QTRY_COMPARE(bench.helper.fleet.recovers.size(), std::size_t(2));
    bench.helper.fleet.recovers[1].done({});
    bench.helper.setState("d1", State::Live);
    bench.settle();
    QVERIFY(!bench.service.busy(FakeHelper::devicePath("d1")));
    QVERIFY(!button->isEnabled());
}

void TestUiWindow::asksBeforeItAcceptsALoss() {
    WindowBench bench;
    bench.helper.change("d1", [](helper::DeviceView& device) {
        device.state = State::NeedsAttention;
        device.problems.add(lifecycle::Problem::DataMayBeMissing);
    });
    QTRY_VERIFY(bench.find<QPushButton>("Recover disk")->isEnabled());
    click(bench.find<QPushButton>("Recover disk"));
    QTRY_VERIFY(bench.dialog() != nullptr);
    QVERIFY(bench.dialog()->informativeText().contains("check the disk"));
    WindowBench::press(*bench.dialog(), "Cancel");
    QTRY_VERIFY(bench.dialog() == nullptr);
    bench.settle();
    QVERIFY(bench.helper.fleet.recovers.empty());
    click(bench.find<QPushButton>("Recover disk"));
    QTRY_VERIFY(bench.dialog() != nullptr);
    WindowBench::press(*bench.dialog(), "Go on without it");
    QTRY_COMPARE(bench.helper.fleet.recovers.size(), std::size_t(1));
    QVERIFY(bench.helper.fleet.recovers[0].flag);
    QVERIFY(bench.helper.polkit.asked.contains("org.belay.force-stop"));
}

void TestUiWindow::stopsWhatIsNotInUse() {
    WindowBench bench;
    bench.helper.change("d1", [](helper::DeviceView& device) { device.holders.clear(); });
    QTRY_COMPARE(bench.spoken("Devices").first(), QString("disk, Ready · safe to unplug"));
    click(bench.find<QPushButton>("Stop disk"));
    QTRY_COMPARE(bench.helper.fleet.stops.size(), std::size_t(1));
    QVERIFY(!bench.helper.fleet.stops[0].flag);
    QVERIFY(bench.dialog() == nullptr);
    bench.helper.fleet.stops[0].done({});
    bench.helper.remove("d1");
    QTRY_VERIFY(bench.spoken("Devices").isEmpty());
    QCOMPARE(bench.problem(), QString());
}

void TestUiWindow::saysWhoUsesItBeforeItForces() {
    WindowBench bench;
    bench.helper.changeCounters("d1", [](helper::DeviceCounters& counters) {
        counters.unsavedBytes = 3'200'000;
        counters.inFlight = 2;
    });
    QTRY_VERIFY(bench.spoken("Devices").first().contains("3.2 MB"));
    QTest::keyClick(&bench.window, Qt::Key_D, Qt::ControlModifier);
    QTRY_VERIFY(bench.dialog() != nullptr);
    const QString text = bench.dialog()->informativeText();
    for (const char* part : {"Mounted at /media/disk", "Used by 1234 (dd)", "3.2 MB", "errors"})
        QVERIFY2(text.contains(part), qPrintable(text));
    // The answer that loses nothing is the one that Return gives.
    QVERIFY(bench.dialog()->defaultButton() != nullptr);
    QCOMPARE(bench.dialog()->defaultButton()->text().remove('&'), QString("Cancel"));
    bench.settle();
    QVERIFY(bench.helper.fleet.stops.empty());
    // Asked twice, it is one question.
    bench.window.deviceActions().stop(FakeHelper::devicePath("d1"));
    bench.settle();
    QCOMPARE(bench.window.findChildren<QMessageBox*>().size(), 1);
    WindowBench::press(*bench.dialog(), "Force stop");
    QTRY_COMPARE(bench.helper.fleet.stops.size(), std::size_t(1));
    QVERIFY(bench.helper.fleet.stops[0].flag);
}

void TestUiWindow::offersForceWhenItCannotBeSaved() {
    WindowBench bench;
    bench.helper.change("d1", [](helper::DeviceView& device) { device.holders.clear(); });
    click(bench.find<QPushButton>("Stop disk"));
    QTRY_COMPARE(bench.helper.fleet.stops.size(), std::size_t(1));
    bench.helper.fleet.stops[0].done(
        errorFrom(ETIMEDOUT, "save", "disk", "The gadget is not plugged in"));
    QTRY_VERIFY(bench.dialog() != nullptr);
    QVERIFY(bench.dialog()->text().contains("cannot be stopped safely"));
    QVERIFY(bench.dialog()->informativeText().contains("The gadget is not plugged in"));
}

void TestUiWindow::isSilentWhenThePasswordIsDismissed() {
    WindowBench bench;
    makeWaiting(bench);
    bench.helper.polkit.answer = FakePolkit::Answer::Dismissed;
    click(bench.find<QPushButton>("Recover disk"));
    QTRY_VERIFY(!bench.helper.polkit.asked.isEmpty());
    QTRY_VERIFY(!bench.service.busy(FakeHelper::devicePath("d1")));
    bench.settle();
    QCOMPARE(bench.problem(), QString());
    QVERIFY(bench.helper.fleet.recovers.empty());
}

void TestUiWindow::saysThatItIsNotAllowed() {
    WindowBench bench;
    makeWaiting(bench);
    bench.helper.polkit.answer = FakePolkit::Answer::No;
    click(bench.find<QPushButton>("Recover disk"));
    QTRY_VERIFY(bench.problem().contains("administrator does not allow"));
    QVERIFY(bench.helper.fleet.recovers.empty());
}

void TestUiWindow::saysBeforehandWhatPolkitWillSay() {
    // As if polkit had answered.
    class Known : public ui::Permissions {
     public:
        Known() : Permissions(QDBusConnection(QString())) {}
        void answer(const QString& action, Answer answer) {
            know(action, answer);
            emit changed();
        }
    };
    Known known;
    WindowBench bench;
    bench.window.deviceActions().setPermissions(known);
    makeWaiting(bench);
    auto* const recover = bench.find<QPushButton>("Recover disk");
    auto* const stop = bench.find<QPushButton>("Stop disk");
    auto* const lend = bench.find<QPushButton>("Lend an image to the gadget");
    QVERIFY(recover->icon().isNull() && stop->isEnabled() && lend->isEnabled());
    known.answer("org.belay.recover", ui::Permissions::Answer::Password);
    known.answer("org.belay.stop", ui::Permissions::Answer::No);
    known.answer("org.belay.lend", ui::Permissions::Answer::No);
    QVERIFY(recover->isEnabled() && !recover->icon().isNull());
    QCOMPARE(recover->toolTip(), QString("A password will be asked for"));
    QVERIFY(!stop->isEnabled() && !lend->isEnabled());
    QVERIFY(stop->toolTip().contains("administrator does not allow"));
    bench.screenshot("permissions");
    known.answer("org.belay.recover", ui::Permissions::Answer::Yes);
    known.answer("org.belay.stop", ui::Permissions::Answer::Yes);
    QVERIFY(recover->icon().isNull() && recover->toolTip().isEmpty() && stop->isEnabled());
}

void TestUiWindow::attachesAShare() {
    WindowBench bench;
    bench.choose({"Gadget", "Attach", "music (2.1 MB, read-only)"});
    QTRY_COMPARE(bench.helper.fleet.attaches.size(), std::size_t(1));
    QCOMPARE(bench.helper.fleet.attaches[0].share,
             std::string("6ba7b811-9dad-41d1-80b4-00c04fd430c8"));
    bench.helper.change("d2", [](helper::DeviceView& device) {
        device.gadget = "g1";
        device.label = "music";
        device.state = State::Live;
    });
    bench.helper.fleet.attaches[0].done(std::string("d2"));
    // What was made is what is shown.
    auto* const devices = bench.find<QAbstractItemView>("Devices");
    QTRY_COMPARE(devices->currentIndex().data().toString(), QString("music"));
}

void TestUiWindow::saysWhyThereIsNothingToAttach() {
    WindowBench bench;
    const auto firstEntry = [&] { return bench.entries({"Gadget", "Attach"}).value(0); };
    bench.helper.changeGadget("g1", [](helper::GadgetView& gadget) { gadget.shares.clear(); });
    QTRY_COMPARE(firstEntry(), QString("This gadget shares nothing"));
    bench.helper.changeGadget("g1", [](helper::GadgetView& gadget) {
        gadget.present = false;
        gadget.link = "absent";
    });
    QTRY_COMPARE(firstEntry(), QString("Not plugged in"));
}

void TestUiWindow::attachesAutomatically() {
    WindowBench bench;
    bench.choose({"Gadget", "Attach", "Attach everything automatically"});
    QTRY_VERIFY(bench.helper.fleet.gadgetViews.at("g1").autoAttach);
}

void TestUiWindow::lendsAFileReadOnly() {
    WindowBench bench;
    QTemporaryDir folder;
    QFile image(folder.filePath("card.img"));
    QVERIFY(image.open(QIODevice::WriteOnly) && image.resize(1 << 20));
    image.close();
    click(bench.find<QPushButton>("Lend an image to the gadget"));
    QTRY_VERIFY(bench.window.findChild<ui::LendDialog*>() != nullptr);
    bench.find<QLineEdit>("File to lend")->setText(image.fileName());
    bench.find<QLineEdit>("Name on the gadget")->setText("my card");
    QVERIFY(bench.find<QLabel>("About this file")->text().contains("1.0 MB"));
    bench.find<QCheckBox>("Read-only")->setChecked(true);
    bench.window.findChild<ui::LendDialog*>()->accept();
    QTRY_COMPARE(bench.helper.fleet.lent.size(), std::size_t(1));
    const auto& lent = bench.helper.fleet.lent[0];
    QCOMPARE(lent.gadget, std::string("g1"));
    QCOMPARE(lent.terms.label, std::string("my card"));
    QVERIFY(lent.terms.readOnly);
    QCOMPARE(lent.terms.blockSize, 0U);
    QCOMPARE(bench.problem(), QString());
}

void TestUiWindow::lendsWithABlockSize() {
    WindowBench bench;
    QTemporaryDir folder;
    QFile image(folder.filePath("ufs.img"));
    QVERIFY(image.open(QIODevice::WriteOnly) && image.resize(1 << 20));
    image.close();
    const QStringList choices{"Automatic", "512 bytes", "1024 bytes", "2048 bytes", "4096 bytes"};
    const std::vector<std::uint32_t> sizes{0, 512, 1024, 2048, 4096};
    for (qsizetype i = 0; i < choices.size(); ++i) {
        click(bench.find<QPushButton>("Lend an image to the gadget"));
        auto* const dialog = bench.window.findChild<ui::LendDialog*>();
        QVERIFY(dialog != nullptr);
        bench.find<QLineEdit>("File to lend")->setText(image.fileName());
        auto* const size = bench.find<QComboBox>("Block size");
        QCOMPARE(size->count(), static_cast<int>(choices.size()));
        QCOMPARE(size->currentText(), choices[0]);
        for (qsizetype down = 0; down < i; ++down)
            QTest::keyClick(size, Qt::Key_Down);
        QCOMPARE(size->currentText(), choices[i]);
        dialog->accept();
        delete dialog;
        QTRY_COMPARE(bench.helper.fleet.lent.size(), static_cast<std::size_t>(i) + 1);
        QCOMPARE(bench.helper.fleet.lent.back().terms.blockSize,
                 sizes[static_cast<std::size_t>(i)]);
    }
    QCOMPARE(bench.problem(), QString());
}

void TestUiWindow::lendsADroppedFile() {
    WindowBench bench;
    QTemporaryDir folder;
    QFile image(folder.filePath("card.img"));
    QVERIFY(image.open(QIODevice::WriteOnly) && image.resize(1 << 20));
    image.close();
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(image.fileName())});
    auto* const model = bench.find<QAbstractItemView>("Gadgets")->model();
    const QModelIndex gadget = model->index(0, 0);
    QVERIFY(model->canDropMimeData(&data, Qt::CopyAction, -1, -1, gadget));
    QVERIFY(!model->canDropMimeData(&data, Qt::CopyAction, -1, -1, {}));
    QVERIFY(model->dropMimeData(&data, Qt::CopyAction, -1, -1, gadget));
    auto* const dialog = bench.window.findChild<ui::LendDialog*>();
    QVERIFY(dialog != nullptr);
    QCOMPARE(dialog->file(), image.fileName());
    dialog->accept();
    QTRY_COMPARE(bench.helper.fleet.lent.size(), std::size_t(1));
    QCOMPARE(bench.helper.fleet.lent[0].terms.label, std::string("card.img"));
    QVERIFY(!bench.helper.fleet.lent[0].terms.readOnly);
}

void TestUiWindow::refusesWhatCannotBeLent() {
    WindowBench bench;
    QTemporaryDir folder;
    auto* const button = bench.find<QPushButton>("Lend an image to the gadget");
    const auto lend = [&](const QString& file) {
        click(button);
        auto* const dialog = bench.window.findChild<ui::LendDialog*>();
        dialog->setFile(file);
        const QString hint = bench.find<QLabel>("About this file")->text();
        dialog->accept();
        delete dialog;
        return hint;
    };
    QVERIFY(lend(folder.filePath("nothing")).contains("no such file"));
    QVERIFY(bench.problem().contains("cannot be opened"));
    QVERIFY(lend(folder.path()).contains("folder"));
    lend("/dev/null");
    QVERIFY(bench.problem().contains("neither a file nor a block device"));
    bench.settle();
    QVERIFY(bench.helper.fleet.lent.empty());
}

void TestUiWindow::setsAPolicy() {
    WindowBench bench;
    bench.choose({"Device", "If unplugged", "Wait up to 10:00"});
    QTRY_COMPARE(bench.device().policy.kind, PolicyKind::WaitLimited);
    bench.choose({"Device", "If unplugged", "Fail after 5 seconds"});
    QTRY_COMPARE(bench.device().policy.kind, PolicyKind::FailFast);
    QVERIFY(bench.helper.polkit.asked.contains("org.belay.set-policy"));
}

void TestUiWindow::forgetsAGadget() {
    WindowBench bench;
    bench.helper.remove("d1");
    bench.helper.changeGadget("g1", [](helper::GadgetView& gadget) { gadget.present = false; });
    QTRY_VERIFY(bench.spoken("Gadgets").first().contains("Not plugged in"));
    bench.choose({"Gadget", "Forget this gadget"});
    bench.settle();
    bench.helper.removeGadget("g1");
    QTRY_VERIFY(bench.find<QWidget>("No gadget yet")->isVisible());
}

void TestUiWindow::listsRequestsOnlyWhileTheyCanBeSeen() {
    WindowBench bench;
    QTRY_COMPARE(bench.spoken("Requests in flight"), QStringList({"Write", "Save"}));
    const auto askedInASecond = [&] {
        bench.settle();
        const int before = bench.helper.fleet.requestsAsked;
        for (int i = 0; i < 20; ++i)
            bench.later(50ms);
        return bench.helper.fleet.requestsAsked - before;
    };
    QCOMPARE(askedInASecond(), 4);
    auto* const tabs = bench.find<QTabWidget>("About the selected device");
    tabs->setCurrentIndex(1);
    QCOMPARE(askedInASecond(), 0);
    tabs->setCurrentIndex(0);
    QCOMPARE(askedInASecond(), 4);
    bench.window.hide();
    QCOMPARE(askedInASecond(), 0);
    bench.window.show();
    bench.helper.fleet.requestViews.clear();
    bench.later(250ms);
    auto* const note = bench.find<QLabel>("About the requests in flight");
    QVERIFY(note->isVisible());
    QCOMPARE(note->text(), QString("No requests are in flight"));
    // Who is slow to answer is not asked again.
    bench.helper.fleet.mute = true;
    QCOMPARE(askedInASecond(), 1);
}

void TestUiWindow::tellsEvents() {
    WindowBench bench;
    bench.find<QTabWidget>("About the selected device")->setCurrentIndex(2);
    helper::FleetEvent event;
    event.atUs = std::uint64_t(bench.clock.nowMs()) * 1000;
    event.what = events::StateChanged{.from = "live", .to = "waiting", .why = "the cable is out"};
    event.subject = "d1";
    event.subjectIsDevice = true;
    bench.helper.tell(event);
    QTRY_COMPARE(bench.spoken("Events", 2), QStringList("Unplugged, waiting"));
    QCOMPARE(bench.spoken("Events", 1), QStringList("disk"));
    // Of the selected device only.
    event.subject = "g1";
    event.subjectIsDevice = false;
    bench.helper.tell(event);
    bench.settle();
    QCOMPARE(bench.spoken("Events", 2).size(), 1);
}

void TestUiWindow::copiesAReport() {
    WindowBench bench;
    const auto tell = [&](const events::Any& what, bool ofDevice) {
        bench.helper.tell({.atUs = 1'000'000,
                           .what = what,
                           .subject = ofDevice ? "d1" : "g1",
                           .subjectIsDevice = ofDevice});
    };
    tell(events::StateChanged{"live", "waiting", "my-phone does not answer"}, true);
    tell(events::ProblemFound{.problem = "different-disk", .why = "my-phone"}, true);
    tell(events::Asked{.action = "set-policy", .user = "0", .policy = "fail-fast"}, true);
    tell(events::GadgetSeen{"unplugged", "port-7"}, false);
    tell(events::Asked{.action = "lend", .user = "0", .file = "/home/secret.img"}, false);
    bench.settle();
    QTest::keyClick(&bench.window, Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
    const QString report = QApplication::clipboard()->text();
    for (const char* part :
         {"Belay ", "state live", "1d6b:0104", "holders 2", "state from=live to=waiting",
          "problem problem=different-disk", "action action=set-policy policy=fail-fast",
          "gadget change=unplugged", "action action=lend"})
        QVERIFY2(report.contains(part), qPrintable(report));
    // It will be pasted into public places.
    for (const char* secret : {"my-phone", "/media/disk", "6ba7b810", "secret.img", "port-7"})
        QVERIFY2(!report.contains(secret), qPrintable(report));
}

void TestUiWindow::drawsHistory() {
    WindowBench bench;
    bench.find<QTabWidget>("About the selected device")->setCurrentIndex(1);
    auto* const history = bench.find<QWidget>("History");
    QVERIFY(history != nullptr);
    for (int i = 0; i < 3; ++i) {
        bench.helper.changeCounters("d1", [](helper::DeviceCounters& counters) {
            counters.readBytes += 10'000'000;
            counters.writtenBytes += 4'000'000;
        });
        const auto& counters = bench.device().counters;
        QTRY_COMPARE(bench.service.devices().first().readBytes, counters.readBytes);
        bench.later(1s);
    }
    bench.helper.setState("d1", State::Waiting);
    bench.settle();
    bench.later(2s);
    QCOMPARE(history->accessibleDescription(),
             QString("Ready for 0:03, Unplugged, waiting for 0:02"));
    bench.screenshot("history");
}

void TestUiWindow::isUsedWithoutAMouse() {
    WindowBench bench;
    makeWaiting(bench);
    bench.window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&bench.window));
    // Tab reaches every control that can be pressed, and comes round again.
    QSet<QString> reached;
    auto* const first = QApplication::focusWidget();
    QVERIFY(first != nullptr);
    for (int i = 0; i < 40; ++i) {
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
        reached += QApplication::focusWidget()->accessibleName();
        if (QApplication::focusWidget() == first)
            break;
    }
    QCOMPARE(QApplication::focusWidget(), first);
    for (const char* name : {"Gadgets", "Attach a share of the gadget", "Devices", "Recover disk",
                             "Stop disk", "Requests in flight"})
        QVERIFY2(reached.contains(name), name);
    auto* const recover = bench.find<QPushButton>("Recover disk");
    recover->setFocus();
    QTest::keyClick(recover, Qt::Key_Space);
    QTRY_COMPARE(bench.helper.fleet.recovers.size(), std::size_t(1));
}

void TestUiWindow::namesEveryControl() {
    WindowBench bench;
    ui::LendDialog dialog("Phone", &bench.window);
    QStringList nameless;
    const auto all = bench.window.findChildren<QWidget*>();
    for (const QWidget* const widget : all) {
        const bool control = widget->focusPolicy() != Qt::NoFocus ||
                             qobject_cast<const QAbstractButton*>(widget) != nullptr;
        const bool part = widget->objectName().startsWith("qt_") ||
                          qobject_cast<const QAbstractItemView*>(widget->parentWidget()) != nullptr;
        // Qt has words for the buttons that its rows of tabs may get; and the list that a combo box
        // opens, which newer versions make earlier, speaks with the words of its box.
        if (qobject_cast<const QTabBar*>(widget->parentWidget()) != nullptr ||
            widget->parentWidget()->inherits("QComboBoxPrivateContainer"))
            continue;
        // A text is its own description.
        const bool text = qobject_cast<const QLabel*>(widget) != nullptr;
        if (control && !part &&
            (widget->accessibleName().isEmpty() ||
             (!text && widget->accessibleDescription().isEmpty())))
            nameless += QString("%1 \"%2\" in %3")
                            .arg(widget->metaObject()->className(), widget->accessibleName(),
                                 widget->parentWidget()->metaObject()->className());
    }
    QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join("; ")));
}

// A service that answers nobody for a while holds up no event of the window.
void TestUiWindow::waitsForNobody() {
    WindowBench bench;
    makeWaiting(bench);
    bench.helper.fleet.mute = true;
    click(bench.find<QPushButton>("Recover disk"));
    bench.choose({"Gadget", "Attach", "music (2.1 MB, read-only)"});
    bench.later(1s);
    // It goes on listening to what the service says by itself.
    bench.helper.setState("d1", State::Resuming);
    QTRY_VERIFY(bench.spoken("Devices").first().contains("Catching up"));
}

void TestUiWindow::listsRequests() {
    WindowBench bench;
    bench.helper.fleet.requestViews = {{7, "write", 305'397'760, 131'072, "sent", 8},
                                       {8, "flush", 0, 0, "sent", 3}};
    const auto column = [&](int number) { return bench.spoken("Requests in flight", number); };
    bench.later(250ms);
    QCOMPARE(column(0), QStringList({"Write", "Save"}));
    // A flush is about no place.
    QCOMPARE(column(1), QStringList({"305,397,760", "–"}));
    QCOMPARE(column(2), QStringList({"131.1 kB", "–"}));
    QCOMPARE(column(3), QStringList({"8 ms", "3 ms"}));
    QCOMPARE(column(4), QStringList({"Sent", "Sent"}));
    bench.screenshot("requests");
    for (auto& request : bench.helper.fleet.requestViews)
        request.state = "replayed";
    bench.later(250ms);
    QVERIFY(column(4)[1].contains("Held"));
}

QTEST_MAIN(TestUiWindow)
#include "tst_ui_window.moc"
