#pragma once

#include "tests/vm/scenario/cable.h"
#include "tests/vm/scenario/daemon.h"
#include "tests/vm/scenario/disk.h"
#include "tests/vm/scenario/usb_trace.h"

#include <QElapsedTimer>
#include <map>
#include <memory>

namespace scenario {

enum class Direction {
    Attach,  // the gadget has the bytes, the host the block devices
    Lend,    // the other way round
};

// A verified fio job.
struct FioJob {
    QString pattern = "randwrite";  // fio's --rw
    QString blocks = "4k-1M";       // one size, or the smallest and the largest
    int depth = 16;
    int mib = 16;  // of the disk, from its start; written and then read back
    int loops = 1;
    int pauseUs = 0;  // after every 16 requests: others get on, too
};

// One gadget and one host with a cable between them, and the disks that go over it.
//
// - Each step writes what it does, with the time, to steps.log; a step that fails throws Failure.
// - Everything it keeps is in folder(), which is handed back from the guest.
// - Several can live side by side, each with a number of its own.
// - The host is belay-hostd, started by hand; on a private bus (private_bus.h) it is belayd, driven
//   by busctl.
class Rig {
 public:
    // `number`: which dummy_udc.
    Rig(Direction direction, QString folder, int number = 0);
    ~Rig();

    // Before anything starts: both directions are used. Who has the block devices offers stores,
    // too: see offerBack().
    void useBothWays() { bothWays_ = true; }
    // Makes a store that the initiator is to offer when it starts next.
    Disk& offerBack(const QString& label, const QString& store, int mib);
    // More options for who has the block devices. Before it starts.
    void setInitiatorOptions(const QStringList& options) { initiatorOptions_ = options; }
    // Where stores are made.
    QString storeFolder() const;
    // Makes a store that the target is to offer, in `folder` or storeFolder(). Before the target
    // starts.
    Disk& offer(const QString& label = "disk", int mib = 16, const QString& folder = {});
    void startGadget();
    void startHost();
    // Starts both, and waits until every disk is live.
    void start();
    // Ends both in order: each leaves with 0, and nothing of theirs is left.
    void end();

    Disk& disk(const QString& label = "disk");
    std::vector<Disk*> disks();
    Daemon& gadget() { return gadget_; }
    Daemon& host() { return *host_; }
    // By what they do: who has the block device, and who has the bytes.
    Daemon& initiator() { return direction_ == Direction::Attach ? *host_ : gadget_; }
    Daemon& target() { return direction_ == Direction::Attach ? gadget_ : *host_; }
    Cable& cable() { return cable_; }
    Direction direction() const { return direction_; }

    // A device's state as the initiator tells it ("live", "waiting", ...); empty if there is none.
    QString stateOf(const Disk& disk);
    // All that it tells of it; nothing if there is no such device.
    std::optional<nlohmann::json> deviceOf(const Disk& disk);
    // What its write log holds; -1 if nobody knows.
    qint64 unsavedBytes(const Disk& disk);
    void waitForState(Disk& disk, const QString& state, Milliseconds limit = kPatience);
    void waitForAllLive(Milliseconds limit = kPatience);

    void pullCable(Cable::Method method = Cable::Method::Port);
    void plugIn();
    void wait(Milliseconds span);

    enum class Victim { HostWorker, HostSupervisor, GadgetWorker, GadgetSupervisor };
    static const char* nameOf(Victim victim);
    // Kills it (and starts it again if it is a supervisor). How many ms went by from the kill to
    // the next request that was finished on `disk`; nothing if `load` had ended by then. A
    // supervisor without which the worker serves on is not started before that request is finished.
    std::optional<qint64> outage(Victim victim, Disk& disk, const Program& load);

    // Ends the disk as its user would; `ms` of what took longest. With belayd on the host, a lent
    // disk is ended on both sides: Device1.Stop only takes back the file, and cannot know who has
    // the gadget's block device open or mounted.
    Outcome stop(const Disk& disk, bool force = false);

    std::unique_ptr<Program> startFio(const Disk& disk, const FioJob& job);
    // Any other program, with its output kept.
    std::unique_ptr<Program> startProgram(const QStringList& command);
    // Device and store agree, for every disk.
    void compare();

    void note(const QString& step);
    // Adds what a failure is explained by: kernel log, USB trace, what both ends say.
    void keepEvidence(const QString& failure);
    const QString& folder() const { return folder_; }

 private:
    QString log(const QString& name) const;
    QStringList backOptions(const char* option) const;
    Daemon& initiatorOf(const Disk& disk);

    Direction direction_;
    QString folder_;
    int number_;
    QElapsedTimer clock_;
    UsbTrace trace_;
    Cable cable_;
    std::map<QString, Disk> disks_;
    std::map<QString, Disk> back_;  // the other way
    bool bothWays_ = false;
    Daemon gadget_;
    std::unique_ptr<Daemon> host_;
    QStringList initiatorOptions_;
    int programs_ = 0;
};

}  // namespace scenario
