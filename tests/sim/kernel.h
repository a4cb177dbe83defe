#pragma once

#include "core/base/units.h"
#include "core/wire/message.h"
#include "tests/sim/context.h"
#include "tests/sim/model_disk.h"

#include <vector>

namespace belay::sim {

// The ublk server, as the kernel sees it.
class RequestTaker {
 public:
    virtual void requestArrived(DeviceId device, Tag tag) = 0;

 protected:
    ~RequestTaker() = default;
};

// The block layer and whoever uses the device: asks, and checks each answer against the model.
//
// - Requests outlive the server: the next one gets them again, in any order
//   (UBLK_F_USER_RECOVERY_REISSUE).
class Kernel {
 public:
    struct Request {
        bool underWay = false;
        wire::Op op = wire::Op::Read;
        std::uint16_t flags = 0;
        std::uint32_t first = 0;  // block
        std::uint32_t count = 0;  // blocks
        std::uint32_t value = 0;  // write: of all its blocks
        ModelDisk::Tick begun = 0;
    };

    // `number`: of its device.
    Kernel(Context& context, ModelDisk& model, std::uint32_t number);

    // A server is there, or (null) is dead.
    void setServer(RequestTaker* server);

    // Asks for what the settings say, one by one.
    void startWork();
    // All of it is asked for and answered.
    bool idle() const { return toIssue_ == 0 && underWay_ == 0; }
    // One more request; a tag must be free.
    void issue(wire::Op op, std::uint32_t first, std::uint32_t count, std::uint16_t flags);

    const Request& request(Tag tag) const { return tags_[tag.value]; }
    Blocks payloadOf(Tag tag) const;
    // The answer: bytes or a negative errno; what a read read; whether an error came by policy.
    void complete(Tag tag, int result, const Blocks& data, bool byPolicy);

    std::string waiting() const;
    // The last flush was answered well.
    bool lastFlushOk() const { return lastFlushOk_; }
    // Errors that were not of policy's making.
    unsigned errors() const { return errors_; }

 private:
    void issueNext();
    void issueAny();
    void checkRead(const Request& request, const Blocks& data);

    Context& context_;
    const DeviceId device_;
    ModelDisk& model_;
    RequestTaker* server_ = nullptr;
    std::vector<Request> tags_;
    std::uint32_t toIssue_ = 0;
    std::uint32_t underWay_ = 0;
    std::uint32_t lastValue_ = 0;
    bool stalled_ = false;  // wants to ask, but all tags are under way
    bool lastFlushOk_ = false;
    unsigned errors_ = 0;
};

}  // namespace belay::sim
