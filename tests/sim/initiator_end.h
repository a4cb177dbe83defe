#pragma once

#include "core/session/initiator.h"
#include "tests/sim/cable.h"
#include "tests/sim/kernel.h"
#include "tests/sim/opening.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace belay::sim {

// What the initiator's process tells its supervisor.
class InitiatorListener {
 public:
    virtual void sessionOver() = 0;
    virtual void offered(DeviceId device, session::Resume verdict,
                         const wire::ExportInfo& info) = 0;

 protected:
    ~InitiatorListener() = default;
};

// What of a device outlives the process that serves it: the kernel's side, the export as the
// supervisor recorded it, and the memory of the write log, which may be none.
struct DeviceRecord {
    Kernel& kernel;
    wire::ExportInfo known;
    ByteSpan log;
};

// One process at the initiator: what engine::InitiatorEngine and its session do, around the same
// session::Initiator.
class InitiatorEnd final : public SessionEnd, public RequestTaker, private CableListener {
 public:
    // `records`: by device number. `recovers`: an earlier process served them.
    InitiatorEnd(Context& context, InitiatorListener& listener,
                 const std::vector<DeviceRecord>& records, bool recovers);
    ~InitiatorEnd();

    bool busy() const override { return cable_ != nullptr; }
    Epoch epoch() const override { return initiator_.epoch(); }
    void endSession() override;
    void begin(Epoch epoch, std::shared_ptr<Cable> cable,
               const std::vector<wire::ExportInfo>& offered) override;
    void listed(const std::vector<wire::ExportInfo>& list) override;
    void requestArrived(DeviceId device, Tag tag) override;

    void failDevice(DeviceId device);
    void resumeDevice(DeviceId device);
    // The user accepts that data may be missing.
    void acceptLoss(DeviceId device);
    bool isReplaying(DeviceId device) const;

 private:
    struct Device {
        Kernel& kernel;
        std::optional<session::WriteLog> log;
        wire::ExportInfo offered;
        bool failing = false;
        bool growing = false;      // its log
        std::vector<Blocks> read;  // by tag: what has come of a read
    };
    struct Transfer {
        bool sending = false;
        std::optional<wire::Response> held;
    };

    void messagesReceived(ConstByteSpan transfer) override;
    void payloadSent(std::uint64_t cookie) override;
    void payloadReceived(std::uint64_t cookie, const Blocks& payload) override;
    void linkDown() override;

    Device& of(DeviceId device) { return *devices_[device.value]; }
    bool isIn(DeviceId device) const;
    const wire::ExportInfo* counterpartOf(DeviceId device) const;
    void offer(DeviceId device);
    void tellSame(DeviceId device);
    Blocks payloadOf(const session::Entry& entry) const;
    void schedulePump();
    void pump();
    void growLogs();
    void send(const session::Entry& entry);
    void response(wire::Response response);
    void complete(const session::Completion& completion, const Blocks& data = {},
                  bool byPolicy = false);
    void failParked(DeviceId device);
    void plantAtLoss();
    void doubt(const Error& reason);
    Transfer& transferOf(Sequence sequence) {
        return transfers_[sequence.value % transfers_.size()];
    }

    Context& context_;
    InitiatorListener& listener_;
    const std::shared_ptr<char> life_ = std::make_shared<char>();
    std::vector<std::unique_ptr<Device>> devices_;
    session::Initiator initiator_;
    std::vector<Transfer> transfers_;
    std::shared_ptr<Cable> cable_;
    std::vector<wire::ExportInfo> exports_;
    bool ending_ = false;
    bool pumpScheduled_ = false;
    unsigned growths_ = 0;
    std::vector<std::byte> messages_;
    std::vector<Sequence> payloads_;
};

}  // namespace belay::sim
