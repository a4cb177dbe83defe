#include "tests/vm/kill_matrix/table.h"
#include "tests/vm/scenario/hold.h"
#include "tests/vm/service/service.h"

#include <signal.h>

#include <QDir>
#include <QElapsedTimer>
#include <QTest>
#include <future>

using namespace service;

// belayd dies in the middle of what it does, while workers last: by its own hand at a named place,
// or while another process that works for it is held at one. The next belayd finishes it, or it
// never was; what was written is there, and nothing is left behind.
class TestBelaydKills : public QObject {
    Q_OBJECT

 private slots:
    void making_data();
    void making();
    void restarting_data();
    void restarting();
    void removing_data();
    void removing();
    void cleanupTestCase();

 private:
    class Death;
    static void rows(std::initializer_list<const char*> places, int first);
    void playRow(const std::function<void(Death& death)>& body);

    std::vector<kill_matrix::Row> table_;
};

namespace {

// What it says, if it is not gone by now.
QString stateOf(const QString& device) {
    const auto state = user.find(device, kDevice, {"State"});
    return state && state->front() == "live" ? "live" : "not live";
}

// "host's worker" and so on, by whose place it is.
QString whoseIs(const QString& place) {
    if (place.contains("creation") || place.contains("removal"))
        return "belayd";
    const bool worker = place.contains("recovery") || place.contains("start-dev");
    return worker ? "belayd, worker held" : "belayd, command held";
}

}  // namespace

// One death, from its preparation to the last check.
class TestBelaydKills::Death {
 public:
    Death(Bench& bench, const QString& place, kill_matrix::Row& row)
        : row_(row), token_(place, "/run/belay-kills/stop") {
        isItself_ = whoseIs(place) == "belayd";
        QStringList settings = token_.environment();
        if (!isItself_)
            settings += QString("BELAY_STOP_SIGNAL=%1").arg(SIGSTOP);
        belayd_ = startBelayd(bench, settings);
        plugged.emplace(bench);
    }

    void arm() { token_.arm(); }
    // Waits until the place is reached, and kills belayd if it is another's.
    void await() {
        require(waitUntil([this] { return !token_.isArmed(); }), "nobody came there");
        pid_t held = 0;
        if (!isItself_) {
            require(waitUntil([&] { return (held = heldProcess()) != 0; }), "nobody is held");
            belayd_->signal(SIGKILL);
        }
        sinceDeath_.start();
        require(belayd_->finish() == 128 + SIGKILL, "belayd has not died of it");
        // A worker lasts and goes on; a command's process has died with belayd.
        if (held != 0)
            ::kill(held, SIGCONT);
    }
    // Somebody asks for the next belayd. Waits until the device is live or gone.
    QString awaitTheNext() {
        QString state;
        const auto settled = [&] {
            const QStringList devices = user.objects("/devices/");
            if (devices.isEmpty())
                state = QDir("/dev").entryList({"ublkb*"}, QDir::System).isEmpty() ? "gone" : "?";
            else
                state = stateOf(devices[0]);
            return state == "live" || (state == "gone" && !user.objects("/gadgets/").isEmpty());
        };
        require(waitUntil(settled, 40s, 50ms), "it is neither live nor gone, but " + state);
        row_.ms = sinceDeath_.elapsed();
        row_.state = state;
        return state;
    }

    std::optional<Plugged> plugged;

 private:
    kill_matrix::Row& row_;
    StopToken token_;
    bool isItself_ = false;
    std::unique_ptr<Program> belayd_;
    QElapsedTimer sinceDeath_;
};

// The short form takes some of them, and on each kernel others.
void TestBelaydKills::rows(std::initializer_list<const char*> places, int first) {
    QTest::addColumn<QString>("place");
    for (const char* place : places)
        if (full() || (first++ + (oldKernel() ? 0 : 3)) % 6 == 0)
            QTest::newRow(place) << QString(place);
}

void TestBelaydKills::playRow(const std::function<void(Death&)>& body) {
    QFETCH(QString, place);
    kill_matrix::Row row{
        .direction = "attach", .process = whoseIs(place), .stage = place, .state = "?"};
    guarded([&](Bench& bench) {
        Death death(bench, place, row);
        body(death);
        death.plugged->end();
    });
    row.passed = !QTest::currentTestFailed();
    table_.push_back(row);
}

void TestBelaydKills::making_data() {
    rows({"creation-begun", "before-add-dev", "after-add-dev", "before-start-dev",
          "after-start-dev", "creation-done"},
         0);
}

void TestBelaydKills::making() {
    playRow([](Death& death) {
        Plugged& plugged = *death.plugged;
        death.arm();
        const auto asked = std::async(std::launch::async, [path = plugged.path] {
            return user.call(path, kGadget, "Attach", {"sa{sv}", "disk", "0"});
        });
        death.await();
        asked.wait();
        // Who was told of no device may ask again.
        if (death.awaitTheNext() == "gone") {
            plugged.path = user.gadget();
            plugged.attach();
        } else {
            plugged.disk.appearedAs(
                user.get(user.objects("/devices/")[0], kDevice, "Node").toString());
        }
        plugged.fio(plugged.disk.node(), 4)->succeed(60s);
        plugged.disk.compare();
    });
}

void TestBelaydKills::restarting_data() {
    rows({"before-start-recovery", "after-start-recovery", "before-end-recovery",
          "after-end-recovery"},
         6);
}

void TestBelaydKills::restarting() {
    playRow([](Death& death) {
        Plugged& plugged = *death.plugged;
        const QString device = plugged.attach();
        // The first start of fio may take long.
        plugged.fio(plugged.disk.node(), 1)->succeed(60s);
        const auto fio = plugged.fio(plugged.disk.node());
        plugged.disk.awaitProgress(20);
        death.arm();
        ::kill(user.get(device, kDevice, "DaemonPid").toInt(), SIGKILL);
        death.await();
        const qint64 before = plugged.disk.completed();
        require(death.awaitTheNext() == "live", "the device is gone");
        require(waitUntil([&] { return plugged.disk.completed() > before || !fio->running(); }),
                "no request is finished");
        fio->succeed(60s);
        plugged.disk.compare();
    });
}

void TestBelaydKills::removing_data() {
    rows({"removal-begun", "before-stop-dev", "after-stop-dev", "removal-stopped", "before-del-dev",
          "after-del-dev", "removal-done"},
         10);
}

void TestBelaydKills::removing() {
    playRow([](Death& death) {
        Plugged& plugged = *death.plugged;
        const QString device = plugged.attach();
        plugged.fio(plugged.disk.node(), 4)->succeed(60s);
        const QByteArray shown = plugged.disk.sha256OfDevice();
        death.arm();
        const auto asked = std::async(std::launch::async, [device] {
            return user.call(device, kDevice, "Stop", {"a{sv}", "0"});
        });
        death.await();
        asked.wait();
        if (death.awaitTheNext() == "live")
            plugged.disk.compare();
        require(plugged.disk.sha256OfStore() == shown, "the store is not what the device showed");
    });
}

void TestBelaydKills::cleanupTestCase() {
    qInfo("%s", qPrintable(kill_matrix::tableOf(table_)));
}

int main(int argc, char** argv) {
    TestBelaydKills test;
    return runOnPrivateBus(argc, argv, test);
}

#include "tst_belayd_kills.moc"
