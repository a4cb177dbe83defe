#pragma once

#include "tests/sim/context.h"
#include "tests/sim/initiator_end.h"
#include "tests/sim/kernel.h"
#include "tests/sim/model_disk.h"
#include "tests/sim/opening.h"
#include "tests/sim/target_end.h"
#include "tests/sim/target_machine.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace belay::sim {

// What became of one history.
struct Outcome {
    std::string violation;  // the rule that was broken first; empty if none was
    std::string history;    // if it was recorded
    std::uint64_t steps = 0;
};

// One history: users of one or more devices, both ends, a cable, and faults; then calm, in which
// all must come to an end, and first all that does not wait for a store that hangs; then a power
// loss at the target, after which all must be there.
class World final : private InitiatorListener {
 public:
    World(std::uint64_t seed, Plant plant, bool recorded);
    ~World();

    Outcome run();

 private:
    enum class Fault : std::uint8_t;
    struct PlannedFault {
        std::uint64_t step;
        Fault fault;
    };

    // One export, from its bytes to its user.
    struct Lane {
        Lane(Context& context, std::uint32_t number);

        const DeviceId id;
        ModelDisk model;
        Kernel kernel;
        TargetMachine machine;
        wire::ExportInfo record;         // the supervisor's, of the export
        std::vector<std::uint64_t> log;  // so is the memory of the write log
        bool logWasLost = false;
        bool dataMayBeMissing = false;
        bool interruptsReplay = false;
        unsigned attentions = 0;
    };

    const Settings& chooseSettings(Plant plant);
    void planFaults();
    void strike(Fault fault);
    void strike(Fault fault, Lane& lane);
    bool step();
    template <class Condition>
    bool runUntil(Condition condition);

    void active();
    void calm();
    void powerLoss();
    bool flushes(Lane& lane);
    bool allIdle() const;
    std::string waiting() const;
    Lane& lane(DeviceId device) { return *lanes_[device.value]; }

    void startInitiator();
    void killInitiator();
    void startTarget();
    void killTarget();
    void rebootTarget();
    void swapDisk(Lane& lane, bool swapped);
    // Undoes a fault after up to `most`.
    void laterWithin(Micros most, Timeline::Action undo);

    void sessionOver() override { opening_.ended(Side::Initiator); }
    void offered(DeviceId device, session::Resume verdict, const wire::ExportInfo& info) override;
    void interruptReplay(Lane& lane);
    void acceptLoss(Lane& lane);

    Context context_;
    const Settings& settings_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    Opening opening_;
    std::unique_ptr<InitiatorEnd> initiator_;
    std::unique_ptr<TargetEnd> target_;
    std::vector<PlannedFault> faults_;
    bool servedBefore_ = false;
    unsigned undoing_ = 0;
    std::uint64_t steps_ = 0;
};

}  // namespace belay::sim
