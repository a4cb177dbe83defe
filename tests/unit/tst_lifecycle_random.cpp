#include "core/lifecycle/machine.h"

#include <QTest>
#include <random>
#include <string>
#include <vector>

using namespace belay;
using namespace belay::lifecycle;
using namespace std::chrono_literals;

namespace {

// A supervisor, a server, a kernel, a cable and a user, all as far as a device can see them. It
// keeps the promises of event.h and is otherwise as unlucky as the seed makes it.
class World {
 public:
    explicit World(std::uint64_t seed) : random_(seed), device_(policyOf(seed), now_) {}

    Device& device() { return device_; }
    const std::string& broken() const { return broken_; }
    const std::string& history() const { return history_; }

    // One thing happens.
    void step() {
        if (pick(3) == 0) {
            advance(std::chrono::milliseconds(pick(20000)));
            return;
        }
        if (pick(4) == 0 && device_.deadline() != TimePoint::max()) {
            advance(std::max(Duration(0), device_.deadline() - now_));
            return;
        }
        const std::vector<Event> events = possible();
        tell(events[pick(events.size())]);
    }

    // Nothing goes wrong any more, and the user presses Recover.
    bool becomesLive() {
        const State first = device_.state();
        if (first == State::Stopping || first == State::Gone) {
            return true;
        }
        // A server that was killed is dead in the end.
        if (dying_) {
            tell(Event::DaemonDied);
        }
        link_ = true;
        tell(Event::UserAcceptLoss);
        tell(Event::UserRecover);
        for (int i = 0; i < 20 && device_.state() != State::Live; ++i) {
            if (device_.state() == State::Starting) {
                tell(Event::Started);
            } else if (alive_ && !serving_) {
                tell(Event::DaemonServing);
            } else if (attempt_ && serving_) {
                tell(Event::SessionOpen);
            } else if (session_ && !caughtUp_) {
                tell(Event::CaughtUp);
            } else if (device_.deadline() != TimePoint::max()) {
                advance(std::max(Duration(0), device_.deadline() - now_));
            }
        }
        return device_.state() == State::Live;
    }

    // Stop is pressed and whatever is asked for works, at most at the third try.
    bool becomesGone() {
        tell(Event::UserStop);
        for (int i = 0; i < 3 && device_.state() == State::Stopping; ++i) {
            const TimePoint before = now_;
            advance(std::max(Duration(0), device_.deadline() - now_));
            if (now_ - before > kStopTime) {
                broken_ += "Stop is not bounded; ";
            }
            if (dying_) {
                tell(Event::DaemonDied);
            }
        }
        tell(Event::Stopped);
        return device_.state() == State::Gone;
    }

 private:
    static Policy policyOf(std::uint64_t seed) {
        static constexpr Policy kPolicies[] = {
            {PolicyKind::Wait, {}}, {PolicyKind::WaitLimited, 40s}, {PolicyKind::FailFast, {}}};
        return kPolicies[seed % 3];
    }

    std::size_t pick(std::size_t below) { return random_() % below; }

    std::vector<Event> possible() {
        std::vector<Event> events{Event::UserRecover, link_ ? Event::LinkLost : Event::PeerBack};
        const auto add = [&](bool when, std::initializer_list<Event> more) {
            if (when) {
                events.insert(events.end(), more);
            }
        };
        const State state = device_.state();
        const bool speaks = alive_ && serving_ && !undertaker_;
        add(pick(6) == 0, {Event::UserRestart, Event::UserAcceptLoss});
        add(pick(12) == 0, {Event::UserStop, Event::UserForceStop});
        add(!started_ && (state == State::Starting || state == State::Stopping),
            {Event::Started, Event::StartFailed});
        add(alive_, {Event::DaemonDied});
        add(alive_ && !serving_ && !refused_, {Event::DaemonServing, Event::KernelRefused});
        add(state == State::Crashed, {Event::KernelRefused});
        add(speaks && attempt_, {Event::SessionOpen, Event::SessionOpen, Event::SessionFailed,
                                 Event::WrongDisk, Event::DataMissing, Event::Incompatible});
        // On the gadget it is the other end that opens sessions.
        add(speaks && started_ && pick(8) == 0,
            {Event::SessionOpen, Event::WrongDisk, Event::Incompatible});
        add(speaks && session_, {Event::SessionLost, Event::DataMissing});
        add(speaks && session_ && !caughtUp_, {Event::CaughtUp, Event::CaughtUp});
        add(state == State::Stopping, {Event::Stopped, Event::StopFailed});
        return events;
    }

    void advance(Duration by) {
        now_ += by;
        while (const auto step = device_.poll(now_)) {
            after(*step);
        }
        if (device_.deadline() <= now_) {
            broken_ += "a timer is due after poll(); ";
        }
    }

    void tell(Event event) {
        const bool reborn = event == Event::SessionOpen;
        switch (event) {
            case Event::Started:
                started_ = serving_ = session_ = caughtUp_ = true;
                attempt_ = false;
                break;
            case Event::LinkLost:
            case Event::PeerBack:
                link_ = event == Event::PeerBack;
                break;
            case Event::SessionOpen:
            case Event::SessionFailed:
            case Event::SessionLost:
            case Event::WrongDisk:
            case Event::DataMissing:
            case Event::Incompatible:
                attempt_ = caughtUp_ = false;
                session_ = reborn;
                break;
            case Event::CaughtUp:
                caughtUp_ = true;
                break;
            case Event::DaemonDied:
                alive_ = serving_ = attempt_ = session_ = undertaker_ = dying_ = false;
                break;
            case Event::DaemonServing:
                serving_ = true;
                break;
            case Event::KernelRefused:
                refused_ = true;
                break;
            default:
                break;
        }
        after(device_.handle(event, now_));
    }

    void after(const Step& step) {
        history_ += std::string(nameOf(step.from)) + " + " + std::string(nameOf(step.event)) +
                    " -> " + std::string(nameOf(step.to)) + "\n";
        if (step.impossible) {
            broken_ += "impossible: " + std::string(step.reason) + "; ";
        }
        const Actions actions = step.actions;
        if (actions.has(Action::KillDaemon)) {
            dying_ = alive_;
        }
        if (actions.has(Action::FailIo)) {
            failing_ = true;
            attempt_ = session_ = false;
            if (!alive_ && !actions.has(Action::StartDaemon)) {
                begin(true);
            }
        }
        if (actions.has(Action::ResumeIo)) {
            failing_ = false;
        }
        if (actions.has(Action::StartDaemon)) {
            begin(false);
        }
        if (actions.has(Action::OpenSession) && alive_ && !undertaker_) {
            attempt_ = true;
            session_ = false;
        }
        check();
    }

    void begin(bool undertaker) {
        alive_ = true;
        undertaker_ = undertaker;
        serving_ = attempt_ = session_ = caughtUp_ = dying_ = refused_ = false;
    }

    void check() {
        const State state = device_.state();
        const bool holds = state == State::Waiting || state == State::Crashed ||
                           state == State::Recovering || state == State::NeedsAttention ||
                           (state == State::Resuming && !session_);
        const bool bounded = device_.policy().kind != PolicyKind::Wait;
        if (holds && bounded && !failing_ && !device_.policyDeadline()) {
            broken_ += "requests are held and no clock runs; ";
        }
        if (!holds && state != State::Stopping && device_.policyDeadline()) {
            broken_ += "a clock runs and nothing is held; ";
        }
        if (failing_ != (state == State::Failed) && state != State::NeedsAttention &&
            state != State::Stopping && state != State::Gone) {
            broken_ += "requests fail in the wrong state; ";
        }
        if (device_.problems().empty() == (state == State::NeedsAttention)) {
            broken_ += "problems and state do not agree; ";
        }
        if (state == State::Crashed && device_.deadline() == TimePoint::max()) {
            broken_ += "nothing will start the next server; ";
        }
    }

    std::mt19937_64 random_;
    TimePoint now_ = TimePoint{} + 1000h;
    Device device_;
    std::string broken_;
    std::string history_;
    bool started_ = false;
    bool link_ = true;
    bool alive_ = true;
    bool serving_ = false;
    bool refused_ = false;
    bool undertaker_ = false;
    bool dying_ = false;
    bool attempt_ = false;
    bool session_ = false;
    bool caughtUp_ = false;
    bool failing_ = false;
};

}  // namespace

class TestLifecycleRandom : public QObject {
    Q_OBJECT
 private slots:
    void histories();
};

void TestLifecycleRandom::histories() {
    std::array<int, kStates> seen{};
    for (std::uint64_t seed = 0; seed < 10000; ++seed) {
        World world(seed);
        for (int i = 0; i < 60 && world.broken().empty(); ++i) {
            world.step();
            ++seen[static_cast<std::size_t>(world.device().state())];
        }
        World recovered = world;
        const bool live = recovered.becomesLive();
        World stopped = world;
        const bool gone = world.device().state() == State::Gone || stopped.becomesGone();
        const std::string broken = world.broken() + recovered.broken() + stopped.broken();
        if (!broken.empty() || !live || !gone) {
            const World& culprit = !live || !recovered.broken().empty() ? recovered : stopped;
            qWarning("seed %llu: %s%s%s\n%s", static_cast<unsigned long long>(seed), broken.c_str(),
                     live ? "" : "Recover does not lead to live; ",
                     gone ? "" : "Stop does not lead to gone; ", culprit.history().c_str());
            QFAIL("a history broke a rule");
        }
    }
    for (std::size_t i = 0; i < kStates; ++i) {
        QVERIFY2(seen[i] > 500, kStateNames[i].data());
    }
}

QTEST_GUILESS_MAIN(TestLifecycleRandom)
#include "tst_lifecycle_random.moc"
