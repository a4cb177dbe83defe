#include "tests/vm/chaos/plant.h"
#include "tests/vm/scenario/scenario.h"

#include <QDateTime>
#include <QTest>
#include <map>

using namespace scenario;
using chaos::Dice;
using chaos::Plant;

// Three disks of two gadgets, in both directions, in use, and everything that can happen to them,
// at random; after each few blows the disks must be live again and hold what they must.
//
// BELAY_CHAOS_SEED plays one history, BELAY_CHAOS_SECONDS says for how long.
class TestChaos : public QObject {
    Q_OBJECT

 private slots:
    void everythingAtOnce_data();
    void everythingAtOnce();
};

namespace {

struct Action {
    const char* name;
    bool (Plant::*perform)();
    std::uint32_t weight;
};

constexpr std::array kActions = {
    Action{"pull or plug", &Plant::pullOrPlug, 6},
    Action{"kill a worker", &Plant::killWorker, 3},
    Action{"kill a supervisor", &Plant::killSupervisor, 2},
    Action{"SIGSTOP", &Plant::stopProcess, 2},
    Action{"SIGCONT", &Plant::continueProcesses, 2},
    Action{"freeze or thaw", &Plant::freezeOrThaw, 3},
    Action{"fill or free", &Plant::fillOrFree, 2},
    Action{"rename", &Plant::renameStore, 2},
    Action{"power loss", &Plant::losePower, 2},
    Action{"policy", &Plant::setPolicy, 2},
    Action{"stop in use", &Plant::stopInUse, 1},
    Action{"force stop", &Plant::forceStop, 2},
    Action{"memory pressure", &Plant::squeezeMemory, 1},
};

const Action& anyOf(Dice& dice) {
    std::uint32_t sum = 0;
    for (const Action& action : kActions)
        sum += action.weight;
    std::uint32_t at = dice.below(sum);
    for (const Action& action : kActions) {
        if (at < action.weight)
            return action;
        at -= action.weight;
    }
    return kActions.back();
}

std::chrono::seconds howLong() {
    bool isNumber = false;
    const int seconds = qEnvironmentVariableIntValue("BELAY_CHAOS_SECONDS", &isNumber);
    return std::chrono::seconds(isNumber ? seconds : times(90, 3600));
}

}  // namespace

void TestChaos::everythingAtOnce_data() {
    QTest::addColumn<qulonglong>("seed");
    const auto given = qEnvironmentVariable("BELAY_CHAOS_SEED");
    // The short form plays the same histories every time, the long one always others.
    const qulonglong seed = !given.isEmpty() ? given.toULongLong()
                            : full()         ? qulonglong(QDateTime::currentSecsSinceEpoch())
                                             : qulonglong(oldKernel() ? 12 : 13);
    QTest::newRow(qPrintable(QString("seed %1").arg(seed))) << seed;
}

void TestChaos::everythingAtOnce() {
    QFETCH(qulonglong, seed);
    qInfo("BELAY_CHAOS_SEED=%llu", seed);
    const auto first = seed % 2 == 0 ? Direction::Attach : Direction::Lend;
    const auto second = seed % 2 == 0 ? Direction::Lend : Direction::Attach;
    playWith({first, second}, [seed](const auto& rigs) {
        Dice dice(seed);
        Plant two(*rigs[0], dice);
        Plant one(*rigs[1], dice);
        two.start({"one", "two"});
        one.start({"three"});
        std::map<std::string, int> done;
        QElapsedTimer clock;
        clock.start();
        while (std::chrono::milliseconds(clock.elapsed()) < howLong()) {
            for (int blows = 2 + int(dice.below(5)); blows > 0; --blows) {
                Plant& plant = dice.below(3) < 2 ? two : one;
                const Action& action = anyOf(dice);
                done[action.name] += (plant.*action.perform)() ? 1 : 0;
                wait(Milliseconds(dice.below(2) == 0 ? dice.below(100) : dice.below(2500)));
                two.look();
                one.look();
            }
            two.settle();
            one.settle();
        }
        two.finish();
        one.finish();
        for (const auto& [name, times] : done)
            qInfo("%d x %s", times, name.c_str());
        const auto [succeeded, failed] = two.requests();
        const auto [succeededToo, failedToo] = one.requests();
        qInfo("%llu requests succeeded, %llu failed as they may",
              qulonglong(succeeded + succeededToo), qulonglong(failed + failedToo));
    });
}

int main(int argc, char** argv) {
    TestChaos test;
    return runScenarios(argc, argv, test);
}

#include "tst_chaos.moc"
