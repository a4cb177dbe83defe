#include "tests/vm/scenario/target_machine.h"

#include "core/base/fd.h"
#include "tests/vm/scenario/machine.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <QDir>
#include <QFile>

namespace scenario {
namespace {

// _IOR('X', 125, __u32) and EXT4_GOING_FLAGS_NOLOGFLUSH of Linux' fs/ext4/ext4.h: from then on the
// file system writes nothing any more, not even its journal.
constexpr unsigned long kExt4Shutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t kNoLogFlush = 2;

// On its way to a mount namespace of its own a worker has all mounts of this guest for a moment,
// and a gadget that starts again would find its own in use.
bool hasGadgetMounts(pid_t worker) {
    QFile mounts(QString("/proc/%1/mountinfo").arg(worker));
    return !mounts.open(QIODevice::ReadOnly) || mounts.readAll().contains(" functionfs ");
}

}  // namespace

TargetMachine::TargetMachine(Rig& rig) : rig_(rig), image_("/run/target-machine.img") {
    require(QDir().mkpath(folder()), "no folder for the stores");
    QFile::remove(image_);
    mustRun({"truncate", "-s", "96M", image_});
    mustRun({"mkfs.ext4", "-q", image_});
    mount();
}

TargetMachine::~TargetMachine() {
    run({"umount", "-l", folder()});
}

void TargetMachine::mount() {
    mustRun({"mount", "-o", "loop", image_, folder()});
}

void TargetMachine::sync() {
    mustRun({"sync", "-f", folder()});
}

void TargetMachine::goDown() {
    rig_.note("the target's machine goes down");
    rig_.target().killSupervisor();
    {
        const belay::Fd mounted(::open(qPrintable(folder()), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        std::uint32_t how = kNoLogFlush;
        require(mounted && ::ioctl(mounted.get(), kExt4Shutdown, &how) == 0,
                "the file system does not shut down");
    }
    // Another mount finds what is on the disk; and of /run nothing is left.
    require(waitUntil(
                [this] {
                    return run({"umount", folder()}).status == 0;
                },
                10s, 50ms),
            "somebody has the stores open still");
    mount();
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
