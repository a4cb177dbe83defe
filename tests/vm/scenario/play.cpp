#include "tests/vm/scenario/play.h"

#include "tests/vm/scenario/machine.h"

#include <QDir>
#include <QTest>
#include <vector>

namespace scenario {
namespace {

void playWith(int count, const std::function<void(std::vector<std::unique_ptr<Rig>>&)>& scenario) {
    QFETCH(bool, lend);
    const QString folder =
        QDir::currentPath() + '/' + QTest::currentTestFunction() + '.' + QTest::currentDataTag();
    QDir(folder).removeRecursively();
    QDir().mkpath(folder);
    std::vector<std::unique_ptr<Rig>> rigs;
    try {
        for (int number = 0; number < count; ++number)
            rigs.push_back(
                std::make_unique<Rig>(lend ? Direction::Lend : Direction::Attach, folder, number));
        scenario(rigs);
        for (const auto& rig : rigs)
            rig->end();
        require(waitUntil([] { return leftovers().isEmpty(); }, 5s),
                "left behind: " + leftovers().join(", "));
        require(!kernelLog().contains(" segfault at "), "a program crashed: see the kernel's log");
    } catch (const std::exception& failure) {
        for (const auto& rig : rigs)
            rig->keepEvidence(failure.what());
        const QString text =
            QString("%1\n   Look in %2").arg(failure.what(), QDir(folder).dirName());
        QTest::qFail(qPrintable(text), __FILE__, __LINE__);
    }
}

}  // namespace

void inBothDirections() {
    QTest::addColumn<bool>("lend");
    if (hasTurn(0))
        QTest::newRow("attach") << false;
    if (hasTurn(1))
        QTest::newRow("lend") << true;
}

void play(const std::function<void(Rig&)>& scenario) {
    playWith(1, [&](auto& rigs) { scenario(*rigs[0]); });
}

void playWithTwo(const std::function<void(Rig&, Rig&)>& scenario) {
    playWith(2, [&](auto& rigs) { scenario(*rigs[0], *rigs[1]); });
}

}  // namespace scenario
