#include "core/lifecycle/machine.h"

#include <QTest>

using namespace belay;
using namespace belay::lifecycle;
using namespace std::chrono_literals;

namespace {

const TimePoint kZero = TimePoint{} + 1000h;

Device liveDevice(Policy policy = {}) {
    Device device(policy, kZero);
    device.handle(Event::Started, kZero);
    return device;
}

}  // namespace

class TestLifecycleMachine : public QObject {
    Q_OBJECT
 private slots:
    void startIsBounded();
    void policyTimesOut_data();
    void policyTimesOut();
    void policyChangesWhileWaiting();
    void policyStopsWithTheSession();
    void shutdownOverrides();
    void restartsBackOff();
    void fiveDeathsNeedAttention();
    void recoverStartsTheServerThatIsMissing();
    void sessionsAreRetried();
    void recoveryIsBounded();
    void stopIsBounded();
    void forceStopIsQuicker();
    void problemsComeAndGo();
    void impossibleChangesNothing();
    void survivesItsSupervisor();
};

void TestLifecycleMachine::startIsBounded() {
    Device device({}, kZero);
    QVERIFY(device.state() == State::Starting);
    QCOMPARE(device.deadline(), kZero + kStartTime);
    QVERIFY(!device.poll(kZero + kStartTime - 1ns));
    const Step step = device.poll(kZero + kStartTime).value();
    QVERIFY(step.event == Event::StartFailed);
    QVERIFY(step.to == State::Stopping);
    QVERIFY(step.actions.has(Action::StopDevice));

    QCOMPARE(liveDevice().deadline(), TimePoint::max());
}

void TestLifecycleMachine::policyTimesOut_data() {
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("seconds");
    QTest::newRow("wait") << static_cast<int>(PolicyKind::Wait) << 0;
    QTest::newRow("wait-limited") << static_cast<int>(PolicyKind::WaitLimited) << 77;
    QTest::newRow("fail-fast") << static_cast<int>(PolicyKind::FailFast) << 5;
}

void TestLifecycleMachine::policyTimesOut() {
    QFETCH(int, kind);
    QFETCH(int, seconds);
    Device device = liveDevice({static_cast<PolicyKind>(kind), 77s});
    device.handle(Event::LinkLost, kZero + 10s);
    QVERIFY(device.state() == State::Waiting);
    if (seconds == 0) {
        QCOMPARE(device.deadline(), TimePoint::max());
        QVERIFY(!device.policyDeadline());
        QVERIFY(!device.poll(kZero + 10000h));
        return;
    }
    const TimePoint end = kZero + 10s + std::chrono::seconds(seconds);
    QCOMPARE(device.deadline(), end);
    QCOMPARE(device.policyDeadline().value(), end);
    QVERIFY(!device.poll(end - 1ns));
    const Step step = device.poll(end).value();
    QVERIFY(step.event == Event::PolicyExpired);
    QVERIFY(step.to == State::Failed);
    QVERIFY(step.actions == (Action::FailIo | Action::Notify));
    QCOMPARE(device.deadline(), TimePoint::max());
    QCOMPARE(device.since(), end);
}

void TestLifecycleMachine::policyChangesWhileWaiting() {
    Device device = liveDevice();
    device.handle(Event::LinkLost, kZero);
    device.setPolicy({PolicyKind::WaitLimited, 100s});
    QCOMPARE(device.deadline(), kZero + 100s);
    QVERIFY(!device.poll(kZero + 50s));
    device.setPolicy({PolicyKind::FailFast, {}});
    QVERIFY(device.poll(kZero + 50s)->to == State::Failed);
}

void TestLifecycleMachine::policyStopsWithTheSession() {
    Device device = liveDevice({PolicyKind::WaitLimited, 60s});
    device.handle(Event::LinkLost, kZero);
    QVERIFY(device.handle(Event::PeerBack, kZero + 20s).actions.has(Action::OpenSession));
    // The peer is there but no session yet: the time goes on.
    QCOMPARE(device.deadline(), kZero + 60s);
    device.handle(Event::LinkLost, kZero + 30s);
    QCOMPARE(device.deadline(), kZero + 60s);
    device.handle(Event::PeerBack, kZero + 40s);
    device.handle(Event::SessionOpen, kZero + 41s);
    // Catching up may take long.
    QVERIFY(device.state() == State::Resuming);
    QCOMPARE(device.deadline(), TimePoint::max());
    device.handle(Event::LinkLost, kZero + 50s);
    QCOMPARE(device.deadline(), kZero + 110s);
}

void TestLifecycleMachine::shutdownOverrides() {
    Device device = liveDevice();
    device.setShutdown(kZero);
    QCOMPARE(device.deadline(), TimePoint::max());
    device.handle(Event::DaemonDied, kZero + 1s);
    QVERIFY(device.poll(kZero + 1s)->event == Event::RestartDue);
    QCOMPARE(device.policyDeadline().value(), kZero + 31s);
    QCOMPARE(device.deadline(), kZero + 31s);
    const Step step = device.poll(kZero + 31s).value();
    QVERIFY(step.event == Event::PolicyExpired);
    QVERIFY(step.to == State::Failed);
}

void TestLifecycleMachine::restartsBackOff() {
    Device device = liveDevice();
    TimePoint now = kZero;
    for (const Duration pause :
         {Duration(0s), Duration(1s), Duration(2s), Duration(4s), Duration(8s)}) {
        QVERIFY(device.handle(Event::DaemonDied, now).to == State::Crashed);
        QCOMPARE(device.deadline(), now + pause);
        now += pause;
        const Step step = device.poll(now).value();
        QVERIFY(step.event == Event::RestartDue);
        QVERIFY(step.actions.has(Action::StartDaemon));
        QVERIFY(device.handle(Event::DaemonServing, now).actions.has(Action::OpenSession));
        device.handle(Event::SessionOpen, now);
        QVERIFY(device.handle(Event::CaughtUp, now).to == State::Live);
        now += 25s;
    }
}

void TestLifecycleMachine::fiveDeathsNeedAttention() {
    Device device = liveDevice();
    TimePoint now = kZero;
    for (int death = 1; death < 5; ++death) {
        QVERIFY(device.handle(Event::DaemonDied, now).to == State::Crashed);
        now = device.deadline();
        device.poll(now);
        QVERIFY(device.state() == State::Recovering);
    }
    const Step step = device.handle(Event::DaemonDied, now);
    QVERIFY(step.event == Event::DaemonKeepsDying);
    QVERIFY(step.to == State::NeedsAttention);
    QVERIFY(device.problems() == Problems{Problem::DaemonKeepsDying});
    QCOMPARE(device.deadline(), TimePoint::max());
    // Recover begins anew, with a server and with a clean count.
    const Step again = device.handle(Event::UserRecover, now + 1s);
    QVERIFY(again.event == Event::UserRestart);
    QVERIFY(again.actions.has(Action::StartDaemon));
    QVERIFY(device.problems().empty());
    QVERIFY(device.handle(Event::DaemonDied, now + 2s).to == State::Crashed);
    QCOMPARE(device.deadline(), now + 2s);
}

void TestLifecycleMachine::recoverStartsTheServerThatIsMissing() {
    Device device = liveDevice({PolicyKind::FailFast, {}});
    device.handle(Event::LinkLost, kZero);
    device.poll(kZero + 5s);
    QVERIFY(device.state() == State::Failed);
    // The one that fails requests dies: the next one is started in place.
    QVERIFY(device.handle(Event::DaemonDied, kZero + 6s).to == State::Failed);
    const Step restart = device.poll(kZero + 6s).value();
    QVERIFY(restart.actions == Actions(Action::StartDaemon));
    QVERIFY(restart.to == State::Failed);
    // On its way: Recover does not kill it.
    const Step recover = device.handle(Event::UserRecover, kZero + 7s);
    QVERIFY(recover.event == Event::UserRecover);
    QVERIFY(!recover.actions.has(Action::KillDaemon));
    QVERIFY(!device.handle(Event::DaemonServing, kZero + 8s).impossible);
    QVERIFY(device.handle(Event::SessionOpen, kZero + 8s).to == State::Resuming);

    Device dead = liveDevice({PolicyKind::FailFast, {}});
    dead.handle(Event::WrongDisk, kZero);
    QVERIFY(dead.handle(Event::DaemonDied, kZero).actions.empty());
    const Step start = dead.handle(Event::UserRecover, kZero + 1s);
    QVERIFY(start.event == Event::UserRestart);
    QVERIFY(start.to == State::Recovering);
}

void TestLifecycleMachine::sessionsAreRetried() {
    Device device = liveDevice();
    TimePoint now = kZero;
    device.handle(Event::SessionLost, now);
    for (const Duration pause : {Duration(0s), Duration(1s), Duration(2s), Duration(4s),
                                 Duration(8s), Duration(16s), Duration(30s), Duration(30s)}) {
        QVERIFY(device.state() == State::Waiting);
        QCOMPARE(device.deadline(), now + pause);
        now += pause;
        const Step step = device.poll(now).value();
        QVERIFY(step.event == Event::RetryDue);
        QVERIFY(step.actions.has(Action::OpenSession));
        device.handle(Event::SessionFailed, now);
    }
    // With the cable out there is nothing to try.
    device.handle(Event::LinkLost, now);
    QCOMPARE(device.deadline(), TimePoint::max());
    // And with the cable in it is tried at once, and all over.
    QVERIFY(device.handle(Event::PeerBack, now).actions.has(Action::OpenSession));
    device.handle(Event::SessionFailed, now);
    QCOMPARE(device.deadline(), now);
}

void TestLifecycleMachine::recoveryIsBounded() {
    Device device = liveDevice();
    device.handle(Event::DaemonDied, kZero);
    device.poll(kZero);
    QCOMPARE(device.deadline(), kZero + kRecoveryTime);
    const Step step = device.poll(kZero + kRecoveryTime).value();
    QVERIFY(step.event == Event::RecoveryOverdue);
    QVERIFY(step.actions.has(Action::KillDaemon));
    QVERIFY(device.handle(Event::DaemonDied, kZero + 31s).to == State::Crashed);
}

void TestLifecycleMachine::stopIsBounded() {
    Device device = liveDevice();
    device.handle(Event::UserStop, kZero);
    QCOMPARE(device.deadline(), kZero + kStopTime);
    // What happens meanwhile does not put it off.
    device.handle(Event::UserStop, kZero + 5s);
    device.handle(Event::PeerBack, kZero + 6s);
    QCOMPARE(device.deadline(), kZero + kStopTime);
    const Step step = device.poll(kZero + kStopTime).value();
    QVERIFY(step.actions == (Action::KillDaemon | Action::StopDevice | Action::Notify));
    QCOMPARE(device.deadline(), kZero + kStopTime + kStopAgain);
    QVERIFY(device.handle(Event::DaemonDied, kZero + 31s).actions.has(Action::StopDevice));
    QVERIFY(device.handle(Event::StopFailed, kZero + 32s).actions.has(Action::FailIo));
    QVERIFY(device.handle(Event::DaemonServing, kZero + 33s).actions.has(Action::StopDevice));
    QCOMPARE(device.deadline(), kZero + kStopTime + kStopAgain);
    QVERIFY(device.handle(Event::Stopped, kZero + 34s).to == State::Gone);
    QCOMPARE(device.deadline(), TimePoint::max());
}

void TestLifecycleMachine::forceStopIsQuicker() {
    Device device = liveDevice();
    const Step force = device.handle(Event::UserForceStop, kZero);
    QVERIFY(force.actions == (Action::AcceptLoss | Action::FailIo | Action::StopDevice));
    QCOMPARE(device.deadline(), kZero + kStopAgain);

    Device slow = liveDevice();
    slow.handle(Event::UserStop, kZero);
    slow.handle(Event::UserForceStop, kZero + 5s);
    QCOMPARE(slow.deadline(), kZero + 15s);
    slow.handle(Event::UserForceStop, kZero + 9s);
    QCOMPARE(slow.deadline(), kZero + 15s);
}

void TestLifecycleMachine::problemsComeAndGo() {
    Device device = liveDevice({PolicyKind::WaitLimited, 60s});
    device.handle(Event::WrongDisk, kZero);
    QVERIFY(device.problems() == Problems{Problem::DifferentDisk});
    device.handle(Event::DataMissing, kZero + 1s);
    QVERIFY(device.problems() == (Problems{Problem::DifferentDisk, Problem::DataMayBeMissing}));
    // The time runs here too, and the problems stay when it is over.
    const Step step = device.poll(kZero + 60s).value();
    QVERIFY(step.to == State::NeedsAttention);
    QVERIFY(step.actions.has(Action::FailIo));
    QVERIFY(device.problems().has(Problem::DataMayBeMissing));
    QVERIFY(device.handle(Event::UserAcceptLoss, kZero + 61s).actions ==
            Actions(Action::AcceptLoss));
    const Step again = device.handle(Event::UserRecover, kZero + 61s);
    QVERIFY(again.to == State::Resuming);
    QVERIFY(again.actions.has(Action::ResumeIo));
    QVERIFY(device.problems().empty());
    QCOMPARE(device.deadline(), kZero + 121s);
}

void TestLifecycleMachine::impossibleChangesNothing() {
    Device device = liveDevice();
    const Step step = device.handle(Event::RestartDue, kZero + 1s);
    QVERIFY(step.impossible);
    QVERIFY(!step.reason.empty());
    QVERIFY(step.actions.empty());
    QVERIFY(device.state() == State::Live);
    QCOMPARE(device.since(), kZero);
}

void TestLifecycleMachine::survivesItsSupervisor() {
    const Policy policy{PolicyKind::WaitLimited, 60s};
    Device device = liveDevice(policy);
    device.handle(Event::LinkLost, kZero + 3s);
    Device next(device.snapshot(), policy, kZero + 20s);
    QVERIFY(next.state() == State::Waiting);
    QCOMPARE(next.since(), kZero + 3s);
    QCOMPARE(next.policyDeadline().value(), kZero + 63s);
    // Nobody knows whether the peer came back meanwhile.
    QVERIFY(next.poll(kZero + 20s)->event == Event::RetryDue);

    Device crashed = liveDevice(policy);
    crashed.handle(Event::DaemonDied, kZero);
    Device after(crashed.snapshot(), policy, kZero + 20s);
    QVERIFY(after.poll(kZero + 20s)->event == Event::RestartDue);

    Device stuck = liveDevice(policy);
    stuck.handle(Event::WrongDisk, kZero);
    stuck.handle(Event::DaemonDied, kZero);
    Device still(stuck.snapshot(), policy, kZero + 1s);
    QVERIFY(still.problems() == Problems{Problem::DifferentDisk});
    QVERIFY(still.handle(Event::UserRecover, kZero + 2s).event == Event::UserRestart);

    Device live(liveDevice().snapshot(), policy, kZero + 9s);
    QCOMPARE(live.deadline(), TimePoint::max());
}

QTEST_GUILESS_MAIN(TestLifecycleMachine)
#include "tst_lifecycle_machine.moc"
