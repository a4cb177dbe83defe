#include "core/lifecycle/backoff.h"
#include "core/lifecycle/keepalive.h"
#include "core/lifecycle/policy.h"

#include <QTest>

using namespace belay;
using namespace belay::lifecycle;
using namespace std::chrono_literals;

namespace {

const TimePoint kZero = TimePoint{} + 1000h;

}  // namespace

class TestLifecycleTiming : public QObject {
    Q_OBJECT
 private slots:
    void backoffPauses();
    void backoffForgetsAfterAQuietMinute();
    void backoffPauseIsNoQuiet();
    void backoffGivesUp();
    void backoffWindowSlides();
    void keepaliveAsksEveryTwoSeconds();
    void keepaliveNoticesSilence();
    void keepaliveTrafficIsLife();
    void keepaliveNeedsFiveSilentSeconds();
    void keepaliveOversleptIsOneMiss();
    void policyTimes();
    void policyShutdown();
    void policySleep();
};

void TestLifecycleTiming::backoffPauses() {
    Backoff backoff;
    TimePoint now = kZero;
    // Each life is 20 s: too long for five in a minute, too short for quiet.
    for (const Duration pause : {Duration(0s), Duration(1s), Duration(2s), Duration(4s),
                                 Duration(8s), Duration(16s), Duration(30s), Duration(30s)}) {
        QCOMPARE(backoff.next(now), pause);
        QCOMPARE(backoff.due(), now + pause);
        QVERIFY(!backoff.exhausted());
        now += pause + 20s;
    }
    QCOMPARE(backoff.deaths(), std::size_t{8});
    backoff.reset();
    QCOMPARE(backoff.next(now), Duration(0s));
}

void TestLifecycleTiming::backoffForgetsAfterAQuietMinute() {
    Backoff backoff;
    QCOMPARE(backoff.next(kZero), Duration(0s));
    QCOMPARE(backoff.next(kZero + 10s), Duration(1s));
    // The restart was due at 11 s.
    QCOMPARE(backoff.next(kZero + 71s), Duration(0s));
    QCOMPARE(backoff.next(kZero + 72s), Duration(1s));
    QCOMPARE(backoff.next(kZero + 73s + 60s - 1ns), Duration(2s));
}

void TestLifecycleTiming::backoffPauseIsNoQuiet() {
    Backoff backoff;
    TimePoint now = kZero;
    for (int i = 0; i < 7; ++i) {
        now += backoff.next(now) + 25s;
    }
    // A pause of 30 s and a life of 31 s are more than a minute, but the life alone is not.
    now += 6s;
    QCOMPARE(backoff.next(now), Duration(30s));
}

void TestLifecycleTiming::backoffGivesUp() {
    Backoff backoff;
    TimePoint now = kZero;
    for (int death = 1; death <= 5; ++death) {
        const Duration pause = backoff.next(now);
        QCOMPARE(backoff.exhausted(), death == 5);
        now += pause;
    }
    // Told again for the next one, which is still within the minute.
    backoff.next(now);
    QVERIFY(backoff.exhausted());
    backoff.reset();
    QVERIFY(!backoff.exhausted());
    // After quiet everything is as at first.
    for (int i = 0; i < 5; ++i) {
        backoff.next(now);
    }
    QVERIFY(backoff.exhausted());
    QCOMPARE(backoff.next(now + 5min), Duration(0s));
    QVERIFY(!backoff.exhausted());
}

void TestLifecycleTiming::backoffWindowSlides() {
    Backoff at;
    for (const auto t : {0s, 15s, 30s, 45s, 60s}) {
        at.next(kZero + t);
    }
    QVERIFY(at.exhausted());

    Backoff over;
    for (const auto t : {0s, 15s, 30s, 45s}) {
        over.next(kZero + t);
    }
    over.next(kZero + 60s + 1ns);
    QVERIFY(!over.exhausted());
    // The first has left the window; these five have not.
    over.next(kZero + 75s);
    QVERIFY(over.exhausted());
}

void TestLifecycleTiming::keepaliveAsksEveryTwoSeconds() {
    Keepalive keepalive(kZero);
    QCOMPARE(keepalive.deadline(), kZero + 2s);
    QVERIFY(keepalive.poll(kZero) == Keepalive::Action::None);
    QVERIFY(keepalive.poll(kZero + 2s - 1ns) == Keepalive::Action::None);
    for (int i = 1; i < 100; ++i) {
        const TimePoint now = kZero + i * 2s;
        QVERIFY(keepalive.poll(now) == Keepalive::Action::Ask);
        QVERIFY(keepalive.poll(now) == Keepalive::Action::None);
        QCOMPARE(keepalive.deadline(), now + 2s);
        keepalive.alive(now + 1s);
        QCOMPARE(keepalive.misses(), 0U);
    }
}

void TestLifecycleTiming::keepaliveNoticesSilence() {
    Keepalive keepalive(kZero);
    QVERIFY(keepalive.poll(kZero + 2s) == Keepalive::Action::Ask);
    QVERIFY(keepalive.poll(kZero + 4s) == Keepalive::Action::Ask);
    QVERIFY(keepalive.poll(kZero + 6s) == Keepalive::Action::Ask);
    QCOMPARE(keepalive.misses(), 2U);
    QVERIFY(keepalive.poll(kZero + 8s - 1ns) == Keepalive::Action::None);
    QVERIFY(keepalive.poll(kZero + 8s) == Keepalive::Action::Dead);
    QVERIFY(keepalive.poll(kZero + 9s) == Keepalive::Action::Dead);
    keepalive.restart(kZero + 20s);
    QVERIFY(keepalive.poll(kZero + 20s) == Keepalive::Action::None);
    QCOMPARE(keepalive.deadline(), kZero + 22s);
}

void TestLifecycleTiming::keepaliveTrafficIsLife() {
    Keepalive keepalive(kZero);
    // ep0 answers nothing for a minute, but data moves once in 5 s.
    for (int i = 1; i <= 600; ++i) {
        const TimePoint now = kZero + i * 100ms;
        if (i % 50 == 0) {
            keepalive.alive(now);
        }
        QVERIFY(keepalive.poll(now) != Keepalive::Action::Dead);
    }
    QCOMPARE(keepalive.lastLife(), kZero + 60s);
    QVERIFY(keepalive.poll(kZero + 62s) != Keepalive::Action::Dead);
    QVERIFY(keepalive.poll(kZero + 64s) != Keepalive::Action::Dead);
    QVERIFY(keepalive.poll(kZero + 66s) == Keepalive::Action::Dead);
}

void TestLifecycleTiming::keepaliveNeedsFiveSilentSeconds() {
    Keepalive keepalive(kZero);
    // Every STATUS fails at once; the last sign of life is from just before the first.
    keepalive.alive(kZero + 1900ms);
    for (const auto t : {2s, 4s, 6s}) {
        QVERIFY(keepalive.poll(kZero + t) == Keepalive::Action::Ask);
        keepalive.failed();
        keepalive.failed();
    }
    QCOMPARE(keepalive.misses(), 3U);
    QCOMPARE(keepalive.deadline(), kZero + 6900ms);
    QVERIFY(keepalive.poll(kZero + 6900ms - 1ns) == Keepalive::Action::None);
    QVERIFY(keepalive.poll(kZero + 6900ms) == Keepalive::Action::Dead);
    // A late answer takes it back.
    keepalive.alive(kZero + 6950ms);
    QVERIFY(keepalive.poll(kZero + 7s) == Keepalive::Action::None);
}

void TestLifecycleTiming::keepaliveOversleptIsOneMiss() {
    Keepalive keepalive(kZero);
    QVERIFY(keepalive.poll(kZero + 2s) == Keepalive::Action::Ask);
    QVERIFY(keepalive.poll(kZero + 8h) == Keepalive::Action::Ask);
    QCOMPARE(keepalive.misses(), 1U);
    QVERIFY(keepalive.poll(kZero + 8h + 2s) == Keepalive::Action::Ask);
    QVERIFY(keepalive.poll(kZero + 8h + 4s) == Keepalive::Action::Dead);
}

void TestLifecycleTiming::policyTimes() {
    PolicyClock clock({PolicyKind::Wait, 1s});
    QVERIFY(!clock.deadline());
    clock.start(kZero);
    QVERIFY(!clock.deadline());
    clock.setPolicy({PolicyKind::WaitLimited, 90s});
    QCOMPARE(clock.deadline().value(), kZero + 90s);
    clock.start(kZero + 50s);
    QCOMPARE(clock.since().value(), kZero);
    QCOMPARE(clock.deadline().value(), kZero + 90s);
    clock.setPolicy({PolicyKind::FailFast, 90s});
    QCOMPARE(clock.deadline().value(), kZero + 5s);
    clock.stop();
    QVERIFY(!clock.deadline());
    QVERIFY(!clock.since());
    QCOMPARE(Policy{}.kind, PolicyKind::Wait);
    for (const PolicyKind kind :
         {PolicyKind::Wait, PolicyKind::WaitLimited, PolicyKind::FailFast}) {
        QCOMPARE(policyNamed(nameOf(kind)).value(), kind);
    }
    QVERIFY(nameOf(PolicyKind::WaitLimited) == "wait-limited");
    QVERIFY(!policyNamed("forever"));
}

void TestLifecycleTiming::policyShutdown() {
    PolicyClock clock({PolicyKind::Wait, {}});
    clock.setShutdown(kZero);
    QVERIFY(!clock.deadline());
    // Lost during shutdown: 30 s from then.
    clock.start(kZero + 4s);
    QCOMPARE(clock.deadline().value(), kZero + 34s);
    // Lost long before: 30 s from shutdown.
    clock.stop();
    clock.start(kZero - 1h);
    QCOMPARE(clock.deadline().value(), kZero + 30s);
    // Never longer than the policy.
    clock.setPolicy({PolicyKind::WaitLimited, 1h + 10s});
    QCOMPARE(clock.deadline().value(), kZero + 10s);
    clock.setPolicy({PolicyKind::WaitLimited, 2h});
    QCOMPARE(clock.deadline().value(), kZero + 30s);
    clock.setShutdown(std::nullopt);
    QCOMPARE(clock.deadline().value(), kZero + 1h);
}

void TestLifecycleTiming::policySleep() {
    PolicyClock clock({PolicyKind::Wait, {}});
    clock.start(kZero);
    // The computer stays awake rather.
    clock.setSleep(kZero + 4s);
    QVERIFY(!clock.deadline());
    clock.setPolicy({PolicyKind::WaitLimited, 1h});
    QCOMPARE(clock.deadline().value(), kZero + 4s);
    clock.setPolicy({PolicyKind::WaitLimited, 2s});
    QCOMPARE(clock.deadline().value(), kZero + 2s);
    clock.setPolicy({PolicyKind::FailFast, {}});
    QCOMPARE(clock.deadline().value(), kZero + 4s);
    // Lost on the way to sleep.
    clock.stop();
    clock.start(kZero + 5s);
    QCOMPARE(clock.deadline().value(), kZero + 5s);
    clock.setSleep(std::nullopt);
    QCOMPARE(clock.deadline().value(), kZero + 10s);
}

QTEST_GUILESS_MAIN(TestLifecycleTiming)
#include "tst_lifecycle_timing.moc"
