#include "tests/vm/scenario/volumes.h"
#include "tests/vm/service/service.h"

#include <signal.h>

#include <QDBusConnection>
#include <QDBusMessage>
#include <QElapsedTimer>
#include <QJsonArray>
#include <QTest>

using namespace service;

// belayd with a real gadget, driven by busctl as a user without privileges whom polkit allows.
class TestBelayd : public QObject {
    Q_OBJECT

 private slots:
    void attaches();
    void lends();
    void lendsWithABlockSize();
    void outlivesItsDeath();
    void workerDies();
    void lendsWhatLiesOnItsDisk();
    void lendsWhatHangs();
    void replacesAnEarlierWorker();
    void workersComeAndGo();
    void forgetsNothingThatHangs();
    void policies();
    void theComputerSleeps();
    void refusesWhatLosesData();
    void asksPolkit();
    void comesBackByItself();
};

namespace {

const QString kForce = "force";

// Writes for as long as it is needed.
std::unique_ptr<Program> startLoad(Bench& bench, const Disk& disk, const QString& name) {
    auto load = bench.start(
        {"fio", "--name=load", "--filename=" + disk.node(), "--direct=1", "--ioengine=libaio",
         "--rw=randwrite", "--bsrange=4k-64k", "--iodepth=8", "--size=4M", "--time_based",
         "--runtime=600s", "--thinktime=2000", "--thinktime_blocks=8"},
        name);
    disk.awaitProgress(10);
    return load;
}

// Of belayd; their roles.
QStringList hostWorkers() {
    QStringList roles;
    for (const QString& process : QDir("/proc").entryList({"[0-9]*"}, QDir::Dirs)) {
        const QByteArray words = readFile("/proc/" + process + "/cmdline");
        if (words.startsWith("belay-hostd") && words.contains("-worker") &&
            !isDead(process.toInt()))
            roles += QString::fromUtf8(words.split('\0').value(1)).remove("-worker");
    }
    roles.sort();
    return roles;
}

void needWorkers(const QStringList& roles, const QString& when) {
    await([&] { return hostWorkers() == roles; },
          [&] { return when + " there are: " + hostWorkers().join(", "); }, 20s, 50ms);
}

// Lends it by its path; its object. It is live on both sides.
QString lendAlways(Plugged& plugged, Disk& disk) {
    const QString device = root.mustCall(plugged.path, kGadget, "LendPath",
                                         {"sa{sv}", disk.store(), "1", "label", "s", disk.label()})
                               .toString();
    disk.appearedAs(waitForLive(*plugged.gadget, disk.label()));
    user.waitForState(device, "live");
    return device;
}

}  // namespace

void TestBelayd::attaches() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        plugged.disk.compare();
        auto fio = plugged.fio(plugged.disk.node());
        plugged.disk.awaitProgress(20);
        plugged.cable.pull();
        QElapsedTimer clock;
        clock.start();
        user.waitForState(device, "waiting", 2s);
        qInfo("a pulled cable was shown after %lld ms", clock.elapsed());
        const auto requests =
            user.mustCall(device, kDevice, "ListInFlight", {"a{sv}", "0"}).toArray();
        require(!requests.isEmpty(), "no request is held");
        for (const QJsonValue& request : requests) {
            const QString state = request.toArray().at(4).toString();
            require(state == "parked" || state == "replayed", "a request is " + state);
        }
        require(fio->running(), "the load did not wait:\n" + fio->output());
        plugged.cable.plugIn();
        user.waitForState(device, "live");
        fio->succeed(60s);
        plugged.disk.compare();
        plugged.end();
    });
}

void TestBelayd::lends() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        Disk lent = bench.disk("lent", 8);
        const QString device = root.mustCall(plugged.path, kGadget, "LendPath",
                                             {"sa{sv}", lent.store(), "1", "label", "s", "lent"})
                                   .toString();
        lent.appearedAs(waitForLive(*plugged.gadget, "lent"));
        user.waitForState(device, "live");
        lent.compare();
        auto fio = plugged.fio(lent.node(), 8);
        lent.awaitProgress(20);
        plugged.cable.pull();
        user.waitForState(device, "waiting", 2s);
        plugged.cable.plugIn();
        user.waitForState(device, "live");
        fio->succeed(60s);
        lent.compare();
        stopAll(*plugged.gadget);
        plugged.end();
    });
}

// As asked, as the partition table has it, and again after the death of belayd and its worker.
void TestBelayd::lendsWithABlockSize() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        Disk asked = bench.disk("asked", 4);
        Disk found = bench.disk("found", 4);
        Disk odd = bench.disk("odd", 4);
        mustRun({"bash", "-c", "printf 'g\\nw\\n' | fdisk --wipe never -b 4096 " + found.store()});
        mustRun({"truncate", "-s", "5120", odd.store()});
        const auto lend = [&](const Disk& disk, const QStringList& options) {
            return root.call(plugged.path, kGadget, "LendPath",
                             QStringList{"sa{sv}", disk.store()} + options);
        };
        const auto needRefused = [&](const Disk& disk, const QString& size, const QByteArray& why) {
            const Outcome outcome = lend(disk, {"1", "block-size", "u", size});
            require(outcome.status != 0 && outcome.output.contains(why),
                    "a block size of " + size + ": " + outcome.output);
        };
        needRefused(asked, "1000", "The block size can be 512, 1024, 2048 or 4096, and not 1000");
        needRefused(odd, "4096", "Its size, 5120 bytes, is no multiple of that");
        require(user.objects("/devices/").isEmpty(), "it was lent all the same");

        require(lend(asked, {"1", "block-size", "u", "2048"}).status == 0, "it is not lent");
        require(lend(found, {"0"}).status == 0, "it is not lent");
        const std::map<Disk*, QByteArray> sizes = {{&asked, "2048"}, {&found, "4096"}};
        for (const auto& [disk, size] : sizes)
            disk->appearedAs(waitForLive(*plugged.gadget, disk->label()));
        const auto needSizes = [&] {
            for (const auto& [disk, size] : sizes) {
                mustRun({"dd", "if=/dev/zero", "of=" + disk->node(), "bs=64k", "count=4",
                         "oflag=direct", "conv=fsync"});
                const QByteArray said = mustRun({"blockdev", "--getss", disk->node()}).trimmed();
                require(said == size, disk->label() + " has blocks of " + said + " bytes");
                require(deviceState(*plugged.gadget, disk->label()) == "live",
                        disk->label() + " is not live");
            }
            for (const QString& device : user.objects("/devices/")) {
                const QString label = user.get(device, kDevice, "Label").toString();
                const int size = user.get(device, kDevice, "BlockSize").toInt();
                require(size == (label == "asked" ? 2048 : 4096),
                        label + " is said to have blocks of " + QString::number(size));
            }
        };
        needSizes();
        // What it went by is gone now.
        const QString any = user.objects("/devices/").value(0);
        const pid_t worker = user.get(any, kDevice, "DaemonPid").toInt();
        require(worker > 0, "nobody lends it");
        killBelayd();
        ::kill(worker, SIGKILL);
        const auto lentAgain = [&] {
            const auto devices = user.objects("/devices/");
            return devices.size() == 2 && user.stateOf(devices[0]) == "live" &&
                   user.stateOf(devices[1]) == "live";
        };
        require(waitUntil(lentAgain, 20s, 100ms), "they are not lent again");
        needSizes();
        for (const auto& [disk, size] : sizes)
            disk->compare();
        stopAll(*plugged.gadget);
        plugged.end();
    });
}

// I/O does not notice that belayd is gone; the next one finds everything as it was.
void TestBelayd::outlivesItsDeath() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        const auto since = user.get(device, kDevice, "Since");
        const auto worker = user.get(device, kDevice, "DaemonPid").toInt();
        for (int i = 0; i < times(3, 20); ++i) {
            auto fio = plugged.fio(plugged.disk.node());
            plugged.disk.awaitProgress(10);
            const pid_t old = belayd();
            require(old > 0, "belayd does not run");
            const qint64 before = plugged.disk.completed();
            killBelayd();
            require(waitUntil([&] { return plugged.disk.completed() > before + 5; }, 1500ms, 5ms),
                    "I/O pauses without belayd");
            // Whoever asks starts the next one.
            require(user.stateOf(device) == "live", "it is " + user.stateOf(device));
            require(belayd() != old, "belayd was not killed");
            fio->succeed(60s);
        }
        require(user.get(device, kDevice, "DaemonPid").toInt() == worker, "another worker serves");
        require(user.get(device, kDevice, "Recoveries").toInt() == 0, "the device was recovered");
        require(std::abs(user.get(device, kDevice, "Since").toDouble() - since.toDouble()) < 1e4,
                "its state began anew");
        plugged.disk.compare();
        plugged.end();
    });
}

void TestBelayd::workerDies() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        auto fio = plugged.fio(plugged.disk.node());
        plugged.disk.awaitProgress(20);
        const pid_t worker = user.get(device, kDevice, "DaemonPid").toInt();
        require(worker > 0, "nobody serves it");
        ::kill(worker, SIGKILL);
        plugged.disk.awaitProgress(20);
        pid_t next = 0;
        const auto replaced = [&](pid_t before) {
            next = user.get(device, kDevice, "DaemonPid").toInt();
            return next > 0 && next != before && user.stateOf(device) == "live";
        };
        require(waitUntil([&] { return replaced(worker); }, 5s, 100ms), "the dead one serves");
        const int recoveries = user.get(device, kDevice, "Recoveries").toInt();
        require(recoveries == 1, QString("it was recovered %1 times").arg(recoveries));

        // One that hangs is noticed by its silence.
        const pid_t hung = next;
        ::kill(hung, SIGSTOP);
        require(waitUntil([&] { return replaced(hung); }, 30s, 200ms),
                "a worker that hangs was not replaced");
        fio->succeed(60s);
        plugged.disk.compare();
        plugged.end();
    });
}

// Whoever has the file needs whoever serves the disk, at the same gadget, through the same cable.
void TestBelayd::lendsWhatLiesOnItsDisk() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench, 64);
        const QString device = plugged.attach();
        const VolumeOnDisk volume(plugged.disk);
        Disk lent("lent", volume.folder() + "/image", 8);
        const QString lentDevice = lendAlways(plugged, lent);
        auto load = startLoad(bench, lent, "lent");
        const auto isLive = [](const QString& which) {
            const auto state = user.find(which, kDevice, {"State"});
            return state && state->front() == "live";
        };
        const auto bothLive = [&] { return isLive(device) && isLive(lentDevice); };
        for (const QString& victim : {lentDevice, device}) {
            const pid_t worker = user.get(victim, kDevice, "DaemonPid").toInt();
            require(worker > 0, "nobody serves " + victim);
            ::kill(worker, SIGKILL);
            require(waitUntil([=] { return isDead(worker); }), "it cannot be buried");
            require(waitUntil(bothLive, 20s, 100ms), "they do not go on");
            lent.awaitProgress(10);
        }
        // belayd, too: the next one must not open the file before somebody serves the disk.
        const pid_t target = user.get(lentDevice, kDevice, "DaemonPid").toInt();
        const pid_t initiator = user.get(device, kDevice, "DaemonPid").toInt();
        for (const pid_t process : {target, initiator})
            ::kill(process, SIGKILL);
        killBelayd();
        require(waitUntil([=] { return isDead(initiator); }), "it cannot be buried");
        require(waitUntil(bothLive, 30s, 100ms), "they do not go on");
        // What it wrote to the disk that nobody served, it had to wait for.
        require(isDead(target), "the worker that had the file lives on");
        lent.awaitProgress(10);
        endLoad(*load);
        lent.compare();
        // Under a file that is open and a file system that is mounted.
        const QStringList force = {"a{sv}", "1", "force", "b", "true"};
        const QString result = user.run(device, "Stop", force);
        require(result == "succeeded", "Force stop says: " + result);
        require(stuckProcesses().isEmpty(), "stuck: " + stuckProcesses().join(", "));
        user.run(lentDevice, "Stop", force);
        plugged.end();
    });
}

// The process that has it cannot even be buried: what was attached does not notice.
void TestBelayd::lendsWhatHangs() {
    inTurn([](Bench& bench) {
        FreezableVolume volume("/run/belay-scenario/frozen");
        Plugged plugged(bench);
        const QString device = plugged.attach();
        Disk lent("lent", volume.folder() + "/image", 8);
        const QString lentDevice = lendAlways(plugged, lent);
        auto hanging = startLoad(bench, lent, "lent");
        volume.freeze();
        scenario::wait(1s);
        const pid_t target = user.get(lentDevice, kDevice, "DaemonPid").toInt();
        const pid_t initiator = user.get(device, kDevice, "DaemonPid").toInt();
        require(target > 0 && initiator > 0 && target != initiator, "one process serves both");
        ::kill(target, SIGKILL);
        auto load = startLoad(bench, plugged.disk, "attached");
        require(!isDead(target), "nothing hung in the kernel: this shows nothing");
        ::kill(initiator, SIGKILL);
        plugged.disk.awaitProgress(20);
        endLoad(*load);
        user.waitForState(device, "live");
        // What else is to be lent to this gadget has to wait, and its caller has not.
        const Disk later = bench.disk("later", 4);
        const auto lendLater = [&] {
            return root.call(plugged.path, kGadget, "LendPath", {"sa{sv}", later.store(), "0"});
        };
        const Outcome refused = lendLater();
        require(refused.status != 0 && refused.output.contains("an earlier one hangs"),
                "who lends meanwhile is told: " + refused.output);
        volume.thaw();
        require(waitUntil([=] { return isDead(target); }), "it still cannot be buried");
        user.waitForState(lentDevice, "live", 30s);
        lent.awaitProgress(10);
        endLoad(*hanging);
        lent.compare();
        plugged.disk.compare();
        const Outcome taken = lendLater();
        require(taken.status == 0, "it cannot be lent afterwards: " + taken.output);
        waitForLive(*plugged.gadget, "later");
        stopAll(*plugged.gadget);
        plugged.end();
    });
}

// A version before this one had one worker for both directions, at a socket of another name.
void TestBelayd::replacesAnEarlierWorker() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        const pid_t old = user.get(device, kDevice, "DaemonPid").toInt();
        killBelayd();
        const QString folder = QString::fromUtf8(mustRun({"find", "/run", "-name",
                                                          "initiator.socket", "-printf", "%h"}))
                                   .trimmed();
        mustRun({"mv", folder + "/initiator.socket", folder + "/worker.socket"});
        user.waitForState(device, "live", 20s);
        require(waitUntil([=] { return isDead(old); }), "the earlier worker lives on");
        const pid_t now = user.get(device, kDevice, "DaemonPid").toInt();
        require(now > 0 && now != old, "nobody else serves it");
        plugged.fio(plugged.disk.node())->succeed(60s);
        plugged.disk.compare();
        plugged.end();
    });
}

// Each runs as long as its direction is used, and no longer.
void TestBelayd::workersComeAndGo() {
    inTurn([](Bench& bench) {
        needWorkers({}, "without a gadget");
        Plugged plugged(bench);
        needWorkers({"initiator"}, "with a gadget that shares something");
        Disk lent = bench.disk("lent", 4);
        const QString device = lendAlways(plugged, lent);
        needWorkers({"initiator", "target"}, "with a file lent");
        plugged.cable.pull();
        needWorkers({"target"}, "with the cable out");
        plugged.cable.plugIn();
        user.waitForState(device, "live");
        stopAll(*plugged.gadget);
        require(user.run(device, "Stop") == "succeeded", "it does not stop");
        needWorkers({"initiator"}, "with nothing lent any more");
        const QString attached = plugged.attach();
        plugged.cable.pull();
        user.waitForState(attached, "waiting");
        needWorkers({"initiator"}, "with a disk that waits");
        require(user.run(attached, "Stop", {"a{sv}", "1", kForce, "b", "true"}) == "succeeded",
                "it does not stop");
        needWorkers({}, "without disk and cable");
        plugged.cable.plugIn();
        needWorkers({"initiator"}, "with the cable in again");
        plugged.end();
    });
}

// A gadget whose worker waits for the last requests of a file that was taken back.
void TestBelayd::forgetsNothingThatHangs() {
    inTurn([](Bench& bench) {
        FreezableVolume volume("/run/belay-scenario/frozen");
        Plugged plugged(bench);
        Disk lent("lent", volume.folder() + "/image", 8);
        const QString device = lendAlways(plugged, lent);
        auto load = startLoad(bench, lent, "lent");
        volume.freeze();
        scenario::wait(1s);
        const QString result = user.run(device, "Stop", {"a{sv}", "1", kForce, "b", "true"});
        require(result == "succeeded", "it does not stop: " + result);
        stopAll(*plugged.gadget);
        require(load->finish(20s) != 0, "who writes got no error");
        plugged.cable.pull();
        needWorkers({"target"}, "with requests under way");
        const auto forget = [&] {
            return user.call(plugged.path, kGadget, "Forget", {"a{sv}", "0"});
        };
        const Outcome refused = forget();
        require(refused.status != 0 && refused.output.contains("has not answered yet"),
                "it is forgotten: " + refused.output);
        volume.thaw();
        needWorkers({}, "when all is done");
        const Outcome forgotten = forget();
        require(forgotten.status == 0, "it is not forgotten: " + forgotten.output);
        plugged.cable.plugIn();
        needWorkers({"initiator"}, "with the cable in again");
        plugged.end();
    });
}

void TestBelayd::policies() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        user.mustCall(device, kDevice, "SetPolicy", {"sua{sv}", "wait-limited", "1", "0"});
        auto write = bench.start(
            {"dd", "if=/dev/zero", "of=" + plugged.disk.node(), "bs=64k", "oflag=direct"}, "dd");
        plugged.disk.awaitProgress(10);
        plugged.cable.pull();
        user.waitForState(device, "failed", 5s);
        require(write->finish(5s) != 0, "the writer got no error");
        plugged.cable.plugIn();
        user.gadget();
        require(user.run(device, "Recover") == "succeeded", "it cannot be recovered");
        require(user.stateOf(device) == "live", "it is " + user.stateOf(device));
        plugged.disk.compare();
        plugged.end();
    });
}

// What would keep the computer awake for ever fails if its policy is not to wait that long, and
// stays if it is.
void TestBelayd::theComputerSleeps() {
    inTurn([](Bench& bench) {
        auto logind = QDBusConnection::connectToBus(QDBusConnection::SystemBus, "logind");
        require(logind.registerService("org.freedesktop.login1"), "logind's name is not to be had");
        const auto announce = [&](bool begins) {
            auto signal = QDBusMessage::createSignal(
                "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep");
            signal << begins;
            require(logind.send(signal), "the signal is not sent");
        };
        Plugged plugged(bench);
        const QString device = plugged.attach();
        const auto read = [&](const QString& name) {
            return bench.start({"dd", "if=" + plugged.disk.node(), "of=/dev/null", "bs=4k",
                                "count=1", "iflag=direct"},
                               name);
        };
        plugged.cable.pull();
        user.waitForState(device, "waiting");
        const auto waits = read("waits");
        announce(true);
        announce(false);
        // It has heard both when it answers this.
        user.mustCall(device, kDevice, "SetPolicy", {"sua{sv}", "wait-limited", "600", "0"});
        wait(500ms);
        require(waits->running(), "the policy was to wait");
        user.waitForState(device, "waiting");
        announce(true);
        user.waitForState(device, "failed", 5s);
        require(waits->finish() != 0, "what cannot be read was read");
        announce(false);
        plugged.cable.plugIn();
        user.gadget();
        require(user.run(device, "Recover") == "succeeded", "it cannot be recovered");
        plugged.disk.compare();
        plugged.end();
        QDBusConnection::disconnectFromBus("logind");
    });
}

void TestBelayd::refusesWhatLosesData() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString device = plugged.attach();
        const QString mountPoint = "/run/belay-test/mounted";
        QDir().mkpath(mountPoint);
        mustRun({"mkfs.ext4", "-q", plugged.disk.node()});
        mustRun({"mount", plugged.disk.node(), mountPoint});
        const QString refused = user.run(device, "Stop");
        require(refused.startsWith("org.belay.Error.Busy") && refused.contains(mountPoint),
                "Stop of a mounted device says: " + refused);
        require(user.stateOf(device) == "live", "it is " + user.stateOf(device));
        const auto holders = user.get(device, kDevice, "Holders").toArray();
        require(!holders.isEmpty(), "nobody is said to hold it");
        const QString result = root.run(device, "Stop", {"a{sv}", "1", kForce, "b", "true"});
        require(result == "succeeded", "Force stop failed: " + result);
        mustRun({"umount", "-l", mountPoint});
        plugged.end();
    });
}

void TestBelayd::asksPolkit() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        const QString no = "org.belay.Error.NotAuthorized";
        Outcome outcome = nobody.call(plugged.path, kGadget, "Attach", {"sa{sv}", "disk", "0"});
        require(outcome.status != 0 && outcome.output.contains("org.belay.attach"),
                "Attach without the right to says: " + outcome.output);
        require(user.objects("/devices/").isEmpty(), "it was attached all the same");
        const QString device = plugged.attach();
        for (const char* method : {"Stop", "Recover"}) {
            outcome = nobody.call(device, kDevice, method, {"a{sv}", "0"});
            require(outcome.status != 0, QString(method) + " is allowed to everybody");
        }
        require(user.stateOf(device) == "live", "it is " + user.stateOf(device));
        plugged.end();
    });
}

void TestBelayd::comesBackByItself() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench);
        user.mustCall(plugged.path, kGadget, "SetAuto", {"ba{sv}", "true", "0"});
        const auto attached = [] {
            const auto devices = user.objects("/devices/");
            return devices.size() == 1 && user.stateOf(devices[0]) == "live";
        };
        require(waitUntil(attached, kPatience, 100ms), "nothing was attached by itself");
        require(user.run(user.objects("/devices/")[0], "Stop") == "succeeded", "it does not stop");
        plugged.cable.pull();
        require(waitUntil([&] { return !user.get(plugged.path, kGadget, "Present").toBool(); }),
                "it is still there");
        plugged.cable.plugIn();
        require(waitUntil(attached, kPatience, 100ms), "it did not come back by itself");
        user.mustCall(plugged.path, kGadget, "SetAuto", {"ba{sv}", "false", "0"});
        plugged.end();
    });
}

int main(int argc, char** argv) {
    TestBelayd test;
    return runOnPrivateBus(argc, argv, test);
}

#include "tst_belayd.moc"
