#include "helper/supervisor/partition_follower.h"

#include "core/partitions/kernel.h"
#include "core/ublk/device.h"
#include "helper/supervisor/partition_process.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace belay::helper {
namespace {

using partitions::Change;
using partitions::Partition;

// By our own accord: others may be at work on the partitions, too, or the link be slow.
constexpr int kMostLooks = 3;
// Of those who asked. A command waits for 15 s.
constexpr auto kPatience = std::chrono::seconds(10);
// In one line.
constexpr std::size_t kMostNamed = 8;

tl::unexpected<Error> notLive(DeviceId disk) {
    return errorFrom(ENOTCONN, "read the partition table of", ublk::diskName(disk),
                     "It is read when the disk is live");
}

tl::unexpected<Error> cannot(const std::string& what, DeviceId disk, const Error& why) {
    return errorFrom(why.code, what, ublk::diskName(disk),
                     why.code != 0 ? std::string() : why.message());
}

tl::unexpected<Error> inUse(DeviceId disk, const std::string& partition) {
    return errorFrom(EBUSY, "follow the partition table of", ublk::diskName(disk),
                     fmt::format("{} is in use and stays as it was. Unmount or close it, then use "
                                 "\"rescan\"",
                                 partition));
}

}  // namespace

PartitionFollower::PartitionFollower(Ring& ring, DeviceId disk, const PartitionHooks& hooks)
    : ring_(ring), disk_(disk), hooks_(hooks), shown_(partitions::presentOf(disk)) {}

PartitionFollower::~PartitionFollower() {
    if (patience_)
        ring_.cancel(*patience_);
}

void PartitionFollower::setLive(bool live) {
    if (std::exchange(live_, live) == live)
        return;
    tries_ = 0;
    if (live)
        lookIfDue();
    else
        tellAll(notLive(disk_));
}

void PartitionFollower::closed(const std::string& name, bool written) {
    const bool disk = name == ublk::diskName(disk_);
    if (!disk && written)
        partitions::announceChange(name);
    // What is told to udev has it open the disk and close it: that must not lead to the next look.
    if (disk ? !written : !blocked_)
        return;
    written_ = written_ || disk;
    tries_ = 0;
    due_ = again_ = true;
    lookIfDue();
}

void PartitionFollower::rescan(Done done) {
    if (!live_) {
        done(notLive(disk_));
        return;
    }
    said_.clear();  // who asks is told once more
    asked_.push_back(std::move(done));
    if (!patience_)
        patience_ = ring_.callAfter(kPatience, [this] {
            patience_.reset();
            tellAll(errorFrom(ETIMEDOUT, "read the partition table of", ublk::diskName(disk_),
                              "It is done when the disk answers"));
        });
    tries_ = 0;
    due_ = again_ = true;
    lookIfDue();
}

void PartitionFollower::lookIfDue() {
    if (!due_ || !live_ || task_)
        return;
    due_ = again_ = false;
    blocked_ = false;
    ++tries_;
    watchAll();
    look_ = {};
    look_.asked = std::exchange(asked_, {});
    task_ = readPartitions(ring_, disk_, hooks_.reader,
                           [this](const auto& entries) { tableRead(entries); });
}

void PartitionFollower::tableRead(const Result<std::vector<partitions::Entry>>& entries) {
    ring_.destroyLater(std::move(task_));
    const auto disk = partitions::geometryOf(disk_);
    if (!entries || !disk) {
        tryAgain();
        finish(
            cannot("read the partition table of", disk_, entries ? disk.error() : entries.error()));
        return;
    }
    auto table = partitions::Table::from(*entries, *disk);
    look_.wanted = std::move(table.partitions);
    for (const std::string& why : table.leftOut)
        look_.remarks.push_back(fmt::format("{}: {}; it is not shown", ublk::diskName(disk_), why));
    look_.changes = partitions::changesTo(look_.wanted, partitions::presentOf(disk_));
    if (look_.changes.empty())
        finish({});
    else
        task_ = changePartitions(ring_, disk_, look_.changes,
                                 [this](const auto& results) { changed(results); });
}

void PartitionFollower::changed(const Result<std::vector<int>>& results) {
    ring_.destroyLater(std::move(task_));
    if (results && results->size() == look_.changes.size()) {
        finish(judge(*results));
        return;
    }
    tryAgain();
    finish(cannot("show the partitions of", disk_,
                  results ? failure("an answer is missing").value() : results.error()));
}

// By what the kernel has now: others may have told it the same, or something else.
Result<void> PartitionFollower::judge(const std::vector<int>& results) {
    Result<void> result;
    for (const Change& change : partitions::changesTo(look_.wanted, partitions::presentOf(disk_))) {
        const auto tried = std::ranges::find(look_.changes, change);
        const auto at = static_cast<std::size_t>(tried - look_.changes.begin());
        const int code = tried == look_.changes.end() ? 0 : results[at];
        const std::string name = partitions::partitionName(disk_, change.partition.number);
        // What stands in the way of a new one is said of that.
        const bool inTheWay = code == EBUSY && change.kind != Change::Kind::Remove && !result;
        if (code == 0)
            tryAgain();
        if (code == 0 || inTheWay)
            continue;
        const auto error = code == EBUSY ? inUse(disk_, name) : errorFrom(code, "show", name);
        look_.remarks.push_back(error.value().message());
        if (result)
            result = error;
    }
    return result;
}

void PartitionFollower::tryAgain() {
    if (tries_ < kMostLooks)
        again_ = true;
}

void PartitionFollower::watchAll() {
    for (const Partition& partition : partitions::presentOf(disk_))
        hooks_.watch(disk_, partitions::partitionName(disk_, partition.number));
}

void PartitionFollower::tellAll(const Result<void>& result) {
    if (patience_)
        ring_.cancel(*std::exchange(patience_, std::nullopt));
    auto asked = std::exchange(look_.asked, {});
    std::ranges::move(std::exchange(asked_, {}), std::back_inserter(asked));
    for (const Done& done : asked)
        done(result);
}

void PartitionFollower::finish(const Result<void>& result) {
    Look look = std::exchange(look_, {});
    // It is no news that a disk which is not live cannot be read.
    if (!result && live_ &&
        std::ranges::find(look.remarks, result.error().message()) == look.remarks.end())
        look.remarks.push_back(result.error().message());
    blocked_ = !result && result.error().code == EBUSY;
    watchAll();
    const bool othersAreThere = sayWhatIsThere();
    if (std::exchange(written_, false) || othersAreThere)
        partitions::announceChange(ublk::diskName(disk_));
    due_ = due_ || !result || again_;
    if (!result && again_ && live_) {
        // Whoever asked is told of the last try.
        std::ranges::move(look.asked, std::back_inserter(asked_));
    } else {
        sayOnce(look.remarks);
        if (patience_ && asked_.empty())
            ring_.cancel(*std::exchange(patience_, std::nullopt));
        for (const Done& done : look.asked)
            done(result);
    }
    if (again_)
        lookIfDue();
}

void PartitionFollower::sayOnce(const std::vector<std::string>& lines) {
    if (std::exchange(said_, lines) == lines)
        return;
    for (const std::string& line : lines)
        hooks_.announce(line);
}

bool PartitionFollower::sayWhatIsThere() {
    auto present = partitions::presentOf(disk_);
    if (present == shown_)
        return false;
    shown_ = std::move(present);
    std::vector<std::string> names;
    for (const Partition& partition : shown_)
        names.push_back(partitions::partitionName(disk_, partition.number));
    const std::string disk = ublk::diskName(disk_);
    if (names.empty())
        hooks_.announce(fmt::format("{} has no partitions any more", disk));
    else if (names.size() <= kMostNamed)
        hooks_.announce(fmt::format("{} has partitions: {}", disk, fmt::join(names, ", ")));
    else
        hooks_.announce(fmt::format("{} has {} partitions: {} to {}", disk, names.size(),
                                    names.front(), names.back()));
    return true;
}

}  // namespace belay::helper
