#include "core/lifecycle/state.h"
#include "tests/ui/window_user.h"
#include "tests/vm/service/service.h"
#include "ui/i18n/language.h"
#include "ui/model/service.h"

#include <pwd.h>
#include <unistd.h>

#include <QApplication>
#include <QElapsedTimer>
#include <QTabWidget>
#include <QTest>

using namespace hostile;
using belay::test::WindowUser;

// The window over the real belayd, with a real gadget; the window's connection to the bus is that
// of a user without privileges whom polkit allows.
class TestWindow : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase() { belay::ui::speak(*qApp, QLocale(QLocale::English)); }
    void attachesAndShowsAPull();
    void recoversAndStops();
    void saysWhoUsesIt();
};

namespace {

constexpr int kPatienceMs = 40'000;

// Whom polkit's rules of the rig let do everything.
const char* const kUser = "daemon";

// The bus takes a client for whoever has connected.
QDBusConnection connectAsUser() {
    static int number = 0;
    const passwd* const user = ::getpwnam(kUser);
    require(user != nullptr && ::seteuid(user->pw_uid) == 0, "cannot become that user");
    auto bus = QDBusConnection::connectToBus(QDBusConnection::SystemBus,
                                             QString("window%1").arg(number++));
    require(::seteuid(0) == 0, "cannot become root again");
    require(bus.isConnected(), "no bus: " + bus.lastError().message());
    return bus;
}

void await(const std::function<bool()>& met, const QString& what) {
    require(QTest::qWaitFor(met, kPatienceMs), what + " in vain");
}

// A gadget with a share, and the window.
struct Shown : WindowUser {
    explicit Shown(Bench& bench)
        : WindowUser(shown),
          disk(bench.disk("disk", 16)),
          gadget(bench.gadget({"--share", disk.store(), "--label", "disk"})),
          cable(0, "gadget"),
          service(connectAsUser()),
          shown(service) {
        service.start();
        shown.show();
        await([this] { return spoken("Gadgets").join("").contains("Connected"); },
              "the gadget is waited for");
    }
    ~Shown() {
        if (cable.isPulled())
            cable.plugIn();
    }
    void attach() {
        choose({"Gadget", "Attach", "disk (16.8 MB)"});
        await([this] { return state().startsWith("Ready"); }, "the device is waited for");
        disk.appearedAs(service.devices().first().node);
    }
    QString state() const { return spoken("Devices").value(0).section(", ", 1); }
    void stop() {
        auto* const button = find<QPushButton>("Stop disk");
        await([button] { return button->isEnabled(); }, "the button is waited for");
        QTest::mouseClick(button, Qt::LeftButton);
        await(
            [this] {
                return spoken("Devices").isEmpty() || dialog() != nullptr || !problem().isEmpty();
            },
            "Stop is waited for");
        require(problem().isEmpty(), problem());
        require(dialog() == nullptr, "it asks: " + (dialog() ? dialog()->informativeText() : ""));
    }

    Disk disk;
    std::unique_ptr<Daemon> gadget;
    Cable cable;
    belay::ui::Service service;
    belay::ui::MainWindow shown;
};

}  // namespace

void TestWindow::attachesAndShowsAPull() {
    inTurn([](Bench& bench) {
        Shown shown(bench);
        shown.attach();
        shown.disk.compare();
        auto fio =
            bench.start({"fio", "--name=verify", "--filename=" + shown.disk.node(), "--direct=1",
                         "--ioengine=libaio", "--rw=randwrite", "--bs=64k", "--iodepth=8",
                         "--size=16M", "--verify=crc32c", "--do_verify=1", "--verify_fatal=1"},
                        "fio");
        shown.disk.awaitProgress(10);
        await([&] { return !shown.spoken("Requests in flight").isEmpty(); },
              "requests in flight are waited for");
        shown.cable.pull();
        QElapsedTimer clock;
        clock.start();
        await([&] { return shown.state().startsWith("Unplugged, waiting"); },
              "the pull is waited for");
        qInfo("the window showed a pulled cable after %lld ms", clock.elapsed());
        // A second is what it may take; the rest is for machines that have other things to do.
        require(clock.elapsed() < 3000, "it took longer than three seconds");
        require(shown.spoken("Gadgets").first().contains("Not plugged in"),
                "the gadget is " + shown.spoken("Gadgets").first());
        // What is held is listed as held.
        await([&] { return shown.spoken("Requests in flight", 4).join("").contains("Held"); },
              "held requests are waited for");
        shown.cable.plugIn();
        await([&] { return shown.state().startsWith("Ready"); }, "the way back is waited for");
        fio->succeed(60s);
        shown.disk.compare();
        shown.stop();
        require(!QFile::exists(shown.disk.node()), "the device is still there");
    });
}

void TestWindow::recoversAndStops() {
    inTurn([](Bench& bench) {
        Shown shown(bench);
        shown.attach();
        shown.choose({"Device", "If unplugged", "Fail after 5 seconds"});
        shown.cable.pull();
        await([&] { return shown.state().startsWith("Stopped waiting"); },
              "the end of the waiting is waited for");
        shown.cable.plugIn();
        await([&] { return shown.spoken("Gadgets").first().contains("Connected"); },
              "the gadget is waited for");
        require(shown.state().startsWith("Stopped waiting"), "it is " + shown.state());
        QTest::mouseClick(shown.find<QPushButton>("Recover disk"), Qt::LeftButton);
        await([&] { return shown.state().startsWith("Ready"); }, "Recover is waited for");
        shown.disk.compare();
        shown.stop();
        require(!QFile::exists(shown.disk.node()), "the device is still there");
        require(shown.problem().isEmpty(), shown.problem());
    });
}

void TestWindow::saysWhoUsesIt() {
    inTurn([](Bench& bench) {
        Shown shown(bench);
        shown.attach();
        run({"mkfs.ext4", "-q", shown.disk.node()});
        QDir().mkpath("/run/belay-test/mnt");
        require(run({"mount", shown.disk.node(), "/run/belay-test/mnt"}).status == 0,
                "it cannot be mounted");
        await([&] { return !shown.service.devices().first().holders.isEmpty(); },
              "the mount is waited for");
        QTest::mouseClick(shown.find<QPushButton>("Stop disk"), Qt::LeftButton);
        await([&] { return shown.dialog() != nullptr; }, "the question is waited for");
        require(shown.dialog()->informativeText().contains("Mounted at /run/belay-test/mnt"),
                shown.dialog()->informativeText());
        WindowUser::press(*shown.dialog(), "Force stop");
        await([&] { return shown.spoken("Devices").isEmpty(); }, "the end is waited for");
        require(!QFile::exists(shown.disk.node()), "the device is still there");
        run({"umount", "-l", "/run/belay-test/mnt"});
    });
}

int main(int argc, char** argv) {
    service::moveToPrivateBus(argc, argv);
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    TestWindow test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_window.moc"
