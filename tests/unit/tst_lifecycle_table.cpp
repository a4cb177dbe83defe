#include "core/lifecycle/table.h"
#include "tests/unit/lifecycle_expectations.h"

#include <QTest>
#include <map>
#include <optional>
#include <set>
#include <utility>

using namespace belay::lifecycle;

namespace {

constexpr State stateAt(std::size_t i) {
    return static_cast<State>(i);
}
constexpr Event eventAt(std::size_t i) {
    return static_cast<Event>(i);
}

QString text(std::string_view view) {
    return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size()));
}

struct Expected {
    State next = State::Gone;
    Actions actions;
};

using Where = std::pair<State, Event>;

std::optional<Event> eventNamed(const QString& name) {
    for (std::size_t i = 0; i < kEvents; ++i) {
        if (text(kEventNames[i]) == name) {
            return eventAt(i);
        }
    }
    return std::nullopt;
}

std::optional<Action> actionNamed(const QString& name) {
    for (std::size_t i = 0; i < kActions; ++i) {
        if (text(kActionNames[i]) == name) {
            return static_cast<Action>(i);
        }
    }
    return std::nullopt;
}

State known(const QString& name) {
    const auto state = stateNamed(name.toStdString());
    if (!state) {
        qFatal("the expectations name an unknown state: %s", qPrintable(name));
    }
    return *state;
}

QStringList words(const QString& list) {
    return list.split(' ', Qt::SkipEmptyParts);
}

// "event: rest" of one line.
std::pair<Event, QString> lineOf(const char* line) {
    const QString whole = QString::fromUtf8(line);
    const auto event = eventNamed(whole.section(':', 0, 0));
    if (!event) {
        qFatal("the expectations name an unknown event: %s", line);
    }
    return {*event, whole.section(':', 1)};
}

std::map<Where, Expected> expectedMoves() {
    std::map<Where, Expected> moves;
    for (const char* line : test::kMoves) {
        const auto [event, rest] = lineOf(line);
        const QString next = rest.section("->", 1).section(':', 0, 0).trimmed();
        Actions actions;
        for (const QString& word : words(rest.section(':', 1))) {
            const auto action = actionNamed(word);
            if (!action) {
                qFatal("the expectations name an unknown action: %s", line);
            }
            actions = actions | *action;
        }
        for (const QString& word : words(rest.section("->", 0, 0))) {
            const State from = known(word);
            const State to = next == "same" ? from : known(next);
            if (!moves.emplace(Where{from, event}, Expected{to, actions}).second) {
                qFatal("expected twice: %s", line);
            }
        }
    }
    return moves;
}

std::set<Where> expectedIgnored() {
    std::set<Where> ignored;
    for (const char* line : test::kIgnored) {
        const auto [event, rest] = lineOf(line);
        for (const QString& word : words(rest)) {
            ignored.emplace(known(word), event);
        }
    }
    return ignored;
}

// The states that `events` lead to from `from`, in any number of steps.
std::set<State> reachable(State from, const std::set<Event>& events) {
    std::set<State> seen{from};
    std::vector<State> open{from};
    while (!open.empty()) {
        const State state = open.back();
        open.pop_back();
        for (const Event event : events) {
            const Cell& cell = cellOf(state, event);
            if (!cell.impossible && seen.insert(cell.next).second) {
                open.push_back(cell.next);
            }
        }
    }
    return seen;
}

std::set<Event> allEvents() {
    std::set<Event> all;
    for (std::size_t i = 0; i < kEvents; ++i) {
        all.insert(eventAt(i));
    }
    return all;
}

}  // namespace

class TestLifecycleTable : public QObject {
    Q_OBJECT
 private slots:
    void cell_data();
    void cell();
    void names();
    void everyStateIsReached();
    void stopReachesGoneFromEverywhere();
    void theUserHasAWayOut();
    void goneIsTheEnd();
    void heldRequestsHaveAClock();
    void actionsAreAllUsed();
};

void TestLifecycleTable::cell_data() {
    QTest::addColumn<int>("state");
    QTest::addColumn<int>("event");
    for (std::size_t s = 0; s < kStates; ++s) {
        for (std::size_t e = 0; e < kEvents; ++e) {
            const QString name = text(kStateNames[s]) + "/" + text(kEventNames[e]);
            QTest::newRow(qPrintable(name)) << static_cast<int>(s) << static_cast<int>(e);
        }
    }
}

void TestLifecycleTable::cell() {
    QFETCH(int, state);
    QFETCH(int, event);
    static const auto moves = expectedMoves();
    static const auto ignored = expectedIgnored();
    const Where where{stateAt(static_cast<std::size_t>(state)),
                      eventAt(static_cast<std::size_t>(event))};
    const Cell& cell = cellOf(where.first, where.second);

    const auto move = moves.find(where);
    QVERIFY2(move == moves.end() || !ignored.contains(where), "both expected and ignored");
    if (move != moves.end()) {
        QVERIFY(!cell.impossible);
        QCOMPARE(text(nameOf(cell.next)), text(nameOf(move->second.next)));
        for (std::size_t i = 0; i < kActions; ++i) {
            const auto action = static_cast<Action>(i);
            QVERIFY2(cell.actions.has(action) == move->second.actions.has(action),
                     kActionNames[i].data());
        }
        QVERIFY2(cell.reason.empty(), "a cell that does something needs no excuse");
        return;
    }
    QCOMPARE(cell.impossible, !ignored.contains(where));
    QCOMPARE(text(nameOf(cell.next)), text(nameOf(where.first)));
    QVERIFY(cell.actions.empty());
    QVERIFY2(cell.reason.size() > 5, "a cell that does nothing says why");
}

void TestLifecycleTable::names() {
    for (std::size_t i = 0; i < kStates; ++i) {
        QCOMPARE(static_cast<int>(stateNamed(kStateNames[i]).value()), static_cast<int>(i));
    }
    for (std::size_t i = 0; i < kProblems; ++i) {
        QCOMPARE(static_cast<int>(problemNamed(kProblemNames[i]).value()), static_cast<int>(i));
    }
    // Stable: state files and programs on the bus keep them.
    QCOMPARE(text(nameOf(State::NeedsAttention)), QString("needs-attention"));
    QCOMPARE(text(nameOf(State::Gone)), QString("gone"));
    QCOMPARE(text(nameOf(Problem::DataMayBeMissing)), QString("data-may-be-missing"));
    QCOMPARE(text(nameOf(Problem::KernelRefused)), QString("kernel-refused"));
    QCOMPARE(text(nameOf(Event::Stopped)), QString("stopped"));
    QCOMPARE(text(nameOf(Action::Notify)), QString("notify"));
    QVERIFY(!stateNamed("Live"));
    QVERIFY(!stateNamed(""));
    QVERIFY(!problemNamed("live"));
}

void TestLifecycleTable::everyStateIsReached() {
    QCOMPARE(reachable(State::Starting, allEvents()).size(), kStates);
}

void TestLifecycleTable::stopReachesGoneFromEverywhere() {
    for (std::size_t i = 0; i < kStates; ++i) {
        const State state = stateAt(i);
        for (const Event stop : {Event::UserStop, Event::UserForceStop}) {
            if (state == State::Gone) {
                continue;
            }
            const Cell& cell = cellOf(state, stop);
            QVERIFY(!cell.impossible);
            QVERIFY(cell.next == State::Stopping);
            QVERIFY(state == State::Stopping || cell.actions.has(Action::StopDevice));
        }
    }
    QVERIFY(cellOf(State::Stopping, Event::Stopped).next == State::Gone);
    // Nothing leads back from Stopping.
    const std::set<State> after = reachable(State::Stopping, allEvents());
    QCOMPARE(after, (std::set<State>{State::Stopping, State::Gone}));
    // And what goes wrong on the way is tried again.
    QVERIFY(cellOf(State::Stopping, Event::StopOverdue).actions.has(Action::StopDevice));
    QVERIFY(cellOf(State::Stopping, Event::DaemonDied).actions.has(Action::StopDevice));
    QVERIFY(cellOf(State::Stopping, Event::DaemonServing).actions.has(Action::StopDevice));
}

void TestLifecycleTable::theUserHasAWayOut() {
    for (std::size_t i = 0; i < kStates; ++i) {
        const State state = stateAt(i);
        if (state == State::Gone) {
            continue;
        }
        bool out = false;
        for (const Event event : {Event::UserRecover, Event::UserRestart, Event::UserAcceptLoss,
                                  Event::UserStop, Event::UserForceStop}) {
            const Cell& cell = cellOf(state, event);
            QVERIFY2(!cell.impossible, "a button can be pressed at any time");
            out = out || cell.next != state || !cell.actions.empty();
        }
        QVERIFY2(out, kStateNames[i].data());
    }
    // Where the device goes no further by itself, Recover leads back to Live.
    for (const State stuck : {State::Failed, State::NeedsAttention}) {
        for (const Event button : {Event::UserRecover, Event::UserRestart}) {
            const State next = cellOf(stuck, button).next;
            const std::set<Event> itself{Event::DaemonServing, Event::SessionOpen, Event::CaughtUp};
            QVERIFY(reachable(next, itself).contains(State::Live));
            QVERIFY(cellOf(stuck, button).actions.has(Action::ResumeIo));
        }
    }
}

void TestLifecycleTable::goneIsTheEnd() {
    QCOMPARE(reachable(State::Gone, allEvents()), std::set<State>{State::Gone});
    for (std::size_t e = 0; e < kEvents; ++e) {
        QVERIFY(cellOf(State::Gone, eventAt(e)).actions.empty());
    }
}

// Who holds requests has a clock, started on the way in or running already.
void TestLifecycleTable::heldRequestsHaveAClock() {
    const std::set<State> holding{State::Waiting, State::Crashed, State::Recovering,
                                  State::NeedsAttention};
    for (const State from : {State::Live, State::Resuming}) {
        for (const Event event : allEvents()) {
            const Cell& cell = cellOf(from, event);
            if (!cell.impossible && holding.contains(cell.next)) {
                QVERIFY2(cell.actions.has(Action::StartPolicyClock), nameOf(event).data());
            }
        }
    }
    for (const State state : holding) {
        QVERIFY(!cellOf(state, Event::PolicyExpired).impossible);
        QVERIFY(cellOf(state, Event::PolicyExpired).actions.has(Action::FailIo));
    }
}

void TestLifecycleTable::actionsAreAllUsed() {
    Actions used;
    for (std::size_t s = 0; s < kStates; ++s) {
        for (std::size_t e = 0; e < kEvents; ++e) {
            used = used | cellOf(stateAt(s), eventAt(e)).actions;
        }
    }
    for (std::size_t i = 0; i < kActions; ++i) {
        QVERIFY2(used.has(static_cast<Action>(i)), kActionNames[i].data());
    }
}

QTEST_GUILESS_MAIN(TestLifecycleTable)
#include "tst_lifecycle_table.moc"
