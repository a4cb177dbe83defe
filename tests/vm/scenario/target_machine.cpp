#include "tests/vm/scenario/target_machine.h"

#include "tests/vm/scenario/machine.h"

#include <QFile>

namespace scenario {
namespace {

// On its way to a mount namespace of its own a worker has all mounts of this guest for a moment,
// and a gadget that starts again would find its own in use.
bool hasGadgetMounts(pid_t worker) {
    QFile mounts(QString("/proc/%1/mountinfo").arg(worker));
    return !mounts.open(QIODevice::ReadOnly) || mounts.readAll().contains(" functionfs ");
}

}  // namespace

TargetMachine::TargetMachine(Rig& rig) : rig_(rig), volume_(rig.storeFolder()) {}

void TargetMachine::goDown() {
    rig_.note("the target's machine goes down");
    rig_.target().killSupervisor();
    volume_.losePower();
    // Of /run nothing is left.
    mustRun({"rm", "-rf", rig_.target().runDir() + "/worker"});
}

void TargetMachine::comeBack() {
    const auto settled = [this] {
        const pid_t worker = rig_.initiator().worker();
        return !isDead(worker) && !hasGadgetMounts(worker);
    };
    if (rig_.direction() == Direction::Attach && rig_.initiator().running())
        require(waitUntil(settled), "the host's worker keeps the gadget's mounts");
    rig_.note("the target's machine is back");
    rig_.target().startAgain();
}

}  // namespace scenario
