#include "tests/vm/scenario/stick.h"
#include "tests/vm/scenario/volumes.h"
#include "tests/vm/service/service.h"

#include <signal.h>

#include <QElapsedTimer>
#include <QTest>
#include <optional>

using namespace service;
using scenario::Stick;

// What becomes of a file or disk that belayd lends has no part in what becomes of the rest.
class TestLentFiles : public QObject {
    Q_OBJECT

 private slots:
    void stickThatComesBack();
    void pathThatDoesNotAnswer();
};

namespace {

// The path of its device object.
QString lendPath(const Plugged& plugged, const QString& path, const QString& label) {
    return root
        .mustCall(plugged.path, kGadget, "LendPath", {"sa{sv}", path, "1", "label", "s", label})
        .toString();
}

void write(const Disk& disk, const QStringList& options = {}) {
    mustRun(QStringList{"dd", "if=/dev/urandom", "of=" + disk.node(), "bs=256k", "seek=8",
                        "count=4", "oflag=direct"} +
            options);
}

}  // namespace

// Without its user's help, and with all that was written: also if its worker died meanwhile.
void TestLentFiles::stickThatComesBack() {
    inTurn([](Bench& bench) {
        std::optional<Stick> stick(std::in_place, "STICK1");
        Disk lent = bench.disk("lent", 4);
        Disk other = bench.disk("other", 4);
        stick->plugIn(lent.store());
        Plugged plugged(bench);
        const QString device = lendPath(plugged, stick->node(), "lent");
        const QString otherDevice = lendPath(plugged, other.store(), "other");
        lent.appearedAs(waitForLive(*plugged.gadget, "lent"));
        other.appearedAs(waitForLive(*plugged.gadget, "other"));
        user.waitForState(device, "live");
        for (const bool workerDies : {false, true}) {
            write(lent);
            const QByteArray wanted = lent.sha256OfDevice();
            stick->pull();
            await([&] { return user.stateOf(device) != "live"; },
                  [&] { return "nobody sees that it is gone: " + user.stateOf(device); });
            if (workerDies)
                ::kill(user.get(otherDevice, kDevice, "DaemonPid").toInt(), SIGKILL);
            user.waitForState(otherDevice, "live");
            write(other, {"conv=fsync"});
            stick->plugIn(lent.store());
            user.waitForState(device, "live");
            waitForLive(*plugged.gadget, "lent");
            mustRun({"blockdev", "--flushbufs", lent.node()});
            mustRun({"sync", lent.node()});
            require(lent.sha256OfStore() == wanted, "what was written is gone");
        }
        other.compare();
        stopAll(*plugged.gadget);
        stick.reset();
        plugged.end();
    });
}

// It lies on a disk of ours whose cable is out. belayd answers everybody else, and whoever asked.
void TestLentFiles::pathThatDoesNotAnswer() {
    inTurn([](Bench& bench) {
        Plugged plugged(bench, 64);
        const QString device = plugged.attach();
        std::optional<VolumeOnDisk> volume(std::in_place, plugged.disk);
        const QString folder = volume->folder() + "/folder";
        mustRun({"mkdir", folder});
        mustRun({"truncate", "-s", "4M", folder + "/image"});
        // Then nothing of what lies in it is in memory.
        mustRun({"umount", volume->folder()});
        mustRun({"mount", plugged.disk.node(), volume->folder()});
        plugged.cable.pull();
        user.waitForState(device, "waiting");
        auto lend = bench.start(root.command({"call", "org.belay.Helper1", plugged.path, kGadget,
                                              "LendPath", "sa{sv}", folder + "/image", "0"}),
                                "lend");
        require(waitUntil([] { return !scenario::stuckProcesses().isEmpty(); }),
                "it does not hang: this shows nothing");
        QElapsedTimer clock;
        clock.start();
        require(user.stateOf(device) == "waiting", "it is " + user.stateOf(device));
        require(lend->running() && clock.elapsed() < 5000, "belayd hung with it");
        require(waitUntil([&] { return !lend->running(); }), "the call is not answered");
        require(lend->output().contains("does not answer"), "it says: " + lend->output());
        plugged.cable.plugIn();
        user.waitForState(device, "live");
        require(waitUntil([] { return scenario::stuckProcesses().isEmpty(); }), "somebody hangs");
        const QString image = lendPath(plugged, folder + "/image", "image");
        waitForLive(*plugged.gadget, "image");
        stopAll(*plugged.gadget);
        require(user.run(image, "Stop") == "succeeded", "it is not taken back");
        volume.reset();
        plugged.end();
    });
}

int main(int argc, char** argv) {
    TestLentFiles test;
    return runOnPrivateBus(argc, argv, test);
}
#include "tst_lent_files.moc"
