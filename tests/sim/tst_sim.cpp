#include "tests/sim/world.h"

#include <QTest>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <string_view>

using namespace belay::sim;

namespace {

struct NamedPlant {
    Plant plant;
    const char* name;
};

constexpr NamedPlant kPlants[] = {
    {Plant::NoDrain, "no-drain"},
    {Plant::NoLock, "no-lock"},
    {Plant::StaleResponses, "stale-responses"},
    {Plant::ReusedEpoch, "reused-epoch"},
    {Plant::VerifierIgnored, "verifier-ignored"},
    {Plant::VerifierKept, "verifier-kept"},
    {Plant::CompletedOnLoss, "completed-on-loss"},
    {Plant::ForgottenOnLoss, "forgotten-on-loss"},
    {Plant::UnsavedForgotten, "unsaved-forgotten"},
    {Plant::AnyDisk, "any-disk"},
    {Plant::AnsweredEarly, "answered-early"},
    {Plant::FuaOfWritesOnly, "fua-of-writes-only"},
    {Plant::FlushSkipped, "flush-skipped"},
    {Plant::LogTrimmedEarly, "log-trimmed-early"},
    {Plant::StableTooFar, "stable-too-far"},
    {Plant::StableTooLate, "stable-too-late"},
    {Plant::LogDropped, "log-dropped"},
    {Plant::SharesIgnored, "shares-ignored"},
    {Plant::HungBlocksAll, "hung-blocks-all"},
    {Plant::LeavesWithErrors, "leaves-with-errors"},
    {Plant::LogNotKept, "log-not-kept"},
};

constexpr const char* kUsage = R"(tst_sim [OPTION...] [QtTest's own options]
    --histories N   so many (default: 100000; ten times that with BELAY_TEST_FULL=1)
    --seed S        the first one's seed (default: 1); alone: this one, told whole
    --plant NAME    with a bug planted: )";

std::uint64_t histories = qEnvironmentVariableIsSet("BELAY_TEST_FULL") ? 1'000'000 : 100'000;
std::uint64_t firstSeed = 1;
Plant chosenPlant = Plant::None;

struct Finding {
    std::uint64_t seed = 0;
    std::uint64_t tried = 0;
    std::string violation;
};

Finding search(Plant plant) {
    Finding finding;
    for (std::uint64_t seed = firstSeed; finding.tried < histories; ++seed) {
        ++finding.tried;
        finding.violation = World(seed, plant, false).run().violation;
        finding.seed = seed;
        if (!finding.violation.empty())
            break;
    }
    return finding;
}

int tell(std::uint64_t seed) {
    const Outcome outcome = World(seed, chosenPlant, true).run();
    std::fputs(outcome.history.c_str(), stdout);
    std::printf("seed %llu: %llu steps: %s\n", static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(outcome.steps),
                outcome.violation.empty() ? "all is well" : outcome.violation.c_str());
    return outcome.violation.empty() ? 0 : 1;
}

bool takeNumber(const char* text, std::uint64_t& number) {
    const std::string_view view = text;
    const auto parsed = std::from_chars(view.data(), view.data() + view.size(), number);
    return parsed.ec == std::errc() && parsed.ptr == view.data() + view.size();
}

bool takePlant(const char* text) {
    for (const NamedPlant& plant : kPlants)
        if (std::string_view(plant.name) == text) {
            chosenPlant = plant.plant;
            return true;
        }
    return false;
}

int usage() {
    std::fputs(kUsage, stderr);
    for (const NamedPlant& plant : kPlants)
        std::fprintf(stderr, "%s ", plant.name);
    std::fputs("\n", stderr);
    return 2;
}

}  // namespace

// Histories of two ends and everything that can happen between them.
class SimTest : public QObject {
    Q_OBJECT

 private slots:
    void noRuleIsBroken();
    void sameSeedSameHistory();
    void plantedBugIsFound_data();
    void plantedBugIsFound();
};

void SimTest::noRuleIsBroken() {
    // Of the processor's time: others may be using it too.
    const std::clock_t begun = std::clock();
    const Finding finding = search(chosenPlant);
    const double taken = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
    qInfo("%llu histories, %.0f a second and processor",
          static_cast<unsigned long long>(finding.tried),
          static_cast<double>(finding.tried) / taken);
    if (finding.violation.empty())
        return;
    tell(finding.seed);
    QFAIL(qPrintable(QStringLiteral("seed %1: %2")
                         .arg(finding.seed)
                         .arg(QString::fromStdString(finding.violation))));
}

void SimTest::sameSeedSameHistory() {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Outcome told = World(seed, Plant::None, true).run();
        QCOMPARE(World(seed, Plant::None, true).run().history, told.history);
        QCOMPARE(World(seed, Plant::None, false).run().steps, told.steps);
    }
}

void SimTest::plantedBugIsFound_data() {
    QTest::addColumn<int>("plant");
    for (const NamedPlant& plant : kPlants)
        QTest::newRow(plant.name) << static_cast<int>(plant.plant);
}

void SimTest::plantedBugIsFound() {
    QFETCH(const int, plant);
    const Finding finding = search(static_cast<Plant>(plant));
    QVERIFY2(!finding.violation.empty(), "a simulator that does not find this proves nothing");
    qInfo("found after %llu histories: %s", static_cast<unsigned long long>(finding.tried),
          finding.violation.c_str());
}

int main(int argc, char** argv) {
    std::vector<char*> rest{argv[0]};
    bool seedGiven = false;
    bool countGiven = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        bool good = true;
        if (word == "--seed")
            good = seedGiven = ++i < argc && takeNumber(argv[i], firstSeed);
        else if (word == "--histories")
            good = countGiven = ++i < argc && takeNumber(argv[i], histories);
        else if (word == "--plant")
            good = ++i < argc && takePlant(argv[i]);
        else
            rest.push_back(argv[i]);
        if (!good)
            return usage();
    }
    if (seedGiven && !countGiven)
        return tell(firstSeed);
    // QTest would end it after five minutes; ctest and people have limits of their own.
    if (!qEnvironmentVariableIsSet("QTEST_FUNCTION_TIMEOUT"))
        qputenv("QTEST_FUNCTION_TIMEOUT", "86400000");
    SimTest test;
    return QTest::qExec(&test, static_cast<int>(rest.size()), rest.data());
}

#include "tst_sim.moc"
