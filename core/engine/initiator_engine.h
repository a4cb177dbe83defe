#pragma once

#include "core/base/arena.h"
#include "core/base/end_of_turn.h"
#include "core/base/ring.h"
#include "core/engine/dialect.h"
#include "core/engine/session_owner.h"
#include "core/session/initiator.h"
#include "core/ublk/queue.h"
#include "core/wire/export_pages.h"
#include "core/wire/link.h"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace belay::engine {

// What the devices' owner is told.
class DeviceListener {
 public:
    // The kernel has taken all of a device's tags back (STOP_DEV), or its queue is broken (any
    // code but ENODEV): then only the end of this process helps.
    virtual void deviceStopped(DeviceId device, const Error& reason) = 0;
    // The write log is sent again and saved, and the device's own requests flow (`saved`), or its
    // store refused some of it: then the device is out of this session.
    virtual void replayEnded(DeviceId device, bool saved) = 0;
    // Nothing unsaved depends on the old verifier, and known() has a new one.
    virtual void verifierTaken(DeviceId device) = 0;
    // A request has left the device with nothing unsaved: its write log is empty.
    virtual void allSaved(DeviceId device) = 0;
    // The device's write log could use more memory (WriteLog::wanted). Told again until it has.
    virtual void logIsShort(DeviceId device) = 0;
    // The target has answered probe().
    virtual void probed(DeviceId device) = 0;

 protected:
    ~DeviceListener() = default;
};

// What a device has done and holds, for those who watch.
struct DeviceCounters {
    std::uint64_t readBytes = 0;
    std::uint64_t writtenBytes = 0;
    std::uint64_t readOps = 0;
    std::uint64_t writeOps = 0;
    std::uint64_t unsavedBytes = 0;
    std::uint32_t inFlight = 0;  // accepted from the kernel and not completed
    std::uint32_t parked = 0;    // of these, held back for want of a session
    std::optional<TimePoint> oldest;
};

// The initiator's data path: requests from ublk queues go over the link, answers come back.
//
// - Single-threaded, on the ring: ublk's user copies must run on the queue's thread (on 6.12 a copy
//   by another thread can turn a requeue into EIO, ublk_put_req_ref).
// - Every request reserves its transfer memory before it is sent, so an answer never has to wait
//   for memory.
// - Losing the link completes nothing: see session::Initiator.
// - A device that is failed while its target does not answer leaves the session; the others' goes
//   on.
class InitiatorEngine final : private wire::LinkListener {
 public:
    InitiatorEngine(Ring& ring, DeviceListener& listener);
    ~InitiatorEngine();

    // -- devices

    // Makes a place for a device and returns its queue, to be brought up. For the others see
    // session::Initiator::addDevice.
    ublk::Queue& addDevice(DeviceId device, std::size_t depth, const wire::ExportInfo& known,
                           bool unsavedUnknown, session::WriteLog* log = nullptr);
    // Forgets a stopped device.
    void removeDevice(DeviceId device);
    // From now on the device's requests fail with EIO, those held and those to come, until
    // resumeDevice(). What the target has is waited for one second; then it fails too, and the
    // device is out of the session until it is offered again.
    void failDevice(DeviceId device);
    void resumeDevice(DeviceId device);
    bool isFailing(DeviceId device) const;
    // Its write log has got more memory.
    void logHasGrown(DeviceId device);
    bool hasDevice(DeviceId device) const { return devices_.contains(device); }

    DeviceCounters counters(DeviceId device);
    const wire::ExportInfo& known(DeviceId device) const { return initiator_.known(device); }
    // The requests under way, oldest first.
    std::vector<session::Entry> inFlight(DeviceId device);

    // -- session

    // Who is told of a session's end, or nobody.
    void setSessionOwner(SessionOwner* owner) { owner_ = owner; }
    // Harmless when somebody else is the owner by now.
    void clearSessionOwner(const SessionOwner* owner) {
        if (owner_ == owner)
            owner_ = nullptr;
    }
    // Begins a session on a clean link. Requests flow once their device is offered. `memory`: of
    // the target, for what is under way; 0 if it does not say.
    void sessionOpened(std::unique_ptr<wire::Link> link, std::unique_ptr<Dialect> dialect,
                       Epoch epoch, std::uint32_t maxOutstanding, std::uint32_t memory);
    // See session::Initiator. Where there is no part for a new one the session ends.
    void exportsListed(const wire::ExportList& list);
    // The export of a device has left the session, or is not ready to be in it.
    void exportLeft(DeviceId device) { initiator_.exportLeft(device); }
    // True when a device takes part in the session, or will as soon as what it waits for is done.
    bool isIn(DeviceId device) const {
        return initiator_.isOpen(device) || initiator_.isReplaying(device);
    }
    // The session's target offers this export for this device.
    session::Resume exportOffered(DeviceId device, const wire::ExportInfo& offered);
    // What was lost is being sent again from the write log; nothing else is until it is saved.
    bool isReplaying(DeviceId device) const { return initiator_.isReplaying(device); }
    // Has the target answer for a device that takes part in the session: probed() follows, unless
    // the session ends first. An open session may have ended at the other end already.
    void probe(DeviceId device);
    // The user accepts that unsaved bytes are lost.
    void forgiveMissingData(DeviceId device) { initiator_.forgiveMissingData(device); }
    // Ends the session; sessionEnded() follows.
    void endSession(Error reason);
    bool hasSession() const { return link_ != nullptr && !ending_; }
    // True until the link of a session that is being ended is down.
    bool hasLink() const { return link_ != nullptr; }
    // v0's request ids: see session::Ledger::findByLowBits.
    std::optional<Sequence> sequenceByLowBits(std::uint32_t low);
    Epoch epoch() const { return initiator_.epoch(); }
    // Goes up with every answer of the target: traffic counts as life.
    std::uint64_t answersReceived() const { return answersReceived_; }

 private:
    class DeviceIo;
    // The transfer memory of one request, at its ledger slot.
    struct Transfer {
        Buffer buffer;
        bool sending = false;
        std::optional<wire::Response> held;  // came before its payload's send was reported
    };

    void messagesReceived(ConstByteSpan transfer) override;
    void payloadSent(std::uint64_t cookie) override;
    void payloadReceived(std::uint64_t cookie) override;
    void linkDown(const Error& reason) override;

    void requestArrived(DeviceIo& device, Tag tag);
    void pump();
    void sendGathered();
    void tellShortLogs();
    void abandonDevice(DeviceId device);
    void tryAgainSoon();
    bool prepare(const session::Entry& entry, Buffer& buffer);
    bool copyOut(const session::Entry& entry, ByteSpan bytes);
    bool copyIn(const session::Entry& entry, ByteSpan bytes);
    template <class CopyPiece>
    bool copy(const session::Entry& entry, ByteSpan bytes, const char* verb, CopyPiece copyPiece);
    void response(const wire::Response& response);
    void complete(const session::Completion& completion);
    Transfer& transferOf(Sequence sequence);
    void growTransfers();

    Ring& ring_;
    DeviceListener& listener_;
    SessionOwner* owner_ = nullptr;
    session::Initiator initiator_;
    std::map<DeviceId, std::unique_ptr<DeviceIo>> devices_;
    std::vector<Transfer> transfers_;
    std::unique_ptr<wire::Link> link_;
    std::unique_ptr<Dialect> dialect_;
    std::shared_ptr<Arena> arena_;
    // Not empty once it was found that this kernel cannot copy between a request and the link's
    // own memory.
    std::vector<std::byte> bounce_;
    wire::MessageFraming framing_;
    bool ending_ = false;
    EndOfTurn pump_;
    std::optional<Ring::TimerId> memoryRetry_;
    std::vector<std::byte> messages_;
    std::vector<Sequence> payloads_;
    std::uint64_t answersReceived_ = 0;
};

}  // namespace belay::engine
