#include "helper/supervisor/partition_keeper.h"

#include "core/base/log.h"
#include "core/ublk/device.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

namespace belay::helper {

PartitionKeeper::PartitionKeeper(Ring& ring, const Identity& reader,
                                 std::function<void(const std::string& line)> announce)
    : ring_(ring),
      hooks_{reader, std::move(announce),
             [this](DeviceId disk, const std::string& name) { watch(disk, name); }},
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (inotify_)
        watch_ = std::make_unique<FdWatch>(ring_, inotify_.get(), POLLIN,
                                           [this](std::uint32_t) { readEvents(); });
    else
        log::warning("partition tables that are written will not be noticed: {}",
                     systemError("watch files").value().message());
}

void PartitionKeeper::setLive(DeviceId disk, bool live) {
    auto& follower = followers_[disk];
    if (!follower) {
        if (!live) {
            followers_.erase(disk);
            return;
        }
        follower = std::make_unique<PartitionFollower>(ring_, disk, hooks_);
        // Before the first look, so that nothing falls in between.
        watch(disk, ublk::diskName(disk));
    }
    follower->setLive(live);
}

void PartitionKeeper::forget(DeviceId disk) {
    setLive(disk, false);
    std::erase_if(watches_, [&](const auto& watch) {
        if (watch.second.disk == disk)
            ::inotify_rm_watch(inotify_.get(), watch.first);
        return watch.second.disk == disk;
    });
    if (auto follower = followers_.extract(disk))
        ring_.destroyLater(std::move(follower.mapped()));
}

void PartitionKeeper::rescan(DeviceId disk, PartitionFollower::Done done) {
    if (const auto found = followers_.find(disk); found != followers_.end())
        found->second->rescan(std::move(done));
    else
        done(errorFrom(ENOTCONN, "read the partition table of", ublk::diskName(disk),
                       "It is read when the disk is live"));
}

void PartitionKeeper::watch(DeviceId disk, const std::string& name) {
    if (!inotify_)
        return;
    const std::string node = "/dev/" + name;
    const int number = ::inotify_add_watch(inotify_.get(), node.c_str(), IN_CLOSE);
    if (number >= 0)
        watches_[number] = {disk, name};
    else if (errno != ENOENT)  // a partition that has just gone
        log::warning("{}", systemError("watch", node).value().message());
}

void PartitionKeeper::readEvents() {
    // At most this much is taken in a turn; the rest comes with the next.
    alignas(inotify_event) std::array<char, 4096> buffer{};
    const ssize_t length = ::read(inotify_.get(), buffer.data(), buffer.size());
    for (ssize_t at = 0; at < length;) {
        inotify_event event{};
        std::memcpy(&event, buffer.data() + at, sizeof event);
        at += static_cast<ssize_t>(sizeof event + event.len);
        const auto watch = watches_.find(event.wd);
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            lookAtAll();
        } else if (watch == watches_.end()) {
            continue;
        } else if ((event.mask & IN_IGNORED) != 0) {
            watches_.erase(watch);
        } else if (const auto found = followers_.find(watch->second.disk);
                   found != followers_.end()) {
            found->second->closed(watch->second.name, (event.mask & IN_CLOSE_WRITE) != 0);
        }
    }
}

// Some events were lost.
void PartitionKeeper::lookAtAll() {
    for (const auto& [disk, follower] : followers_)
        follower->closed(ublk::diskName(disk), true);
}

}  // namespace belay::helper
