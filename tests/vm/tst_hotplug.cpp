#include "tests/vm/service/service.h"

#include <signal.h>

#include <QJsonArray>
#include <QTest>

using namespace service;
using scenario::kManager;
using scenario::kRoot;

// What belayd makes of gadgets that come and go, of bad ones, and of who uses a device.
class TestHotplug : public QObject {
    Q_OBJECT

 private slots:
    void equalSerials();
    void anotherPort();
    void bothChangePlaces();
    void refused_data();
    void refused();
    void holders();
    void cannotBeOpened();
    void lentWhenItAppears();
    void kernelDoesNotAnswer();
    void firstWorkerEnds();
};

namespace {

// Two that nothing but their ports and what they share tells apart.
struct Twins {
    explicit Twins(Bench& bench)
        : disks{bench.disk("one", 4), bench.disk("two", 4)}, cables{{0, "one"}, {1, "two"}} {
        for (int i = 0; i < 2; ++i) {
            gadgets[i] = bench.gadget({"--serial", "SAME", "--udc", QString("dummy_udc.%1").arg(i),
                                       "--share", disks[i].store(), "--label", disks[i].label()},
                                      disks[i].label());
            // One after the other: who comes first is called by the serial alone.
            require(
                waitUntil([&] { return user.objects("/gadgets/1d6b_0104_SAME").size() == i + 1; },
                          kPatience, 100ms),
                "no gadget for each of those with equal serials");
            for (const QString& path : user.objects("/gadgets/1d6b_0104_SAME"))
                if (!paths.contains(path))
                    paths += path;
            awaitOpen(paths[i]);
            devices += user.attach(paths[i], disks[i].label());
            disks[i].appearedAs(user.get(devices[i], kDevice, "Node").toString());
        }
    }

    static void awaitOpen(const QString& path) {
        require(waitUntil([&] { return user.get(path, kGadget, "Link").toString() == "open"; },
                          kPatience, 100ms),
                path + " does not come: " + user.get(path, kGadget, "Link").toString());
    }
    static void awaitAway(const QString& path) {
        require(waitUntil([&] { return !user.get(path, kGadget, "Present").toBool(); }, kPatience,
                          100ms),
                path + " is still there");
    }
    void compare() {
        for (int i = 0; i < 2; ++i) {
            user.waitForState(devices[i], "live");
            disks[i].compare();
        }
        require(user.objects("/gadgets/1d6b_0104_SAME").size() == 2,
                "there are more gadgets than two");
    }
    void end() {
        for (int i = 0; i < 2; ++i)
            if (const QString result = user.run(devices[i], "Stop"); result != "succeeded")
                throw Failure(devices[i] + " does not stop: " + result);
        for (auto& gadget : gadgets)
            gadget->end();
        for (const QString& path : paths) {
            awaitAway(path);
            user.mustCall(path, kGadget, "Forget", {"a{sv}", "0"});
        }
        require(waitUntil([] { return leftovers().isEmpty(); }, 5s),
                "left behind: " + leftovers().join(", "));
    }

    Disk disks[2];
    Cable cables[2];
    std::unique_ptr<Daemon> gadgets[2];
    QStringList paths;
    QStringList devices;
};

// Takes a gadget off its controller; puts it on one.
void unplug(const QString& name) {
    writeFile("/sys/kernel/config/usb_gadget/" + name + "/UDC", "\n");
}
void plugIn(const QString& name, int controller) {
    writeFile("/sys/kernel/config/usb_gadget/" + name + "/UDC",
              "dummy_udc." + QByteArray::number(controller));
}

// As long as it lives, a file is another one.
class InPlaceOf {
 public:
    InPlaceOf(QString path, const QString& other) : path_(std::move(path)) {
        mustRun({"mount", "--bind", other, path_});
    }
    ~InPlaceOf() { run({"umount", "--lazy", path_}); }
    InPlaceOf(const InPlaceOf&) = delete;
    InPlaceOf& operator=(const InPlaceOf&) = delete;

 private:
    QString path_;
};

void awaitLink(const QString& path, const QString& link) {
    QString last;
    const auto there = [&] {
        const auto found = user.find(path, kGadget, {"Link"});
        last = found ? found->front().toString() : "nowhere";
        return last == link;
    };
    require(waitUntil(there, kPatience, 100ms), QString("Link is %1 and not %2").arg(last, link));
}

}  // namespace

void TestHotplug::equalSerials() {
    inTurn([](Bench& bench) {
        Twins twins(bench);
        require(twins.paths[1].startsWith(twins.paths[0] + "_at_"),
                "they are called " + twins.paths.join(" and "));
        // The first one goes, and comes back while the second is there.
        twins.cables[0].pull();
        user.waitForState(twins.devices[0], "waiting", 5s);
        require(user.stateOf(twins.devices[1]) == "live", "the other one is not live");
        twins.cables[0].plugIn();
        twins.compare();
        // The same with the second.
        twins.cables[1].pull();
        user.waitForState(twins.devices[1], "waiting", 5s);
        twins.cables[1].plugIn();
        twins.compare();
        // Both at once, the second comes back first.
        twins.cables[0].pull();
        twins.cables[1].pull();
        for (const QString& path : twins.paths)
            Twins::awaitAway(path);
        twins.cables[1].plugIn();
        Twins::awaitOpen(twins.paths[1]);
        twins.cables[0].plugIn();
        twins.compare();
        twins.end();
    });
}

void TestHotplug::anotherPort() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        const QString before = user.get(plugged.path, kGadget, "Port").toString();
        auto fio = plugged.fio(plugged.disk.node());
        plugged.disk.awaitProgress(20);
        unplug("gadget");
        user.waitForState(device, "waiting", 5s);
        plugIn("gadget", 1);
        user.waitForState(device, "live");
        require(user.gadget() == plugged.path, "it has another path: " + user.gadget());
        const QString after = user.get(plugged.path, kGadget, "Port").toString();
        require(!after.isEmpty() && after != before, "its port is still said to be " + after);
        require(user.objects("/devices/") == QStringList{device}, "the device has another path");
        fio->succeed(60s);
        plugged.disk.compare();
        plugged.end();
    });
}

// One of two twins moves to a third port: it is the one that is away.
void TestHotplug::bothChangePlaces() {
    inTurn([](Bench& bench) {
        Twins twins(bench);
        for (int i = 0; i < 2; ++i) {
            unplug(twins.disks[i].label());
            user.waitForState(twins.devices[i], "waiting", 5s);
            plugIn(twins.disks[i].label(), 2 + i);
            twins.compare();
        }
        twins.end();
    });
}

void TestHotplug::refused_data() {
    QTest::addColumn<QString>("script");
    QTest::addColumn<QString>("link");
    QTest::addColumn<QString>("trouble");
    QTest::newRow("speaks another version") << "hello-version"
                                            << "refused"
                                            << "unknown version";
    QTest::newRow("no Belay message") << "hello-magic"
                                      << "refused"
                                      << "no Belay message";
    QTest::newRow("stalls") << "hello-stall"
                            << "refused"
                            << "does not know HELLO";
    QTest::newRow("does not answer") << "hello-silent"
                                     << "trouble"
                                     << "HELLO";
}

void TestHotplug::refused() {
    inTurn([](Bench& bench) {
        QFETCH(QString, script);
        QFETCH(QString, link);
        QFETCH(QString, trouble);
        auto gadget = bench.start({HOSTILE_GADGET, script}, "hostile");
        QString path;
        const auto there = [&] {
            const QStringList found = user.objects("/gadgets/1d6b_0104_HOSTILE");
            path = found.value(0);
            return !found.isEmpty() && user.get(path, kGadget, "Link").toString() == link;
        };
        const bool reached = waitUntil(there, kPatience, 100ms);
        require(!path.isEmpty(), "it is not shown");
        const QString last = user.get(path, kGadget, "Link").toString();
        require(reached, QString("Link is %1 and not %2").arg(last, link));
        const QString said = user.get(path, kGadget, "Trouble").toString();
        qInfo("%s: %s", qPrintable(link), qPrintable(said));
        require(said.contains(trouble), "Trouble says: " + said);
        require(user.get(path, kGadget, "Shares").toArray().isEmpty(), "it shares something");
        gadget->signal(SIGTERM);
        gadget->finish();
        require(waitUntil([&] { return !user.get(path, kGadget, "Present").toBool(); }, kPatience,
                          100ms),
                "it is still there");
        require(user.get(path, kGadget, "Link").toString() == "absent", "Link is not absent");
        require(user.get(path, kGadget, "Trouble").toString().isEmpty(), "its trouble stays");
        user.mustCall(path, kGadget, "Forget", {"a{sv}", "0"});
        // An honest one on the same port.
        Plugged plugged(bench);
        require(user.get(plugged.path, kGadget, "Trouble").toString().isEmpty(),
                "an honest gadget has trouble");
        plugged.attach();
        plugged.disk.compare();
        plugged.end();
    });
}

void TestHotplug::holders() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        const auto holds = [&](const QString& kind, const QString& name) {
            return waitUntil(
                [&] {
                    return user.get(device, kDevice, "Holders")
                        .toArray()
                        .contains(QJsonArray{kind, name});
                },
                5s, 300ms);
        };
        const auto isFree = [&] {
            return waitUntil(
                [&] { return user.get(device, kDevice, "Holders").toArray().isEmpty(); }, 5s,
                300ms);
        };
        require(isFree(), "somebody is said to hold it");
        auto sleeper =
            bench.start({"bash", "-c", "exec sleep 60 <" + plugged.disk.node()}, "sleep");
        require(holds("process", QString("%1 (sleep)").arg(sleeper->pid())),
                "the process that has it open is not named");
        sleeper->signal(SIGTERM);
        sleeper->finish();
        require(isFree(), "who is gone is still said to hold it");
        const QString point = "/run/belay-test/mounted";
        QDir().mkpath(point);
        mustRun({"mkfs.ext4", "-q", plugged.disk.node()});
        mustRun({"mount", plugged.disk.node(), point});
        require(holds("mount", point), "the mount point is not named");
        mustRun({"umount", point});
        require(isFree(), "a mount point is named that is no more");
        plugged.end();
    });
}

// What the worker cannot do with a gadget is on the bus, and tried again.
void TestHotplug::cannotBeOpened() {
    inTurn([](Bench& bench) {
        killBelayd();
        Disk disk = bench.disk("disk");
        auto gadget = bench.gadget({"--share", disk.store(), "--label", "disk"});
        const Cable cable(0, "gadget");
        require(waitUntil([&] { return cable.hasDevice(); }), "the gadget does not come");
        const QString device = QString("/sys/bus/usb/devices/%1-1/").arg(cable.bus());
        const QString node = QString("/dev/bus/usb/%1/%2")
                                 .arg(cable.bus(), 3, 10, QChar('0'))
                                 .arg(readFile(device + "devnum").toInt(), 3, 10, QChar('0'));
        mustRun({"mount", "--bind", "/dev/null", node});
        QString path;
        const auto troubled = [&] {
            path = user.objects("/gadgets/1d6b_0104_gadget").value(0);
            return !path.isEmpty() && user.get(path, kGadget, "Link").toString() == "trouble";
        };
        const bool seen = waitUntil(troubled, kPatience, 100ms);
        mustRun({"umount", "--lazy", node});
        require(seen, "no trouble is shown");
        require(user.gadget() == path, "another gadget has come");
        require(user.get(path, kGadget, "Trouble").toString().isEmpty(), "its trouble stays");
        gadget->end();
    });
}

void TestHotplug::lentWhenItAppears() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        Disk lent = bench.disk("lent", 8);
        const QString device = root.mustCall(plugged.path, kGadget, "LendPath",
                                             {"sa{sv}", lent.store(), "1", "label", "s", "lent"})
                                   .toString();
        lent.appearedAs(waitForLive(*plugged.gadget, "lent"));
        // As after a reboot, with a disk that is mounted late.
        const pid_t worker = user.get(device, kDevice, "DaemonPid").toInt();
        killBelayd();
        ::kill(worker, SIGKILL);
        require(QFile::rename(lent.store(), lent.store() + ".away"), "the file cannot be renamed");
        require(user.gadget() == plugged.path, "the gadget has another path");
        require(user.objects("/devices/").isEmpty(), "a file is lent that is not there");
        require(QFile::rename(lent.store() + ".away", lent.store()), "it cannot be renamed back");
        require(waitUntil([&] { return user.objects("/devices/") == QStringList{device}; },
                          kPatience, 200ms),
                "the file is there again and not lent");
        user.waitForState(device, "live");
        waitForLive(*plugged.gadget, "lent");
        lent.compare();
        stopAll(*plugged.gadget);
        plugged.end();
    });
}

// What an earlier belayd left cannot be looked up when the gadget comes back: it is when it can be.
void TestHotplug::kernelDoesNotAnswer() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        auto fio = plugged.fio(plugged.disk.node());
        plugged.disk.awaitProgress(20);
        plugged.cable.pull();
        user.waitForState(device, "waiting", 5s);
        // One that does not know the gadget until it comes.
        killBelayd();
        require(QFile::remove("/run/belay-test/state/settings.json"), "it has no settings");
        const auto next = startBelayd(bench, {});
        require(user.objects("/devices/").isEmpty(), "the device is known too early");
        // It knows no command.
        auto deaf = std::make_unique<InPlaceOf>("/dev/ublk-control", "/dev/zero");
        plugged.cable.plugIn();
        awaitLink(plugged.path, "trouble");
        const QString trouble = user.get(plugged.path, kGadget, "Trouble").toString();
        require(trouble.contains("ublk"), "Trouble says: " + trouble);
        plugged.cable.pull();
        awaitLink(plugged.path, "absent");
        plugged.cable.plugIn();
        awaitLink(plugged.path, "trouble");
        deaf.reset();
        require(waitUntil([&] { return user.objects("/devices/") == QStringList{device}; },
                          kPatience, 100ms),
                "the device does not come back");
        user.waitForState(device, "live");
        require(next->running(), "belayd has died:\n" + next->output());
        fio->succeed(60s);
        plugged.disk.compare();
        plugged.end();
    });
}

// What keeps the very first worker of a gadget from starting may be over soon.
void TestHotplug::firstWorkerEnds() {
    inTurn([](Bench& bench) {
        const auto belayd = startBelayd(bench, {});
        for (const QString& known : user.objects("/gadgets/"))
            user.mustCall(known, kGadget, "Forget", {"a{sv}", "0"});
        auto broken =
            std::make_unique<InPlaceOf>(qEnvironmentVariable("BELAY_HOSTD"), "/bin/false");
        Disk disk = bench.disk("disk");
        auto gadget = bench.gadget({"--share", disk.store(), "--label", "disk"});
        const auto told = [] {
            for (const QJsonValue& event :
                 user.mustCall(kRoot, kManager, "ListEvents", {"tua{sv}", "0", "0", "0"}).toArray())
                if (event[1] == "service")
                    return true;
            return false;
        };
        require(waitUntil(told, kPatience, 100ms), "no worker has ended");
        broken.reset();
        disk.appearedAs(user.get(user.attach(user.gadget(), "disk"), kDevice, "Node").toString());
        disk.compare();
        for (const QString& device : user.objects("/devices/"))
            require(user.run(device, "Stop") == "succeeded", device + " does not stop");
        gadget->end();
    });
}

int main(int argc, char** argv) {
    TestHotplug test;
    return runOnPrivateBus(argc, argv, test);
}

#include "tst_hotplug.moc"
