#include "core/ublk/control.h"
#include "tests/vm/service/service.h"

#include <signal.h>

#include <QElapsedTimer>
#include <QJsonArray>
#include <QTest>
#include <exception>

using namespace service;

// Whatever has become of a device, Stop or Force stop ends within five seconds, with the device
// gone, its users told, and no process stuck: also when no worker can be started for it any more.
class TestStopAlways : public QObject {
    Q_OBJECT

 private slots:
    void keepsDying_data() { withAndWithoutLoad(); }
    void keepsDying();
    void hangs_data() { withAndWithoutLoad(); }
    void hangs();
    void kernelRefuses_data() { withAndWithoutLoad(); }
    void kernelRefuses();
    void gadgetAway_data() { withAndWithoutLoad(); }
    void gadgetAway();
    void noProgram_data() { withAndWithoutLoad(); }
    void noProgram();

 private:
    static void withAndWithoutLoad() {
        QTest::addColumn<bool>("loaded");
        if (scenario::hasTurn(0))
            QTest::newRow("idle") << false;
        if (scenario::hasTurn(1))
            QTest::newRow("under load") << true;
    }
};

namespace {

// A device in use, or with nobody who has it open.
struct Victim {
    explicit Victim(Bench& bench) : plugged(bench), device(plugged.attach()) {
        QFETCH(bool, loaded);
        if (loaded) {
            load = bench.start({"fio", "--name=load", "--filename=" + plugged.disk.node(),
                                "--direct=1", "--ioengine=libaio", "--rw=randrw", "--bs=16k",
                                "--iodepth=8", "--time_based", "--runtime=600"},
                               "load");
            plugged.disk.awaitProgress(20);
        }
    }

    pid_t worker() const { return user.get(device, kDevice, "DaemonPid").toInt(); }
    bool hasProblem(const QString& problem) const {
        return user.stateOf(device) == "needs-attention" &&
               user.get(device, kDevice, "Problems").toArray().contains(problem);
    }

    // Stop, and Force stop if that says what it would lose; each ends in time.
    void end() {
        QString result = timed({"a{sv}", "0"});
        if (result != "succeeded") {
            qInfo("Stop: %s", qPrintable(result));
            require(load || result.startsWith("org.belay.Error.TimedOut"),
                    "Stop of a device that nobody uses says: " + result);
            result = timed({"a{sv}", "1", "force", "b", "true"});
            require(result == "succeeded", "Force stop says: " + result);
        }
        require(!QFile::exists(plugged.disk.node()), plugged.disk.node() + " is still there");
        require(user.objects("/devices/").isEmpty(), "it is still on the bus");
        if (load)
            require(load->finish(5s) != 0, "its user saw no error");
        require(stuckProcesses().isEmpty(), "stuck: " + stuckProcesses().join(", "));
    }

    QString timed(const QStringList& options) const {
        QElapsedTimer clock;
        clock.start();
        const QString result = user.run(device, "Stop", options);
        const qint64 took = clock.elapsed();
        qInfo("ended after %lld ms", took);
        require(took < 5000, QString("it took %1 ms").arg(took));
        return result;
    }

    Plugged plugged;
    QString device;
    std::unique_ptr<Program> load;
};

}  // namespace

void TestStopAlways::keepsDying() {
    guarded([](Bench& bench) {
        Victim victim(bench);
        const auto tired = [&] {
            if (victim.hasProblem("daemon-keeps-dying"))
                return true;
            if (const pid_t worker = victim.worker(); worker > 0)
                ::kill(worker, SIGKILL);
            return false;
        };
        require(waitUntil(tired, 60s, 20ms), "it is " + user.stateOf(victim.device));
        require(victim.worker() == 0, "a worker is still tried");
        victim.end();
        victim.plugged.end();
    });
}

void TestStopAlways::hangs() {
    guarded([](Bench& bench) {
        Victim victim(bench);
        ::kill(victim.worker(), SIGSTOP);
        victim.end();
        victim.plugged.end();
    });
}

void TestStopAlways::kernelRefuses() {
    guarded([](Bench& bench) {
        Victim victim(bench);
        const belay::DeviceId id(
            static_cast<std::uint32_t>(user.get(victim.device, kDevice, "UblkId").toInt()));
        const pid_t worker = victim.worker();
        // Somebody else stops the device while nobody serves it.
        ::kill(belayd(), SIGSTOP);
        ::kill(worker, SIGKILL);
        auto control = belay::ublk::Control::open();
        require(control.has_value(), "no ublk");
        const auto quiesced = [&] {
            const auto info = control->deviceInfo(id);
            return info && info->state == belay::ublk::DeviceState::Quiesced;
        };
        require(waitUntil(quiesced, 40s), "the kernel does not see that its server is dead");
        require(control->stop(id).has_value(), "it cannot be stopped");
        ::kill(belayd(), SIGCONT);
        require(waitUntil([&] { return victim.hasProblem("kernel-refused"); }, kPatience, 100ms),
                "it is " + user.stateOf(victim.device));
        victim.end();
        victim.plugged.end();
    });
}

void TestStopAlways::gadgetAway() {
    guarded([](Bench& bench) {
        Victim victim(bench);
        victim.plugged.gadget->killSupervisor();
        user.waitForState(victim.device, "waiting", 10s);
        ::kill(victim.worker(), SIGKILL);
        victim.end();
        victim.plugged.gadget->startAgain();
        user.gadget();
        victim.plugged.end();
    });
}

// The program of the workers is gone, as in the midst of an upgrade: none can be started at all.
void TestStopAlways::noProgram() {
    guarded([](Bench& bench) {
        Victim victim(bench);
        mustRun({"mount", "--bind", "/dev/null", BELAY_HOSTD});
        ::kill(victim.worker(), SIGKILL);
        const bool tired =
            waitUntil([&] { return victim.hasProblem("daemon-keeps-dying"); }, 60s, 100ms);
        const QString state = user.stateOf(victim.device);
        std::exception_ptr failure;
        try {
            require(tired, "it is " + state);
            victim.end();
        } catch (...) {
            failure = std::current_exception();
        }
        mustRun({"umount", "--lazy", BELAY_HOSTD});
        if (failure)
            std::rethrow_exception(failure);
        // What is there again is used again.
        killBelayd();
        user.gadget();
        victim.plugged.end();
    });
}

int main(int argc, char** argv) {
    TestStopAlways test;
    return runOnPrivateBus(argc, argv, test);
}

#include "tst_stop_always.moc"
