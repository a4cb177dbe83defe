#pragma once

#include "core/base/fd.h"
#include "core/base/ring.h"
#include "core/base/units.h"
#include "helper/supervisor/partition_follower.h"

#include <map>
#include <memory>
#include <string>

namespace belay::helper {

// The partitions of all disks of one DeviceManager: see PartitionFollower.
//
// - That a disk was written to is seen when somebody closes its node (inotify(7)), as udev sees it;
//   a gadget may have no udev. Nothing is opened for that.
class PartitionKeeper {
 public:
    PartitionKeeper(Ring& ring, const Identity& reader,
                    std::function<void(const std::string& line)> announce);
    PartitionKeeper(const PartitionKeeper&) = delete;
    PartitionKeeper& operator=(const PartitionKeeper&) = delete;

    // A device that has come to be live, or does not live any more; also of one that is as it was.
    void setLive(DeviceId disk, bool live);
    void forget(DeviceId disk);
    // See PartitionFollower. ENOTCONN for a disk that was never live.
    void rescan(DeviceId disk, PartitionFollower::Done done);

 private:
    struct Watch {
        DeviceId disk;
        std::string name;  // of the disk or a partition
    };

    void watch(DeviceId disk, const std::string& name);
    void readEvents();
    void lookAtAll();

    Ring& ring_;
    PartitionHooks hooks_;
    Fd inotify_;
    std::unique_ptr<FdWatch> watch_;
    std::map<int, Watch> watches_;
    std::map<DeviceId, std::unique_ptr<PartitionFollower>> followers_;
};

}  // namespace belay::helper
