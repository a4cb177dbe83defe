#pragma once

#include "core/base/error.h"
#include "core/base/ring.h"
#include "core/base/units.h"
#include "core/partitions/changes.h"
#include "helper/supervisor/own_task.h"
#include "helper/worker/confine.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// What a PartitionFollower needs of the supervisor around it.
struct PartitionHooks {
    // Whom the reader of the table runs as.
    Identity reader;
    // One line for the user.
    std::function<void(const std::string& line)> announce;
    // Has closed() called whenever somebody has closed the node of this partition.
    std::function<void(DeviceId disk, const std::string& name)> watch;
};

// Has the kernel show the partitions that one disk's table names.
//
// - Looks at the table when the disk is live for the first time in our life, when it was written
//   to, and when it is told to. What is as it should be is not touched.
// - All that may wait for the disk is in processes of their own. A look that waits, because the
//   disk is not live any more, goes on when it is live again.
// - A partition that cannot go because it is in use is said to the user, and tried again when
//   somebody has closed it.
// - Tells udev when somebody has written to the disk or a partition, for those who ask udev what is
//   on it (udisks): not every udev watches ublk disks (252 does not, 257 does).
class PartitionFollower {
 public:
    using Done = std::function<void(Result<void> result)>;

    // `hooks` are the keeper's.
    PartitionFollower(Ring& ring, DeviceId disk, const PartitionHooks& hooks);
    ~PartitionFollower();
    PartitionFollower(const PartitionFollower&) = delete;
    PartitionFollower& operator=(const PartitionFollower&) = delete;

    // Whether its requests flow.
    void setLive(bool live);
    // Somebody has closed the disk or a partition of it, by its name, and may have written to it.
    void closed(const std::string& name, bool written);
    // `done` is told what became of a look that begins from now on. ENOTCONN while it is not live;
    // EBUSY if partitions in use stay as they were, ETIMEDOUT if the look waits.
    void rescan(Done done);

 private:
    // What one look finds and does.
    struct Look {
        std::vector<Done> asked;
        std::vector<partitions::Partition> wanted;
        std::vector<partitions::Change> changes;
        std::vector<std::string> remarks;  // what the user should know
    };

    void lookIfDue();
    void tableRead(const Result<std::vector<partitions::Entry>>& entries);
    void changed(const Result<std::vector<int>>& results);
    Result<void> judge(const std::vector<int>& results);
    void tryAgain();
    void watchAll();
    void finish(const Result<void>& result);
    void sayOnce(const std::vector<std::string>& lines);
    // False if that was said before.
    bool sayWhatIsThere();
    void tellAll(const Result<void>& result);

    Ring& ring_;
    const DeviceId disk_;
    const PartitionHooks& hooks_;
    bool live_ = false;
    bool due_ = true;       // the table may say something else than the kernel does
    bool again_ = false;    // and there is a reason to look once the present look is over
    bool blocked_ = false;  // by a partition in use
    bool written_ = false;  // somebody has written to the disk, and udev does not know
    int tries_ = 0;         // looks since something last happened
    Look look_;             // while there is a task
    std::unique_ptr<OwnTask> task_;
    std::optional<Ring::TimerId> patience_;     // of those who asked
    std::vector<Done> asked_;                   // for the next look
    std::vector<partitions::Partition> shown_;  // as the user was told last
    std::vector<std::string> said_;             // the same
};

}  // namespace belay::helper
