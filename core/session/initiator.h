#pragma once

#include "core/base/error.h"
#include "core/session/allotment.h"
#include "core/session/ledger.h"
#include "core/session/log_work.h"
#include "core/wire/message.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace belay::session {

// The result that a request's issuer gets: bytes done, or a negative errno.
struct Completion {
    Sequence sequence;
    DeviceId device;
    Tag tag;
    int result = 0;
};

// The end of sending a write log again.
struct ReplayEnd {
    DeviceId device;
    bool saved = false;  // else the store refused: what is in the log may be missing
};

// What a response leads to.
struct Answer {
    std::uint32_t payloadLength = 0;  // this much follows on the payload pipe; else it is finished:
    std::optional<Completion> completion;  // a request of the kernel
    std::optional<ReplayEnd> replayEnd;
    std::optional<DeviceId> probed;  // the target has answered the probe of this device
    Sequence sequence;
    // The request failed, and acknowledged bytes of others may be lost with it: its issuer is to
    // be told, and then the session ends, so that the next one begins with the write log.
    bool endsSession = false;
    // The request failed, and with it the verifier changed on which nothing unsaved depends:
    // known() of this device has the new one.
    std::optional<DeviceId> tookVerifier;
};

// What both ends have agreed on for a session.
struct Terms {
    std::uint32_t maxOutstanding = 0;  // requests under way at once
    std::uint64_t memory = 0;          // bytes of payload under way at once
    // Exports come and go within the session: who leaves says so with wire::kStatusNotReady.
    bool perExport = false;
};

// Whether a session may go on with an export it had before.
enum class Resume : std::uint8_t {
    Same,             // go on; if the verifier has changed, the write log is sent again first
    DifferentDisk,    // another uuid, size, block size, mode or generation: send nothing
    DataMayBeMissing  // the target lost acknowledged bytes, and no complete write log has them
};

// The side that owns the ublk devices. Holds every request from its arrival until its completion;
// a lost session turns what was sent back into parked requests, which are sent again, in order
// and under the same sequences, in the next one.
//
// - A response that does not fit (unknown sequence, other epoch, other echo, too many bytes) is an
//   error: the caller ends the session, it is never guessed at.
// - Nothing is completed by losing a session. Only fail() completes what was not answered.
// - With a write log, every change that was answered without DURABLE is in it before its completion
//   is handed out, until a flush covers it; so a target that lost such changes gets them again, in
//   order, flushed, before anything else of that device is sent. What the log asks for by itself
//   are requests like others here, but nobody's: they have sequences of their own (LogWork), and
//   are never handed out as completions.
// - A changed verifier ends the session, whatever request shows it; if that one failed, its issuer
//   gets the error first. The next session begins with the write log, or with missing data.
// - One instance serves all exports of one gadget in one direction. They take turns, and each has
//   its part of the session's memory (Allotment): none waits for what another one's store does not
//   answer. A request that is longer than its part goes in pieces when there is no other room.
// - An export can leave a session and join it again. It joins when all that was sent of it before
// is
//   answered; that holds for each disk, whatever device it was sent for.
class Initiator {
 public:
    // `first` must lie above every sequence used before in the life of these devices.
    explicit Initiator(Sequence first) : ledger_(2, first) {}

    // -- devices

    // Starts to take requests of a device, `depth` at a time at most. `known` is the export it was
    // made from: requests are sent only when a session offers the same; `unsavedUnknown` says that
    // bytes may have been acknowledged and not flushed before this process came. `log`, if there is
    // one, knows better than both; it must outlive the device.
    void addDevice(DeviceId device, std::size_t depth, const wire::ExportInfo& known,
                   bool unsavedUnknown, WriteLog* log = nullptr);
    // Forgets a device; it must have no request of the kernel under way.
    void removeDevice(DeviceId device);
    // True when the device takes part in the present session.
    bool isOpen(DeviceId device) const;
    // Bytes answered to the kernel that no flush has covered since.
    std::uint64_t unsavedBytes(DeviceId device) const;
    // True when every byte that was ever answered is durable: a flush has nothing to do.
    bool nothingUnsaved(DeviceId device) const { return !devices_.at(device).hasUnsaved(); }
    // Its write log is being sent again in this session, or it waits for the answers to what was
    // sent of it before that was broken off.
    bool isReplaying(DeviceId device) const;
    // The device's export as last seen, with the verifier that its acknowledged bytes depend on.
    const wire::ExportInfo& known(DeviceId device) const { return devices_.at(device).info; }

    // Its write log could use more memory (WriteLog::wanted), and has got some.
    bool logIsShort(DeviceId device) const;
    void logHasGrown(DeviceId device);

    // -- session

    // A session with this epoch is ready.
    void sessionOpened(Epoch epoch, const Terms& terms);
    // For payloads under way in this session, bytes.
    std::uint64_t memory() const { return allotment_.memory(); }
    // What the session's target lists now, ready or not: each has its part of the memory from here
    // on. False: there is no part for a new one. Then only another session has.
    bool exportsListed(const std::vector<wire::ExportInfo>& exports);
    // The export as the session's target offers it now. Same: its requests flow from here on.
    // A changed verifier is accepted when nothing unsaved depends on the old one, or all that does
    // is in the write log. If a write log's being sent again to this disk was broken off, they flow
    // when what is under way of it is answered: the store may do the two in any order.
    Resume exportOffered(DeviceId device, const wire::ExportInfo& offered);
    // The session's target does not serve the device's export any more: nothing is sent of it until
    // it is offered again. What was sent is answered still.
    void exportLeft(DeviceId device);
    // The user accepts the loss: what is unsaved now no longer counts as such. Breaks off sending
    // the write log again; the caller offers the export anew.
    void forgiveMissingData(DeviceId device);
    // Reads a block at `offset` (bytes) on our own account, as soon as the device takes part in the
    // session. Any answer, a refusal too, shows that the session is open at the other end. The end
    // of the session is the end of it.
    void probe(DeviceId device, std::uint64_t offset);
    // Everything that was sent is parked again.
    void sessionClosed();
    Epoch epoch() const { return epoch_; }

    // -- requests

    // Takes a request of the kernel (sequence and state are set here). False: there are more than
    // the devices are deep, for whose requests there is room whatever else is under way.
    bool submit(const Entry& request);
    // The next request to be sent in this session, or null. Stays the same until markSent().
    const Entry* nextToSend();
    // The message for the request that nextToSend() gave; payloadCrc is the caller's to fill in.
    wire::Request markSent(const Entry& entry);
    // The payload of a logged write that nextToSend() gave, into as many bytes as it is long.
    void copyLogged(const Entry& entry, ByteSpan out) const;
    // Checks a response against the ledger. `sent`: the payload of the write that it answers.
    // In the order in which they come; only a write's may be kept back for a while.
    Result<Answer> responseReceived(const wire::Response& response, ConstByteSpan sent = {});
    // The payload of an answered request is complete and its CRC is right. No completion: it was
    // the beginning of a request.
    Result<std::optional<Completion>> payloadReceived(Sequence sequence);
    // The same for one of our own requests; the device whose probe it was.
    std::optional<DeviceId> ownPayloadReceived(Sequence sequence);
    // The checksum that the answer to `sequence` promised for its payload.
    std::uint32_t promisedCrc(Sequence sequence);
    // Gives up on one request, e.g. because its bytes could not be read from the kernel.
    std::optional<Completion> fail(Sequence sequence, int error);
    // Gives up on all parked requests of a device.
    std::vector<Completion> failParked(DeviceId device, int error);
    // Gives up on all of them, and the device leaves the session. What was sent keeps its place
    // until it is answered, for nobody.
    std::vector<Completion> abandon(DeviceId device, int error);

    Ledger& ledger() { return ledger_; }
    // The kernel's requests of a device, in order.
    std::vector<const Entry*> inOrder(DeviceId device);
    std::size_t underWay(DeviceId device) { return inOrder(device).size(); }

 private:
    enum class Probe : std::uint8_t { None, Wanted, Parked, Sent };
    struct Device {
        std::size_t depth = 0;
        wire::ExportInfo info;  // info.id is the present session's name for it
        bool open = false;
        std::deque<Sequence> toSend;
        std::size_t underWay = 0;  // sent and not finished, of all kinds but nobody's
        bool unsavedUnknown = false;
        std::uint64_t written = 0;  // bytes answered without DURABLE, ever
        std::uint64_t stable = 0;   // of these, how many a successful flush covers
        LogWork work;
        // When nothing of its own, and nothing disowned to this disk, is under way.
        std::optional<wire::ExportInfo> joining;
        Probe probe = Probe::None;
        std::uint64_t probeOffset = 0;
        Sequence probeSequence;  // Parked: where it is in the ledger
        bool hasUnsaved() const { return unsavedUnknown || written != stable; }
    };

    std::optional<Completion> finish(Entry& entry, int result);
    std::optional<Completion> finishBeginning(const Entry& beginning, int result);
    void sendParked(DeviceId id, Device& device);
    const Entry* nextOf(DeviceId id, Device& device);
    const Entry* nextOfOurOwn(DeviceId id, Device& device);
    bool hasRoom(const Device& device, const Entry& entry) const;
    bool cutToFit(const Device& device, Entry& entry);
    bool waits(const Entry& entry);
    void notTaken(Entry& entry);
    void growLedger();
    Result<bool> applyDurability(const Entry& entry, const wire::Response& response);

    const Entry* nextProbe(DeviceId id, Device& device, bool room);
    std::optional<DeviceId> endOwn(Entry& entry);

    // Of the write log.
    std::uint32_t longestAtOnce(const wire::ExportInfo& info) const;
    bool canReplay(const Device& device) const;
    void join(Device& device, const wire::ExportInfo& offered);
    void flushed(Device& device, const Entry& entry);
    void logChange(const Entry& entry, const wire::Response& response, ConstByteSpan sent);
    Result<Answer> answerOfOurOwn(Entry& entry, const wire::Response& response);
    ReplayEnd endReplay(DeviceId id, bool saved);
    void disown(DeviceId device);
    bool isDisowned(const Uuid& disk) const;
    void makeNobodys(Entry& entry, const Uuid& disk);
    void disownedAnswered(Sequence sequence);
    void joinIfItCan(DeviceId id, Device& device);
    void goOn(DeviceId id);

    Ledger ledger_;
    std::size_t depths_ = 0;   // of all devices
    std::size_t kernels_ = 0;  // requests of the kernel in the ledger
    std::map<DeviceId, Device> devices_;
    Epoch epoch_;
    Terms terms_;
    Allotment allotment_;
    std::set<ExportId> listed_;
    bool hasList_ = false;
    DeviceId last_;  // whose turn was the last
    // What was sent of write logs and is nobody's now, not answered, and the disk it went to.
    std::map<Sequence, Uuid> disowned_;
};

}  // namespace belay::session
