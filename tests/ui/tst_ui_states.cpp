#include "core/lifecycle/state.h"
#include "tests/ui/window_bench.h"
#include "ui/i18n/language.h"
#include "ui/model/clock.h"
#include "ui/model/words.h"
#include "ui/window/look.h"

#include <QtTest/QTest>
#include <QtWidgets/QApplication>
#include <cmath>

using namespace belay;
using namespace belay::test;
using lifecycle::Problem;
using lifecycle::State;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kMicrosecondsPerSecond = 1'000'000;

std::uint64_t secondsAgo(int seconds) {
    return std::uint64_t(ui::Clock::current().nowMs()) * 1000 -
           std::uint64_t(seconds) * kMicrosecondsPerSecond;
}

}  // namespace

// Every state a device can be in, as the window says and shows it, in light and in dark.
class TestUiStates : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase() { ui::speak(*qApp, QLocale(QLocale::English)); }
    void init() { usePalette(false); }
    void saysEveryState_data();
    void saysEveryState();
    void saysHowThingsStandWithAGadget_data();
    void saysHowThingsStandWithAGadget();
    void saysWhatToDoWhenThereIsNothing();
    void saysWhatTheSystemLacks();
    void staysWhenTheServiceGoes();
    void saysThatTheServiceIsNotInstalled();
    void coloursCanBeRead();
};

void TestUiStates::saysEveryState_data() {
    QTest::addColumn<State>("state");
    QTest::addColumn<int>("problem");  // -1: none
    QTest::addColumn<qulonglong>("unsaved");
    QTest::addColumn<bool>("inUse");
    QTest::addColumn<QString>("words");
    QTest::addColumn<bool>("recover");
    const int none = -1;
    const auto row = [](const char* name, State state, int problem, qulonglong unsaved, bool inUse,
                        const char* words, bool recover) {
        QTest::newRow(name) << state << problem << unsaved << inUse << words << recover;
    };
    row("starting", State::Starting, none, 0, false, "Connecting…", true);
    row("ready", State::Live, none, 0, false, "Ready · safe to unplug", false);
    row("in-use", State::Live, none, 0, true, "Ready", false);
    row("saving", State::Live, none, 3'200'000, true, "Ready, saving · 3.2 MB, do not unplug",
        false);
    row("waiting", State::Waiting, none, 0, true, "Unplugged, waiting · for 0:42, 2 requests held",
        true);
    row("resuming", State::Resuming, none, 0, true, "Catching up… · 2 requests to go", true);
    row("crashed", State::Crashed, none, 0, true, "Restarting service… · nothing is lost", true);
    row("recovering", State::Recovering, none, 0, true, "Restarting service… · nothing is lost",
        true);
    row("failed", State::Failed, none, 0, true,
        "Stopped waiting · Programs got errors. Press Recover once it is plugged in again.", true);
    row("different-disk", State::NeedsAttention, int(Problem::DifferentDisk), 0, true,
        "Different disk · Nothing was sent to it. Plug in the right one, or stop the device.",
        true);
    row("data-may-be-missing", State::NeedsAttention, int(Problem::DataMayBeMissing), 0, true,
        "Data may be missing · The other end lost what it had not saved. Check the disk.", true);
    row("incompatible", State::NeedsAttention, int(Problem::Incompatible), 0, true,
        "Peer too old · Update Belay at the other end.", true);
    row("daemon-keeps-dying", State::NeedsAttention, int(Problem::DaemonKeepsDying), 0, true,
        "Cannot restart · Press Recover to try again, or stop the device.", true);
    row("kernel-refused", State::NeedsAttention, int(Problem::KernelRefused), 0, true,
        "Cannot restart · Press Recover to try again, or stop the device.", true);
    row("stopping", State::Stopping, none, 0, false, "Disconnecting…", false);
}

void TestUiStates::saysEveryState() {
    QFETCH(const State, state);
    QFETCH(const int, problem);
    QFETCH(const qulonglong, unsaved);
    QFETCH(const bool, inUse);
    QFETCH(const QString, words);
    QFETCH(const bool, recover);
    WindowBench bench;
    bench.helper.change("d1", [&](helper::DeviceView& device) {
        device.state = state;
        if (!inUse)
            device.holders.clear();
        if (problem >= 0)
            device.problems.add(Problem(problem));
    });
    bench.helper.change("d1", [](helper::DeviceView& device) { device.sinceUs = secondsAgo(42); });
    bench.helper.changeCounters("d1", [&](helper::DeviceCounters& counters) {
        counters.unsavedBytes = unsaved;
        if (state != State::Live)
            counters.inFlight = inUse ? 2 : 0;
    });
    QTRY_COMPARE(bench.spoken("Devices"), QStringList("disk, " + words));
    auto* const button = bench.find<QPushButton>("Recover disk");
    QVERIFY(button != nullptr);
    QCOMPARE(button->isEnabled(), recover);
    QVERIFY(bench.find<QPushButton>("Stop disk")->isEnabled());

    // Colour and icon go with the words.
    auto* const view = bench.find<QAbstractItemView>("Devices");
    const QImage light = view->grab().toImage();
    bench.screenshot(QStringLiteral("state-%1-light").arg(QTest::currentDataTag()));
    usePalette(true);
    bench.screenshot(QStringLiteral("state-%1-dark").arg(QTest::currentDataTag()));
    QVERIFY(light != view->grab().toImage());
}

void TestUiStates::saysHowThingsStandWithAGadget_data() {
    QTest::addColumn<bool>("present");
    QTest::addColumn<QString>("link");
    QTest::addColumn<QString>("words");
    QTest::addColumn<bool>("usable");
    QTest::newRow("open") << true << "open"
                          << "Connected" << true;
    QTest::newRow("connecting") << true << "connecting"
                                << "Connecting…" << false;
    QTest::newRow("refused") << true << "refused"
                             << "Not compatible" << false;
    QTest::newRow("trouble") << true << "trouble"
                             << "Trouble" << false;
    QTest::newRow("absent") << false << "absent"
                            << "Not plugged in" << false;
}

void TestUiStates::saysHowThingsStandWithAGadget() {
    QFETCH(const bool, present);
    QFETCH(const QString, link);
    QFETCH(const QString, words);
    QFETCH(const bool, usable);
    WindowBench bench;
    bench.helper.changeGadget("g1", [&](helper::GadgetView& gadget) {
        gadget.present = present;
        gadget.link = link.toStdString();
    });
    const QString port = present ? "Port 1-2 · 480 Mbit/s" : "Port 1-2";
    QTRY_COMPARE(bench.spoken("Gadgets"),
                 QStringList(QString("Belay gadget, %1, %2").arg(port, words)));
    QCOMPARE(bench.find<QPushButton>("Lend an image to the gadget")->isEnabled(), usable);
    bench.screenshot(QStringLiteral("gadget-%1").arg(QTest::currentDataTag()));
}

void TestUiStates::saysWhatToDoWhenThereIsNothing() {
    WindowBench bench(false);
    auto* const gadgets = bench.find<QWidget>("No gadget yet");
    QVERIFY(gadgets != nullptr && gadgets->isVisible());
    auto* const devices = bench.find<QWidget>("Plug in a gadget");
    QVERIFY(devices != nullptr && devices->isVisible());
    QVERIFY(devices->accessibleDescription().contains("belay-gadget --share"));
    bench.screenshot("empty");
    bench.helper.changeGadget("g1", [](helper::GadgetView& gadget) { gadget.name = "Phone"; });
    QTRY_COMPARE(devices->accessibleName(), QString("No disks yet"));
    QVERIFY(!gadgets->isVisible());
    bench.screenshot("no-disks");
}

void TestUiStates::saysWhatTheSystemLacks() {
    WindowBench bench;
    QCOMPARE(bench.standing(), QString());
    service::SystemState system;
    system.problems = {"no-ublk"};
    system.explanations = {"The ublk driver is not loaded. Run: modprobe ublk_drv"};
    bench.helper.setSystem(system);
    QTRY_VERIFY(bench.standing().contains("modprobe"));
    bench.screenshot("no-ublk");
}

void TestUiStates::staysWhenTheServiceGoes() {
    WindowBench bench;
    auto* const stop = bench.find<QPushButton>("Stop disk");
    QTRY_VERIFY(stop->isEnabled());
    bench.helper.vanish();
    bench.settle();
    QVERIFY(bench.standing().contains("restarting"));
    // The rows stay, and nothing can be pressed that nobody would answer.
    QCOMPARE(bench.spoken("Devices").size(), 1);
    QVERIFY(!stop->isEnabled());
    bench.screenshot("restarting");
    // What is gone when it is back, goes; what changed, changes.
    bench.helper.change("d2", [&](helper::DeviceView& other) {
        other = bench.device();
        other.id = "d2";
        other.label = "renamed";
    });
    bench.helper.remove("d1");
    QVERIFY(bench.helper.appear());
    QTRY_COMPARE(bench.standing(), QString());
    QTRY_COMPARE(bench.spoken("Devices").size(), 1);
    QVERIFY(bench.spoken("Devices").first().startsWith("renamed, "));
}

void TestUiStates::saysThatTheServiceIsNotInstalled() {
    WindowBench bench;
    bench.helper.vanish();
    bench.later(300ms);
    QVERIFY(bench.standing().contains("not installed"));
    bench.screenshot("not-installed");
    QVERIFY(bench.helper.appear());
    // It is found without being asked for, or at once by the button.
    if (auto* const again = bench.find<QPushButton>("Try again"); again->isVisible())
        QTest::mouseClick(again, Qt::LeftButton);
    QTRY_COMPARE(bench.standing(), QString());
}

// Contrast as WCAG defines it; 4.5 : 1 is what text wants.
void TestUiStates::coloursCanBeRead() {
    const auto luminance = [](const QColor& color) {
        const auto linear = [](float part) {
            return part <= 0.04045F ? part / 12.92F : std::pow((part + 0.055F) / 1.055F, 2.4F);
        };
        return 0.2126F * linear(color.redF()) + 0.7152F * linear(color.greenF()) +
               0.0722F * linear(color.blueF());
    };
    for (const bool dark : {false, true}) {
        usePalette(dark);
        const QPalette palette = QApplication::palette();
        const float base = luminance(palette.color(QPalette::Base));
        for (const auto tone : {ui::Tone::Neutral, ui::Tone::Good, ui::Tone::Busy, ui::Tone::Held,
                                ui::Tone::Problem}) {
            const float text = luminance(ui::colorOf(tone, palette));
            const float contrast = (std::max(base, text) + 0.05F) / (std::min(base, text) + 0.05F);
            QVERIFY2(contrast >= 4.5F, qPrintable(QString("tone %1, dark %2: %3")
                                                      .arg(int(tone))
                                                      .arg(dark)
                                                      .arg(double(contrast))));
        }
    }
}

QTEST_MAIN(TestUiStates)
#include "tst_ui_states.moc"
