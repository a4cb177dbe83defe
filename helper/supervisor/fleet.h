#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/units.h"
#include "core/base/uuid.h"
#include "core/lifecycle/policy.h"
#include "core/lifecycle/state.h"
#include "dbus/events.h"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// What belayd shows of the world, and what it can be told to do: all gadgets that are or were
// plugged in, and every device that is made of a cable, in both directions.

enum class Direction : std::uint8_t { Attach, Lend };

// One export that a gadget shares.
struct ShareView {
    std::string label;
    Uuid uuid;
    std::uint64_t sizeBytes = 0;
    std::uint32_t blockSize = 0;
    bool readOnly = false;
    bool attached = false;  // a device has been made of it
};

struct GadgetView {
    // Of letters, digits and underscores; the same after a replug, on another port, and after a
    // restart of belayd.
    std::string id;
    std::string name;
    std::string manufacturer;
    std::string serial;
    std::uint16_t vendorId = 0;
    std::uint16_t productId = 0;
    std::string port;  // as in sysfs, e.g. "1-2.3"; the last one, when it is away
    std::uint32_t speedMbps = 0;
    bool present = false;
    // "absent", "connecting", "open", "refused" (it speaks no language of ours) or "trouble".
    std::string link = "absent";
    std::string protocol;  // "native", "smoo", or "" before a session was open
    std::string trouble;   // why link is "refused" or "trouble", in words
    // Whether a session tells what it shares, or there is nothing that could be shared; else
    // `shares` is empty.
    bool sharesKnown = false;
    std::vector<ShareView> shares;
    bool autoAttach = false;
};

struct RequestView {
    std::uint64_t sequence = 0;
    std::string op;            // "read", "write", "flush", "discard", "write-zeroes"
    std::uint64_t offset = 0;  // bytes
    std::uint32_t length = 0;  // bytes
    std::string state;  // "parked", "sent", "replayed" (parked, and sent in an earlier session),
                        // "answered" (its bytes are on their way to the kernel)
    std::uint32_t ageMs = 0;
};

struct DeviceCounters {
    std::uint64_t readBytes = 0;
    std::uint64_t writtenBytes = 0;
    std::uint64_t readOps = 0;
    std::uint64_t writeOps = 0;
    std::uint64_t unsavedBytes = 0;
    std::uint32_t inFlight = 0;
    std::uint32_t parked = 0;
    std::uint32_t oldestMs = 0;

    bool operator==(const DeviceCounters&) const = default;
};

// Who has a device open: {"mount", "/media/disk"}, {"process", "1234 (dd)"}, {"swap", ...},
// {"kernel", "dm-0"}.
struct HolderView {
    std::string kind;
    std::string name;
};

struct DeviceView {
    std::string id;  // like GadgetView::id
    std::string gadget;
    Direction direction = Direction::Attach;
    Uuid exportUuid;
    std::string label;
    std::uint64_t sizeBytes = 0;
    std::uint32_t blockSize = 0;
    bool readOnly = false;
    lifecycle::State state = lifecycle::State::Starting;
    std::uint64_t sinceUs = 0;  // when it came into its state, realtime clock
    lifecycle::Problems problems;
    std::string explanation;       // of the state, in words; may be empty
    std::uint64_t deadlineUs = 0;  // when the policy will fail its requests; 0: never
    std::string node;              // "/dev/ublkb0"; for Lend the file that is lent
    std::int32_t ublkId = -1;      // -1 for Lend
    pid_t daemonPid = 0;           // 0: none now
    std::uint32_t recoveries = 0;  // servers that took it over from a dead one
    DeviceCounters counters;
    lifecycle::Policy policy;
    std::vector<HolderView> holders;
};

// How a file is lent.
struct LendTerms {
    std::string label;  // empty: the file's name
    bool readOnly = false;
    std::uint32_t blockSize = 0;  // 0: as store::BlockSizeReason has it

    bool operator==(const LendTerms&) const = default;
};

// One line of history. What somebody asked for is not among the fleet's: it knows no users.
struct FleetEvent {
    std::uint64_t atUs = 0;  // realtime clock
    events::Any what;
    std::string subject;  // id of a device or gadget
    bool subjectIsDevice = false;
};

// All calls come from the ring's thread, between two events. None is made from within a call to
// Fleet, except that `done` functions may be called at once.
class FleetListener {
 public:
    virtual ~FleetListener() = default;
    // Also for a new one.
    virtual void gadgetChanged(const std::string& id) = 0;
    virtual void gadgetGone(const std::string& id) = 0;
    // Something other than the counters; also for a new one.
    virtual void deviceChanged(const std::string& id) = 0;
    virtual void deviceCountersChanged(const std::string& id) = 0;
    virtual void deviceGone(const std::string& id) = 0;
    // Also what is found while the fleet is being opened.
    virtual void happened(const FleetEvent& event) = 0;
};

// Errors of the calls below have codes that tell kinds apart: ENOENT no such object, EBUSY in use
// (message says by whom), ETIMEDOUT cannot be saved now, EINVAL a bad argument, ENOTCONN the gadget
// is away, EPERM unsaved bytes are at stake, EEXIST it is done already; others are the kernel's.
class FleetInterface {
 public:
    using Done = std::function<void(Result<void> result)>;
    using DeviceDone = std::function<void(Result<std::string> deviceId)>;
    using RequestsDone = std::function<void(Result<std::vector<RequestView>> requests)>;

    virtual ~FleetInterface() = default;

    virtual std::vector<std::string> gadgets() const = 0;
    virtual std::vector<std::string> devices() const = 0;
    // Nothing for an unknown id.
    virtual std::optional<GadgetView> gadget(const std::string& id) const = 0;
    // `withHolders`: asks the kernel who has it open (reads /proc; up to a few milliseconds).
    virtual std::optional<DeviceView> device(const std::string& id, bool withHolders) const = 0;

    // Makes a device of a share: its label or uuid. Done when the device is live. ENOTCONN if no
    // session tells of shares, or if it ends before that: then there is no device.
    virtual void attach(const std::string& gadget, const std::string& share, DeviceDone done) = 0;
    // Lends an open file or block device. It is lent writable only if the terms are not read-only
    // and the descriptor may write. `name`: what it is called without a label, and what is shown.
    virtual void lend(const std::string& gadget, Fd file, const std::string& name,
                      const LendTerms& terms, DeviceDone done) = 0;
    // The same, opened now with our own privileges, and again after a restart.
    virtual void lendPath(const std::string& gadget, const std::string& path,
                          const LendTerms& terms, DeviceDone done) = 0;
    // Attach whatever the gadget shares, now and whenever it comes back.
    virtual Result<void> setAutoAttach(const std::string& gadget, bool on) = 0;
    // Forgets a gadget that is away and has no device.
    virtual Result<void> forget(const std::string& gadget) = 0;

    // Does now what would be tried next, and what is not tried by itself. Done when the device is
    // live, or when it is clear that it will not be for now. `acceptLoss`: go on without bytes
    // that the target lost.
    virtual void recover(const std::string& device, bool acceptLoss, Done done) = 0;
    // Done when the device is gone. `force`: at once, whatever is lost.
    virtual void stop(const std::string& device, bool force, Done done) = 0;
    virtual Result<void> setPolicy(const std::string& device, lifecycle::Policy policy) = 0;
    // Reads its partition table again. EBUSY if partitions in use could not follow it.
    virtual void rescan(const std::string& device, Done done) = 0;
    // Exact at the time of the answer.
    virtual void requests(const std::string& device, RequestsDone done) = 0;

    // Whether somebody looks at counters: only then are they fetched, twice a second.
    virtual void watchCounters(bool on) = 0;
    // The computer is about to sleep, or is awake again: see lifecycle::PolicyClock.
    virtual void systemSleeps(bool on) = 0;
    // The system shuts down: held requests are given up after 30 s, whatever the policy; or it
    // does not after all.
    virtual void systemShutsDown(bool on) = 0;
};

}  // namespace belay::helper
