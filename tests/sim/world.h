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

// One history: a user of the device, both ends, a cable, and faults; then calm, in which all must
// come to an end; then a power loss at the target, after which all must be there.
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

    const Settings& chooseSettings(Plant plant);
    void planFaults();
    void strike(Fault fault);
    bool step();
    template <class Condition>
    bool runUntil(Condition condition);

    void active();
    void calm();
    void powerLoss();

    void startInitiator();
    void killInitiator();
    void startTarget();
    void killTarget();
    void swapDisk(bool swapped);
    // Undoes a fault after up to `most`.
    void laterWithin(Micros most, Timeline::Action undo);

    void sessionOver() override { opening_.ended(Side::Initiator); }
    void offered(session::Resume verdict, const wire::ExportInfo& info) override;
    void interruptReplay();
    void acceptLoss();

    Context context_;
    const Settings& settings_;
    ModelDisk model_;
    Kernel kernel_;
    TargetMachine machine_;
    Opening opening_;
    std::unique_ptr<InitiatorEnd> initiator_;
    std::unique_ptr<TargetEnd> target_;
    std::vector<PlannedFault> faults_;
    wire::ExportInfo record_;         // the supervisor's, of the export
    std::vector<std::uint64_t> log_;  // so is the memory of the write log
    bool logWasLost_ = false;
    bool servedBefore_ = false;
    bool dataMayBeMissing_ = false;
    bool interruptsReplay_ = false;
    unsigned attentions_ = 0;
    unsigned undoing_ = 0;
    std::uint64_t steps_ = 0;
};

}  // namespace belay::sim
