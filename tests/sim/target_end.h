#pragma once

#include "core/session/target.h"
#include "tests/sim/cable.h"
#include "tests/sim/opening.h"
#include "tests/sim/target_machine.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace belay::sim {

// One process at the target: what engine::TargetEngine and its session do, around the same
// session::Target.
class TargetEnd final : public SessionEnd, private CableListener {
 public:
    struct Hooks {
        std::function<void()> ended;    // a session is over
        std::function<void()> changed;  // what it offers
    };

    // `machines`: of each export.
    TargetEnd(Context& context, const std::vector<TargetMachine*>& machines, Hooks hooks);
    ~TargetEnd();

    bool busy() const override;
    Epoch epoch() const override { return target_.epoch(); }
    void endSession() override;
    void begin(Epoch epoch, std::shared_ptr<Cable> cable,
               const std::vector<wire::ExportInfo>& offered) override;
    std::vector<wire::ExportInfo> list() const override;

    // Offers this export no more, and then, when its last request is done, once more.
    void takeBack(std::size_t number);
    void offerAgain(std::size_t number);

 private:
    struct Store {
        TargetMachine& machine;
        bool open = false;
        bool offered = true;
        std::size_t jobs = 0;     // on it
        std::size_t orphans = 0;  // of these, of earlier sessions
    };

    enum class JobState : std::uint8_t { Free, Receiving, OnStore, Sending };
    struct Job {
        JobState state = JobState::Free;
        bool orphan = false;
        bool answered = false;
        int refusal = 0;
        wire::Request request;
        Blocks payload;
        // Done, and being made durable by a flush; the verifier it was done under.
        std::optional<Verifier> flushingUnder;
    };

    void messagesReceived(ConstByteSpan transfer) override;
    void payloadSent(std::uint64_t cookie) override;
    void payloadReceived(std::uint64_t cookie, const Blocks& payload) override;
    void linkDown() override;

    Store& storeOf(const wire::Request& request) { return stores_[request.exportId.value - 1]; }
    bool isReady(const Store& store) const;
    std::uint32_t part() const;
    void openStores();
    void orphanDone(Store& store);
    Result<void> accept(ConstByteSpan message);
    std::size_t newJob();
    void run(std::size_t index);
    void startOnStore(std::size_t index, TargetMachine::Io io);
    void done(std::size_t index, int error, Blocks data);
    bool makeDurable(std::size_t index);
    void answer(std::size_t index, int error);
    void flushAnswers();

    Context& context_;
    Hooks hooks_;
    const std::shared_ptr<char> life_ = std::make_shared<char>();
    session::Target target_;
    std::shared_ptr<Cable> cable_;
    bool ending_ = false;
    std::vector<Store> stores_;
    std::vector<Job> jobs_;
    std::vector<std::byte> answers_;
    std::vector<std::size_t> payloads_;
    bool flushScheduled_ = false;
};

}  // namespace belay::sim
