#include "tests/vm/kill_matrix/stages.h"
#include "tests/vm/scenario/hold.h"
#include "tests/vm/service/service.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>
#include <future>

using namespace service;
using kill_matrix::Stage;

Q_DECLARE_METATYPE(kill_matrix::Stage)

// As vm.making, with belayd: while a device is being made, the other end restarts with another
// content of the same name. Whoever asked is told so and may ask again; what comes by itself comes
// again by itself.
class TestBelaydMaking : public QObject {
    Q_OBJECT

 private slots:
    void attach_data() { rows(0); }
    void attach();
    void autoAttach_data() { rows(1); }
    void autoAttach();
    void lendPath_data() { rows(2); }
    void lendPath();

 private:
    static void rows(int first);
};

namespace {

const QString kHold = "/run/belay-making/hold";

Outcome askToAttach(const QString& gadget) {
    return user.call(gadget, kGadget, "Attach", {"sa{sv}", "disk", "0"});
}

void restartWithOtherContent(Plugged& plugged) {
    plugged.gadget->end();
    plugged.disk.change();
    plugged.gadget->startAgain();
}

// The only device, once it is live. Nobody may have been told of another one.
void needLive(Plugged& plugged) {
    QStringList devices;
    const auto live = [&] {
        devices = user.objects("/devices/");
        const auto state =
            devices.size() == 1 ? user.find(devices[0], kDevice, {"State"}) : std::nullopt;
        return state && state->front() == "live";
    };
    require(waitUntil(live, kPatience, 50ms), "it is not live: " + devices.join(' '));
    plugged.disk.appearedAs(user.get(devices[0], kDevice, "Node").toString());
    plugged.disk.compare();
    const QJsonArray events =
        user.mustCall(kRoot, kManager, "ListEvents", {"tua{sv}", "0", "0", "0"}).toArray();
    const QByteArray all = QJsonDocument(events).toJson(QJsonDocument::Compact);
    for (const char* state : {"waiting", "resuming", "needs-attention"})
        require(!all.contains('"' + QByteArray(state) + '"'),
                QString("a device was %1: %2").arg(state, QString::fromUtf8(all)));
}

}  // namespace

// The short form takes some of them, and on each kernel others.
void TestBelaydMaking::rows(int first) {
    QTest::addColumn<Stage>("stage");
    for (const Stage& stage : kill_matrix::kStart)
        if (full() || (first++ + (oldKernel() ? 0 : 2)) % 4 == 0)
            QTest::addRow("%s.%s", nameOf(stage.who), stage.place) << stage;
}

void TestBelaydMaking::attach() {
    QFETCH(Stage, stage);
    guarded([&](Bench& bench) {
        Hold hold(stage.place, kHold);
        const auto belayd = startBelayd(bench, hold.environment());
        Plugged plugged(bench, 4);
        hold.arm();
        auto asked = std::async(std::launch::async, [&] { return askToAttach(plugged.path); });
        hold.await();
        restartWithOtherContent(plugged);
        hold.release();
        Outcome answer = asked.get();
        require(answer.status != 0 && answer.output.contains("is not connected"),
                "whoever asked is told: " + answer.output);
        const auto attached = [&] { return askToAttach(plugged.path).status == 0; };
        require(waitUntil(attached, kPatience, 100ms), "it cannot be attached");
        // Whoever is told that it is attached need not wait.
        require(user.stateOf(user.objects("/devices/").value(0)) == "live", "it is not live");
        needLive(plugged);
        plugged.end();
    });
}

void TestBelaydMaking::autoAttach() {
    QFETCH(Stage, stage);
    guarded([&](Bench& bench) {
        Hold hold(stage.place, kHold);
        const auto belayd = startBelayd(bench, hold.environment());
        Plugged plugged(bench, 4);
        hold.arm();
        auto asked = std::async(std::launch::async, [&] {
            return user.call(plugged.path, kGadget, "SetAuto", {"ba{sv}", "true", "0"});
        });
        hold.await();
        restartWithOtherContent(plugged);
        hold.release();
        const Outcome answer = asked.get();
        require(answer.status == 0, "SetAuto fails: " + answer.output);
        needLive(plugged);
        user.mustCall(plugged.path, kGadget, "SetAuto", {"ba{sv}", "false", "0"});
        plugged.end();
    });
}

// Here the gadget makes the device, and belayd is the end that offers another content.
void TestBelaydMaking::lendPath() {
    QFETCH(Stage, stage);
    guarded([&](Bench& bench) {
        const auto belayd = startBelayd(bench, {});
        Hold hold(stage.place, kHold);
        Plugged plugged(bench, 4, hold.environment());
        Disk lent = bench.disk("lent", 4);
        const auto lend = [&] {
            return root
                .mustCall(plugged.path, kGadget, "LendPath",
                          {"sa{sv}", lent.store(), "1", "label", "s", "lent"})
                .toString();
        };
        hold.arm();
        const QString device = lend();
        hold.await();
        const QString stopped = user.run(device, "Stop");
        require(stopped == "succeeded", "it is not taken back: " + stopped);
        lent.change();
        lend();
        hold.release();
        lent.appearedAs(waitForLive(*plugged.gadget, "lent"));
        lent.compare();
        const QByteArray said = plugged.gadget->output();
        require(said.count(" ready: lent") == 1 && !said.contains(" waiting: "),
                "a device was called ready that was made of what is gone:\n" + said);
        plugged.end();
    });
}

int main(int argc, char** argv) {
    TestBelaydMaking test;
    return runOnPrivateBus(argc, argv, test);
}

#include "tst_belayd_making.moc"
