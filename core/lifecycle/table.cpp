#include "core/lifecycle/table.h"

#include <span>

namespace belay::lifecycle {
namespace {

using enum State;
using enum Action;
using E = Event;

struct Entry {
    Event event;
    Cell cell;
};

constexpr Cell to(State next, Actions actions = {}) {
    return {next, actions, {}, false};
}
// The next state is filled in from the row.
constexpr Cell ignored(std::string_view why) {
    return {Gone, {}, why, false};
}
constexpr Cell never(std::string_view why) {
    return {Gone, {}, why, true};
}

// Reasons that many cells share.
constexpr std::string_view kOnce = "a device starts once";
constexpr std::string_view kNotStopping = "nothing is being stopped";
constexpr std::string_view kNoPause = "no server waits for its turn";
constexpr std::string_view kNoRetry = "no attempt at a session waits for its turn";
constexpr std::string_view kNoNewServer = "no new server is on its way";
constexpr std::string_view kNoClock = "the policy clock does not run";
constexpr std::string_view kNoServer = "no server lives that could say so";
constexpr std::string_view kNotAsked = "a new server has no session before it serves";
constexpr std::string_view kNothingLost = "nothing is missing that could be accepted";
constexpr std::string_view kKnown = "the session says more, and soon";
constexpr std::string_view kForDaemon = "counts only where a new server is started by itself";
// Recover in Failed, while a server is on its way that was to fail requests, leads to Resuming
// before that server serves: it is not killed, because a death in the middle of recovery can cost
// the device.
constexpr std::string_view kOnItsWay = "the server that was on its way when Recover was pressed";
constexpr std::string_view kEnding = "makes no difference to the end";
constexpr std::string_view kIsGone = "the device is gone; the news was on its way";

constexpr Entry kStarting[] = {
    {E::Started, to(Live, Notify)},
    // A start succeeds or leaves nothing behind: all that goes wrong in it is one case.
    {E::StartFailed, to(Stopping, StopDevice | Notify)},
    {E::PeerBack, ignored("the start is looking for it")},
    {E::LinkLost, to(Stopping, StopDevice | Notify)},
    {E::SessionOpen, ignored("a step of the start")},
    {E::SessionFailed, to(Stopping, StopDevice | Notify)},
    {E::SessionLost, to(Stopping, StopDevice | Notify)},
    {E::CaughtUp, ignored("a step of the start")},
    {E::WrongDisk, to(Stopping, StopDevice | Notify)},
    {E::DataMissing, to(Stopping, StopDevice | Notify)},
    {E::Incompatible, to(Stopping, StopDevice | Notify)},
    {E::DaemonDied, to(Stopping, StopDevice | Notify)},
    {E::DaemonServing, ignored("a step of the start")},
    {E::DaemonKeepsDying, never(kForDaemon)},
    {E::KernelRefused, to(Stopping, StopDevice | Notify)},
    {E::RestartDue, never(kNoPause)},
    {E::RetryDue, never(kNoRetry)},
    {E::RecoveryOverdue, never(kNoNewServer)},
    {E::PolicyExpired, never(kNoClock)},
    {E::StopOverdue, never(kNotStopping)},
    {E::UserRecover, ignored("the start is bounded; there is nothing else to try")},
    {E::UserRestart, ignored("the start is bounded; there is nothing else to try")},
    {E::UserAcceptLoss, ignored(kNothingLost)},
    {E::UserStop, to(Stopping, StopDevice)},
    {E::UserForceStop, to(Stopping, AcceptLoss | FailIo | StopDevice)},
    {E::StopFailed, never(kNotStopping)},
    {E::Stopped, never(kNotStopping)},
};

constexpr Entry kLive[] = {
    {E::Started, never(kOnce)},
    {E::StartFailed, never(kOnce)},
    {E::PeerBack, ignored(kKnown)},
    {E::LinkLost, to(Waiting, StartPolicyClock | Notify)},
    // The other end opens sessions and had died: a host program's death does not show on USB.
    {E::SessionOpen, to(Resuming)},
    {E::SessionFailed, never("no attempt at a session is under way")},
    // Not straight to Resuming: the pauses between attempts must count these too.
    {E::SessionLost, to(Waiting, StartPolicyClock | ScheduleRetry)},
    {E::CaughtUp, never("told once for each session")},
    {E::WrongDisk, to(NeedsAttention, StartPolicyClock | Notify)},
    {E::DataMissing, to(NeedsAttention, StartPolicyClock | Notify)},
    {E::Incompatible, to(NeedsAttention, StartPolicyClock | Notify)},
    {E::DaemonDied, to(Crashed, StartPolicyClock | ScheduleRestart)},
    {E::DaemonServing, never(kNoNewServer)},
    {E::DaemonKeepsDying, to(NeedsAttention, StartPolicyClock | Notify)},
    {E::KernelRefused, never("the device is being served")},
    {E::RestartDue, never(kNoPause)},
    {E::RetryDue, never(kNoRetry)},
    {E::RecoveryOverdue, never(kNoNewServer)},
    {E::PolicyExpired, never(kNoClock)},
    {E::StopOverdue, never(kNotStopping)},
    // For a device that looks alive and moves nothing. No port reset: it would cost the peer's
    // other functions.
    {E::UserRecover, to(Resuming, StartPolicyClock | OpenSession)},
    {E::UserRestart, to(Recovering, StartPolicyClock | KillDaemon | StartDaemon)},
    {E::UserAcceptLoss, ignored(kNothingLost)},
    {E::UserStop, to(Stopping, StopDevice)},
    {E::UserForceStop, to(Stopping, AcceptLoss | FailIo | StopDevice)},
    {E::StopFailed, never(kNotStopping)},
    {E::Stopped, never(kNotStopping)},
};

constexpr Entry kWaiting[] = {
    {E::Started, never(kOnce)},
    {E::StartFailed, never(kOnce)},
    {E::PeerBack, to(Resuming, OpenSession)},
    {E::LinkLost, ignored("the end of the session was told first")},
    // The other end opened it, or the attempt was faster than the news of the cable.
    {E::SessionOpen, to(Resuming, StopPolicyClock)},
    {E::SessionFailed, ignored("the loss of the link was told first")},
    {E::SessionLost, ignored("the loss of the link was told first")},
    {E::CaughtUp, ignored("the loss of the link was told first")},
    {E::WrongDisk, to(NeedsAttention, Notify)},
    {E::DataMissing, to(NeedsAttention, Notify)},
    {E::Incompatible, to(NeedsAttention, Notify)},
    {E::DaemonDied, to(Crashed, ScheduleRestart)},
    {E::DaemonServing, ignored(kOnItsWay)},
    {E::DaemonKeepsDying, to(NeedsAttention, Notify)},
    {E::KernelRefused, to(NeedsAttention, KillDaemon | Notify)},
    {E::RestartDue, never(kNoPause)},
    {E::RetryDue, to(Resuming, OpenSession)},
    {E::RecoveryOverdue, to(Waiting, KillDaemon | Notify)},
    {E::PolicyExpired, to(Failed, FailIo | Notify)},
    {E::StopOverdue, never(kNotStopping)},
    {E::UserRecover, to(Resuming, ResetPort | OpenSession)},
    {E::UserRestart, to(Recovering, KillDaemon | StartDaemon)},
    {E::UserAcceptLoss, ignored(kNothingLost)},
    {E::UserStop, to(Stopping, StopPolicyClock | StopDevice)},
    {E::UserForceStop, to(Stopping, StopPolicyClock | AcceptLoss | FailIo | StopDevice)},
    {E::StopFailed, never(kNotStopping)},
    {E::Stopped, never(kNotStopping)},
};

constexpr Entry kResuming[] = {
    {E::Started, never(kOnce)},
    {E::StartFailed, never(kOnce)},
    {E::PeerBack, ignored(kKnown)},
    {E::LinkLost, to(Waiting, StartPolicyClock)},
    // From here on requests move, however long catching up takes.
    {E::SessionOpen, to(Resuming, StopPolicyClock)},
    {E::SessionFailed, to(Waiting, StartPolicyClock | ScheduleRetry)},
    {E::SessionLost, to(Waiting, StartPolicyClock | ScheduleRetry)},
    {E::CaughtUp, to(Live, Notify)},
    {E::WrongDisk, to(NeedsAttention, StartPolicyClock | Notify)},
    {E::DataMissing, to(NeedsAttention, StartPolicyClock | Notify)},
    {E::Incompatible, to(NeedsAttention, StartPolicyClock | Notify)},
    {E::DaemonDied, to(Crashed, StartPolicyClock | ScheduleRestart)},
    {E::DaemonServing, ignored(kOnItsWay)},
    {E::DaemonKeepsDying, to(NeedsAttention, StartPolicyClock | Notify)},
    {E::KernelRefused, to(NeedsAttention, StartPolicyClock | KillDaemon | Notify)},
    {E::RestartDue, never(kNoPause)},
    {E::RetryDue, never("an attempt is under way")},
    {E::RecoveryOverdue, to(Resuming, KillDaemon | Notify)},
    {E::PolicyExpired, to(Failed, FailIo | Notify)},
    {E::StopOverdue, never(kNotStopping)},
    {E::UserRecover, to(Resuming, StartPolicyClock | ResetPort | OpenSession)},
    {E::UserRestart, to(Recovering, StartPolicyClock | KillDaemon | StartDaemon)},
    {E::UserAcceptLoss, ignored(kNothingLost)},
    {E::UserStop, to(Stopping, StopPolicyClock | StopDevice)},
    {E::UserForceStop, to(Stopping, StopPolicyClock | AcceptLoss | FailIo | StopDevice)},
    {E::StopFailed, never(kNotStopping)},
    {E::Stopped, never(kNotStopping)},
};

constexpr Entry kCrashed[] = {
    {E::Started, never(kOnce)},
    {E::StartFailed, never(kOnce)},
    {E::PeerBack, ignored("the next server looks for it")},
    {E::LinkLost, ignored("the next server looks for it")},
    {E::SessionOpen, never(kNoServer)},
    {E::SessionFailed, never(kNoServer)},
    {E::SessionLost, never(kNoServer)},
    {E::CaughtUp, never(kNoServer)},
    {E::WrongDisk, never(kNoServer)},
    {E::DataMissing, never(kNoServer)},
    {E::Incompatible, never(kNoServer)},
    {E::DaemonDied, never("the last one is dead and no other was started")},
    {E::DaemonServing, never(kNoServer)},
    {E::DaemonKeepsDying, never("the last one is dead and no other was started")},
    // Seen when the kernel is asked what became of the device.
    {E::KernelRefused, to(NeedsAttention, Notify)},
    {E::RestartDue, to(Recovering, StartDaemon)},
    {E::RetryDue, never(kNoRetry)},
    {E::RecoveryOverdue, never(kNoNewServer)},
    // The kernel holds the requests, so it takes a server to fail them.
    {E::PolicyExpired, to(Failed, FailIo | StartDaemon | Notify)},
    {E::StopOverdue, never(kNotStopping)},
    {E::UserRecover, to(Recovering, StartDaemon)},
    {E::UserRestart, to(Recovering, StartDaemon)},
    {E::UserAcceptLoss, ignored(kNothingLost)},
    {E::UserStop, to(Stopping, StopPolicyClock | StopDevice)},
    {E::UserForceStop, to(Stopping, StopPolicyClock | AcceptLoss | FailIo | StopDevice)},
    {E::StopFailed, never(kNotStopping)},
    {E::Stopped, never(kNotStopping)},
};

constexpr Entry kRecovering[] = {
    {E::Started, never(kOnce)},
    {E::StartFailed, never(kOnce)},
    {E::PeerBack, ignored("the new server looks for it")},
    {E::LinkLost, ignored("the new server looks for it")},
    {E::SessionOpen, never(kNotAsked)},
    {E::SessionFailed, never(kNotAsked)},
    {E::SessionLost, never(kNotAsked)},
    {E::CaughtUp, never(kNotAsked)},
    {E::WrongDisk, never(kNotAsked)},
    {E::DataMissing, never(kNotAsked)},
    {E::Incompatible, never(kNotAsked)},
    {E::DaemonDied, to(Crashed, ScheduleRestart)},
    {E::DaemonServing, to(Resuming, OpenSession)},
    {E::DaemonKeepsDying, to(NeedsAttention, Notify)},
    {E::KernelRefused, to(NeedsAttention, KillDaemon | Notify)},
    {E::RestartDue, never("the new server was started")},
    {E::RetryDue, never(kNoRetry)},
    // Its death, which follows, brings the next one.
    {E::RecoveryOverdue, to(Recovering, KillDaemon | Notify)},
    {E::PolicyExpired, to(Failed, FailIo | Notify)},
    {E::StopOverdue, never(kNotStopping)},
    {E::UserRecover, ignored("it is being done, and bounded")},
    {E::UserRestart, to(Recovering, KillDaemon | StartDaemon)},
    {E::UserAcceptLoss, ignored(kNothingLost)},
    // The server is left alive: the other devices it serves would have to recover, and those
    // that are in the middle of recovery would be lost.
    {E::UserStop, to(Stopping, StopPolicyClock | StopDevice)},
    {E::UserForceStop, to(Stopping, StopPolicyClock | AcceptLoss | FailIo | StopDevice)},
    {E::StopFailed, never(kNotStopping)},
    {E::Stopped, never(kNotStopping)},
};

constexpr Entry kFailed[] = {
    {E::Started, never(kOnce)},
    {E::StartFailed, never(kOnce)},
    {E::PeerBack, ignored("programs got errors already: the user says when to go on")},
    {E::LinkLost, ignored("nothing waits for it")},
    // Nobody here asked for it any more: the other end did, or the last attempt was just late.
    {E::SessionOpen, to(Resuming, ResumeIo)},
    {E::SessionFailed, ignored("the policy time was over first")},
    {E::SessionLost, ignored("the policy time was over first")},
    {E::CaughtUp, never("the clock does not run while a session is open")},
    {E::WrongDisk, to(NeedsAttention, Notify)},
    {E::DataMissing, to(NeedsAttention, Notify)},
    {E::Incompatible, to(NeedsAttention, Notify)},
    // Without a server requests would be held again instead of failing.
    {E::DaemonDied, to(Failed, ScheduleRestart)},
    {E::DaemonServing, ignored("it fails requests from the first on")},
    {E::DaemonKeepsDying, to(NeedsAttention, FailIo | Notify)},
    {E::KernelRefused, to(NeedsAttention, KillDaemon | Notify)},
    {E::RestartDue, to(Failed, StartDaemon)},
    {E::RetryDue, never(kNoRetry)},
    {E::RecoveryOverdue, to(Failed, KillDaemon)},
    {E::PolicyExpired, never(kNoClock)},
    {E::StopOverdue, never(kNotStopping)},
    {E::UserRecover, to(Resuming, StartPolicyClock | ResumeIo | ResetPort | OpenSession)},
    {E::UserRestart, to(Recovering, StartPolicyClock | ResumeIo | KillDaemon | StartDaemon)},
    {E::UserAcceptLoss, ignored(kNothingLost)},
    {E::UserStop, to(Stopping, StopDevice)},
    {E::UserForceStop, to(Stopping, AcceptLoss | FailIo | StopDevice)},
    {E::StopFailed, never(kNotStopping)},
    {E::Stopped, never(kNotStopping)},
};

constexpr Entry kNeedsAttention[] = {
    {E::Started, never(kOnce)},
    {E::StartFailed, never(kOnce)},
    {E::PeerBack, ignored("the user decides")},
    {E::LinkLost, ignored("the user decides")},
    // Nobody here asked for it: the other end did, with the right disk and nothing missing, so
    // the problem is over.
    {E::SessionOpen, to(Resuming, StopPolicyClock | ResumeIo)},
    {E::SessionFailed, never("no attempt at a session is under way")},
    {E::SessionLost, ignored("the session ended with what is told already")},
    {E::CaughtUp, never("no session is open")},
    {E::WrongDisk, to(NeedsAttention, Notify)},
    {E::DataMissing, to(NeedsAttention, Notify)},
    {E::Incompatible, to(NeedsAttention, Notify)},
    {E::DaemonDied, ignored("Recover starts the next one")},
    {E::DaemonServing, ignored("an undertaker, and all it does is fail requests")},
    {E::DaemonKeepsDying, never(kForDaemon)},
    {E::KernelRefused, to(NeedsAttention, KillDaemon | Notify)},
    {E::RestartDue, never(kNoPause)},
    {E::RetryDue, never(kNoRetry)},
    {E::RecoveryOverdue, never(kNoNewServer)},
    // Stays here, because this says more than Failed and needs the same way out.
    {E::PolicyExpired, to(NeedsAttention, FailIo | Notify)},
    {E::StopOverdue, never(kNotStopping)},
    {E::UserRecover, to(Resuming, StartPolicyClock | ResumeIo | OpenSession)},
    {E::UserRestart, to(Recovering, StartPolicyClock | ResumeIo | KillDaemon | StartDaemon)},
    {E::UserAcceptLoss, to(NeedsAttention, AcceptLoss)},
    {E::UserStop, to(Stopping, StopPolicyClock | StopDevice)},
    {E::UserForceStop, to(Stopping, StopPolicyClock | AcceptLoss | FailIo | StopDevice)},
    {E::StopFailed, never(kNotStopping)},
    {E::Stopped, never(kNotStopping)},
};

constexpr Entry kStopping[] = {
    {E::Started, ignored("the start was as quick as Stop")},
    {E::StartFailed, ignored("Stop cleans up after it")},
    // So that saving can be completed.
    {E::PeerBack, to(Stopping, OpenSession)},
    {E::LinkLost, ignored("what cannot be saved in time is told at the end")},
    {E::SessionOpen, ignored(kEnding)},
    {E::SessionFailed, ignored(kEnding)},
    {E::SessionLost, to(Stopping, OpenSession)},
    {E::CaughtUp, ignored(kEnding)},
    {E::WrongDisk, ignored(kEnding)},
    {E::DataMissing, ignored(kEnding)},
    {E::Incompatible, ignored(kEnding)},
    {E::DaemonDied, to(Stopping, StopDevice)},
    {E::DaemonServing, to(Stopping, StopDevice)},
    {E::DaemonKeepsDying, never(kForDaemon)},
    {E::KernelRefused, to(Stopping, StopDevice)},
    {E::RestartDue, never(kNoPause)},
    {E::RetryDue, never(kNoRetry)},
    {E::RecoveryOverdue, never(kNoNewServer)},
    {E::PolicyExpired, never(kNoClock)},
    // A stop that hangs: without its server the kernel takes every request back by itself.
    {E::StopOverdue, to(Stopping, KillDaemon | StopDevice | Notify)},
    {E::UserRecover, ignored("what ends is not recovered")},
    {E::UserRestart, ignored("what ends is not recovered")},
    {E::UserAcceptLoss, ignored(kNothingLost)},
    {E::UserStop, ignored("it is being done, and bounded")},
    {E::UserForceStop, to(Stopping, AcceptLoss | KillDaemon | StopDevice)},
    // An undertaker; when it serves, the next try follows.
    {E::StopFailed, to(Stopping, FailIo)},
    {E::Stopped, to(Gone, Notify)},
};

constexpr Entry kGone[] = {
    {E::Started, never(kOnce)},
    {E::StartFailed, never(kOnce)},
    {E::PeerBack, ignored(kIsGone)},
    {E::LinkLost, ignored(kIsGone)},
    {E::SessionOpen, ignored(kIsGone)},
    {E::SessionFailed, ignored(kIsGone)},
    {E::SessionLost, ignored(kIsGone)},
    {E::CaughtUp, ignored(kIsGone)},
    {E::WrongDisk, ignored(kIsGone)},
    {E::DataMissing, ignored(kIsGone)},
    {E::Incompatible, ignored(kIsGone)},
    {E::DaemonDied, ignored(kIsGone)},
    {E::DaemonServing, ignored(kIsGone)},
    {E::DaemonKeepsDying, never(kForDaemon)},
    {E::KernelRefused, ignored(kIsGone)},
    {E::RestartDue, never(kNoPause)},
    {E::RetryDue, never(kNoRetry)},
    {E::RecoveryOverdue, never(kNoNewServer)},
    {E::PolicyExpired, never(kNoClock)},
    {E::StopOverdue, never(kNotStopping)},
    {E::UserRecover, ignored(kIsGone)},
    {E::UserRestart, ignored(kIsGone)},
    {E::UserAcceptLoss, ignored(kIsGone)},
    {E::UserStop, ignored(kIsGone)},
    {E::UserForceStop, ignored(kIsGone)},
    {E::StopFailed, never(kNotStopping)},
    {E::Stopped, never("told once")},
};

using Table = std::array<std::array<Cell, kEvents>, kStates>;

// Fails to compile (by reaching the throw) when a cell is missing or out of order.
consteval void fill(Table& table, State state, std::span<const Entry> row) {
    if (row.size() != kEvents) {
        throw "a row of the table has a cell too few or too many";
    }
    for (std::size_t i = 0; i < kEvents; ++i) {
        if (static_cast<std::size_t>(row[i].event) != i) {
            throw "a cell of the table is not in the order of Event";
        }
        Cell cell = row[i].cell;
        if (!cell.reason.empty()) {
            cell.next = state;
        }
        table[static_cast<std::size_t>(state)][i] = cell;
    }
}

consteval Table build() {
    Table table{};
    fill(table, Starting, kStarting);
    fill(table, Live, kLive);
    fill(table, Waiting, kWaiting);
    fill(table, Resuming, kResuming);
    fill(table, Crashed, kCrashed);
    fill(table, Recovering, kRecovering);
    fill(table, Failed, kFailed);
    fill(table, NeedsAttention, kNeedsAttention);
    fill(table, Stopping, kStopping);
    fill(table, Gone, kGone);
    return table;
}

constexpr Table kTable = build();

}  // namespace

const Cell& cellOf(State state, Event event) {
    return kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

}  // namespace belay::lifecycle
