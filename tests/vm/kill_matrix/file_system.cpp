#include "tests/vm/kill_matrix/file_system.h"

#include <signal.h>

#include <QDir>

namespace kill_matrix {

using namespace scenario;

FileSystem::FileSystem(Rig& rig, Disk& disk)
    : rig_(rig), disk_(disk), folder_("/run/belay-scenario/mounted") {
    QDir().mkpath(folder_);
    mustRun({"mkfs.ext4", "-q", "-F", disk_.node()});
    mustRun({"mount", disk_.node(), folder_});
    mounted_ = true;
}

FileSystem::~FileSystem() {
    if (fio_ && fio_->running())
        fio_->signal(SIGKILL);
    if (mounted_)
        run({"umount", "-l", folder_});
}

void FileSystem::start() {
    const QString size = QString("--size=%1M").arg(times(4, 8));
    fio_ =
        rig_.startProgram({"fio", "--name=verify", "--filename=" + folder_ + "/file", "--direct=1",
                           "--ioengine=libaio", "--rw=randwrite", "--bsrange=4k-64k",
                           "--iodepth=16", size, "--fsync=32", "--verify=crc32c", "--do_verify=1",
                           "--verify_fatal=1", "--verify_state_save=0", "--randrepeat=0"});
}

void FileSystem::beBusy() {
    const qint64 goal = disk_.completed() + 40;
    const auto over = [&] { return !fio_->running(); };
    if (!fio_)
        start();
    await([&] { return disk_.completed() >= goal || over(); },
          [&] { return "the load does not get on:\n" + fio_->output(); }, kPatience, 2ms);
    if (!over())
        return;
    fio_->succeed();
    fio_.reset();
    beBusy();
}

void FileSystem::verify() {
    if (!fio_)
        start();
    fio_->succeed(120s);
    mustRun({"umount", folder_});
    mounted_ = false;
    const Outcome fsck = run({"e2fsck", "-fn", disk_.node()});
    require(fsck.status == 0, "the file system is damaged:\n" + fsck.output);
    disk_.compare();
}

}  // namespace kill_matrix
