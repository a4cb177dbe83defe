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
    virtual void offered(session::Resume verdict, const wire::ExportInfo& info) = 0;

 protected:
    ~InitiatorListener() = default;
};

// One process at the initiator: what engine::InitiatorEngine and its session do, around the same
// session::Initiator.
class InitiatorEnd final : public SessionEnd, public RequestTaker, private CableListener {
 public:
    // `known`: the export as the supervisor recorded it; `recovers`: an earlier process served it;
    // `log`: the memory of the write log, which outlives this process, or none.
    InitiatorEnd(Context& context, Kernel& kernel, InitiatorListener& listener,
                 const wire::ExportInfo& known, bool recovers, ByteSpan log);
    ~InitiatorEnd();

    bool busy() const override { return cable_ != nullptr; }
    Epoch epoch() const override { return initiator_.epoch(); }
    void endSession() override;
    void begin(Epoch epoch, std::shared_ptr<Cable> cable, const wire::ExportInfo& offered) override;
    void requestArrived(Tag tag) override;

    void failDevice();
    void resumeDevice() { failing_ = false; }
    // The user accepts that data may be missing.
    void acceptLoss();
    bool isReplaying() const;

 private:
    struct Transfer {
        bool sending = false;
        std::optional<wire::Response> held;
    };

    void messagesReceived(ConstByteSpan transfer) override;
    void payloadSent(std::uint64_t cookie) override;
    void payloadReceived(std::uint64_t cookie, const Blocks& payload) override;
    void linkDown() override;

    void offer();
    void tellSame();
    Blocks payloadOf(const session::Entry& entry) const;
    void schedulePump();
    void pump();
    void send(const session::Entry& entry);
    void response(wire::Response response);
    void complete(const session::Completion& completion, const Blocks& data = {},
                  bool byPolicy = false);
    void failParked();
    void plantAtLoss();
    void doubt(const Error& reason);
    Transfer& transferOf(Sequence sequence) {
        return transfers_[sequence.value % transfers_.size()];
    }

    Context& context_;
    Kernel& kernel_;
    InitiatorListener& listener_;
    const std::shared_ptr<char> life_ = std::make_shared<char>();
    std::optional<session::WriteLog> log_;
    session::Initiator initiator_;
    std::vector<Transfer> transfers_;
    std::shared_ptr<Cable> cable_;
    wire::ExportInfo offered_;
    bool ending_ = false;
    bool failing_ = false;
    bool pumpScheduled_ = false;
    std::vector<std::byte> messages_;
    std::vector<Sequence> payloads_;
};

}  // namespace belay::sim
