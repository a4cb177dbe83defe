#pragma once

#include "tests/vm/chaos/model.h"
#include "tests/vm/scenario/rig.h"
#include "tests/vm/scenario/target_machine.h"

#include <QStringList>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace chaos {

// The random numbers of a history: the same seed makes the same choices.
class Dice {
 public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}
    std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>(random_() % limit);
    }
    std::uint64_t seed() { return random_() >> 1; }

 private:
    std::mt19937_64 random_;
};

// One gadget, its host and the disks between them, each in use by a verifier, and all that can be
// done to them.
//
// - An action puts an obstacle in the way of the disks or takes one away, or asks for something as
//   a user would; it is false if it cannot be done just now.
// - Every step throws scenario::Failure if what it sees may not be.
class Plant {
 public:
    Plant(scenario::Rig& rig, Dice& dice);
    ~Plant();

    // Makes the disks, starts both ends and the verifiers.
    void start(const QStringList& labels);
    // Takes away whatever is in the way and waits until every disk is live, in use and has been
    // flushed.
    void settle();
    // Ends the verifiers and compares every disk with its model and with its store.
    void finish();
    // Fails if a verifier has seen what may not be.
    void look();

    bool pullOrPlug();
    bool killWorker();
    bool killSupervisor();
    bool stopProcess();
    bool continueProcesses();
    bool freezeOrThaw();
    bool fillOrFree();
    bool renameStore();
    bool losePower();
    bool setPolicy();
    bool stopInUse();
    bool forceStop();
    bool squeezeMemory();

    // Requests that have succeeded, and that have failed, on all disks.
    std::pair<std::uint64_t, std::uint64_t> requests() const;

 private:
    static pid_t workerOf(const scenario::Daemon& daemon);
    struct Slot {
        scenario::Disk* disk;
        QString file;  // of the model
        Model model;
        std::unique_ptr<scenario::Program> verifier;
        bool isStopped = false;
        bool hasPolicy = false;
    };

    scenario::Daemon& anyDaemon();
    Slot& anySlot();
    // It runs and nobody keeps it from answering.
    bool answers(const scenario::Daemon& daemon) const;
    void restartSupervisors();
    void startVerifier(Slot& slot);
    void endVerifier(Slot& slot);
    void attachAgain(Slot& slot);
    void awaitLive(Slot& slot);
    void awaitFlush(Slot& slot);
    void help(Slot& slot, const nlohmann::json& device);
    void must(const QStringList& command);
    QString renamed(const Slot& slot) const { return slot.disk->store() + ".renamed"; }
    QString filler() const { return rig_.storeFolder() + "/filler"; }

    scenario::Rig& rig_;
    scenario::TargetMachine machine_;
    Dice& dice_;
    std::vector<Slot> slots_;
    std::vector<std::unique_ptr<scenario::Program>> squeezers_;
    std::set<pid_t> stopped_;                   // processes that SIGSTOP holds
    std::set<const scenario::Daemon*> silent_;  // whose supervisor is among them
    std::set<scenario::Daemon*> down_;          // whose supervisor was killed
    bool isOff_ = false;                        // the target's machine
    bool isFrozen_ = false;
    bool isFull_ = false;
    // Since the disks were last flushed: with both, what was written may be lost for good.
    bool targetLostPower_ = false;
    bool initiatorLostLog_ = false;
};

}  // namespace chaos
