#include "tests/vm/scenario/play.h"

#include "tests/vm/scenario/machine.h"

#include <QDir>
#include <QTest>
#include <vector>

namespace scenario {
namespace {

std::vector<Direction> ofThisRow(std::size_t count) {
    QFETCH(bool, lend);
    return std::vector(count, lend ? Direction::Lend : Direction::Attach);
}

}  // namespace

void playWith(const std::vector<Direction>& directions,
              const std::function<void(const std::vector<std::unique_ptr<Rig>>&)>& scenario) {
    const QString folder =
        QDir::currentPath() + '/' + QTest::currentTestFunction() + '.' + QTest::currentDataTag();
    QDir(folder).removeRecursively();
    QDir().mkpath(folder);
    std::vector<std::unique_ptr<Rig>> rigs;
    try {
        for (const Direction direction : directions)
            rigs.push_back(std::make_unique<Rig>(direction, folder, static_cast<int>(rigs.size())));
        scenario(rigs);
        for (const auto& rig : rigs)
            rig->end();
        require(waitUntil([] { return leftovers().isEmpty(); }, 5s),
                "left behind: " + leftovers().join(", "));
        require(crash().isEmpty(), "a program crashed: " + crash());
    } catch (const std::exception& failure) {
        for (const auto& rig : rigs)
            rig->keepEvidence(failure.what());
        const QString text =
            QString("%1\n   Look in %2").arg(failure.what(), QDir(folder).dirName());
        QTest::qFail(qPrintable(text), __FILE__, __LINE__);
    }
}

void inBothDirections() {
    QTest::addColumn<bool>("lend");
    if (hasTurn(0))
        QTest::newRow("attach") << false;
    if (hasTurn(1))
        QTest::newRow("lend") << true;
}

void play(const std::function<void(Rig&)>& scenario) {
    playWith(ofThisRow(1), [&](const auto& rigs) { scenario(*rigs[0]); });
}

void playWithTwo(const std::function<void(Rig&, Rig&)>& scenario) {
    playWith(ofThisRow(2), [&](const auto& rigs) { scenario(*rigs[0], *rigs[1]); });
}

}  // namespace scenario
