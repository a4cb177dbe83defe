#include "tests/sim/world.h"

#include <algorithm>
#include <array>
#include <utility>

namespace belay::sim {
namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kUserThinks = kSecond / 2;
// Within which the user presses the button: sending a write log again takes about as long.
constexpr Micros kUserInterrupts = 3000;
// Within which everything must come to an end once nothing goes wrong any more.
constexpr Micros kCalm = 300 * kSecond;
// More than any sound history takes.
constexpr std::uint64_t kMostSteps = 100'000;

}  // namespace

enum class World::Fault : std::uint8_t {
    Cut,
    InitiatorDies,
    LogLost,
    TargetDies,
    Reboot,
    WriteBackFails,
    SlowStore,
    OtherDisk,
    PolicyFails,
    WriteBack,
    LossAccepted,
};

World::World(std::uint64_t seed, Plant plant, bool recorded)
    : context_(seed, recorded),
      settings_(chooseSettings(plant)),
      model_(settings_.blocks),
      kernel_(context_, model_),
      machine_(context_),
      opening_(context_, [this] { return machine_.exportInfo(); }),
      record_(machine_.exportInfo()),
      log_(settings_.logBytes == 0
               ? 0
               : (session::WriteLog::kHeaderBytes + settings_.logBytes) / sizeof(std::uint64_t)) {
    planFaults();
}

World::~World() = default;

const Settings& World::chooseSettings(Plant plant) {
    Random& random = context_.random;
    Settings& settings = context_.settings;
    settings.blocks = random.between(4, 20);
    settings.depth = random.between(1, 8);
    settings.maxOutstanding = random.between(1, 8);
    settings.requests = random.between(10, 70);
    settings.maxPause = random.percent(50) ? 300 : 3000;
    settings.hostIsInitiator = random.percent(50);
    settings.canDiscard = random.percent(80);
    settings.payloadCrc = random.percent(20);
    settings.dirtyPipes = random.percent(30);
    // From one request's room on.
    if (random.percent(80))
        settings.logBytes = random.between(1, 10) * 2112;
    settings.plant = plant;
    context_.note("{}: {} blocks, queue of {}, {} outstanding, {} requests, write log of {}{}{}{}",
                  settings.hostIsInitiator ? "attach" : "lend", settings.blocks, settings.depth,
                  settings.maxOutstanding, settings.requests, settings.logBytes,
                  settings.canDiscard ? "" : ", no discard",
                  settings.payloadCrc ? ", checksums" : "",
                  settings.dirtyPipes ? ", dirty pipes" : "");
    return settings;
}

void World::planFaults() {
    constexpr std::array kFaults = {
        Fault::Cut,        Fault::Cut,       Fault::Cut,           Fault::InitiatorDies,
        Fault::TargetDies, Fault::Reboot,    Fault::Reboot,        Fault::WriteBackFails,
        Fault::SlowStore,  Fault::OtherDisk, Fault::PolicyFails,   Fault::WriteBack,
        Fault::WriteBack,  Fault::LogLost,   Fault::InitiatorDies, Fault::LossAccepted};
    Random& random = context_.random;
    const std::uint32_t count = random.below(8);
    for (std::uint32_t i = 0; i < count; ++i)
        faults_.push_back({random.below(900), kFaults[random.below(kFaults.size())]});
    std::ranges::sort(faults_, std::ranges::greater(), &PlannedFault::step);
}

Outcome World::run() {
    startTarget();
    startInitiator();
    kernel_.startWork();
    active();
    if (context_.violation.empty())
        calm();
    if (context_.violation.empty())
        powerLoss();
    return {context_.violation, std::move(context_.history), steps_};
}

bool World::step() {
    ++steps_;
    return context_.time.step();
}

template <class Condition>
bool World::runUntil(Condition condition) {
    const Micros deadline = context_.time.now() + kCalm;
    while (!condition() && context_.violation.empty())
        if (!step() || context_.time.now() > deadline || steps_ > kMostSteps)
            return condition();
    return context_.violation.empty();
}

void World::active() {
    while (!faults_.empty() && context_.violation.empty()) {
        if (steps_ < faults_.back().step && step())
            continue;
        strike(faults_.back().fault);
        faults_.pop_back();
    }
    runUntil([this] { return undoing_ == 0; });
}

void World::calm() {
    context_.note("---- calm");
    machine_.disarmFailure();
    if (!runUntil([this] { return kernel_.idle(); }))
        context_.broken("waits for ever:{}", kernel_.waiting());
    if (kernel_.errors() > machine_.errors() * 2)
        context_.broken("{} errors, but the store met only {}", kernel_.errors(),
                        machine_.errors());
}

void World::powerLoss() {
    const auto answered = [this] { return kernel_.idle(); };
    // The first may have to tell what an earlier failure did.
    for (int tries = 0; tries == 0 || (kernel_.idle() && !kernel_.lastFlushOk() && tries < 3);
         ++tries) {
        kernel_.issue(wire::Op::Flush, 0, 0, 0);
        if (!runUntil(answered)) {
            // It has taken a place in the queue, perhaps the only one.
            context_.broken("waits for ever:{}", kernel_.waiting());
            return;
        }
    }
    if (!kernel_.lastFlushOk())
        context_.broken("the last flush was not answered well");
    context_.note("---- power loss");
    const unsigned attentions = attentions_;
    killTarget();
    machine_.reboot();
    startTarget();
    for (std::uint32_t block = 0; block < settings_.blocks; ++block) {
        kernel_.issue(wire::Op::Read, block, 1, 0);
        if (!runUntil(answered)) {
            context_.broken("waits for ever:{}", kernel_.waiting());
            return;
        }
    }
    if (attentions_ != attentions)
        context_.broken("data is said to be missing although all of it was flushed");
}

void World::strike(Fault fault) {
    Random& random = context_.random;
    switch (fault) {
        case Fault::Cut:
            context_.note("---- cut");
            opening_.plug(false);
            laterWithin(6 * kSecond, [this] { opening_.plug(true); });
            break;
        case Fault::InitiatorDies:
            killInitiator();
            laterWithin(kSecond, [this] { startInitiator(); });
            break;
        case Fault::LogLost:
            killInitiator();
            context_.note("---- the write log is lost");
            std::ranges::fill(log_, 0);
            logWasLost_ = true;
            laterWithin(kSecond, [this] { startInitiator(); });
            break;
        case Fault::TargetDies:
            killTarget();
            laterWithin(kSecond, [this] { startTarget(); });
            break;
        case Fault::Reboot:
            killTarget();
            context_.note("---- the target reboots");
            machine_.reboot();
            laterWithin(3 * kSecond, [this] { startTarget(); });
            break;
        case Fault::WriteBackFails:
            context_.note("---- a write-back is going to fail");
            machine_.armFailure();
            break;
        case Fault::SlowStore:
            context_.note("---- slow store");
            machine_.setSlow(true);
            laterWithin(5 * kSecond, [this] { machine_.setSlow(false); });
            break;
        case Fault::OtherDisk:
            swapDisk(true);
            laterWithin(5 * kSecond, [this] { swapDisk(false); });
            break;
        case Fault::PolicyFails:
            if (initiator_) {
                context_.note("---- requests fail by policy");
                initiator_->failDevice();
            }
            laterWithin(2 * kSecond, [this] {
                if (initiator_)
                    initiator_->resumeDevice();
            });
            break;
        case Fault::WriteBack:
            for (std::uint32_t i = random.below(20); i > 0; --i)
                machine_.writeBack();
            break;
        case Fault::LossAccepted:
            interruptsReplay_ = true;
            break;
    }
}

void World::laterWithin(Micros most, Timeline::Action undo) {
    ++undoing_;
    const Micros delay = context_.random.percent(30) ? 0 : context_.random.below(most);
    context_.time.after(delay, [this, undo = std::move(undo)] {
        --undoing_;
        undo();
    });
}

void World::startInitiator() {
    if (initiator_)
        return;
    context_.note("---- the initiator starts");
    InitiatorListener& supervisor = *this;
    initiator_ =
        std::make_unique<InitiatorEnd>(context_, kernel_, supervisor, record_, servedBefore_,
                                       std::as_writable_bytes(std::span(log_)));
    servedBefore_ = true;
    dataMayBeMissing_ = false;
    opening_.setEnd(Side::Initiator, initiator_.get());
    kernel_.setServer(initiator_.get());
}

void World::killInitiator() {
    if (!initiator_)
        return;
    context_.note("---- the initiator dies");
    kernel_.setServer(nullptr);
    opening_.setEnd(Side::Initiator, nullptr);
    initiator_.reset();
}

void World::startTarget() {
    if (target_)
        return;
    context_.note("---- the target starts");
    target_ =
        std::make_unique<TargetEnd>(context_, machine_, [this] { opening_.ended(Side::Target); });
    opening_.setEnd(Side::Target, target_.get());
}

void World::killTarget() {
    if (!target_)
        return;
    context_.note("---- the target dies");
    opening_.setEnd(Side::Target, nullptr);
    target_.reset();
}

void World::swapDisk(bool swapped) {
    killTarget();
    context_.note("---- {} disk", swapped ? "another" : "the right");
    machine_.reboot();
    machine_.swapDisk(swapped);
    startTarget();
}

void World::offered(session::Resume verdict, const wire::ExportInfo& info) {
    dataMayBeMissing_ = verdict == session::Resume::DataMayBeMissing;
    if (verdict == session::Resume::Same) {
        record_ = info;
        interruptReplay();
    }
    if (!dataMayBeMissing_)
        return;
    if (settings_.logBytes > 0 && !logWasLost_ && machine_.errors() == 0)
        context_.broken("data is said to be missing although the write log has it");
    ++attentions_;
    context_.time.after(kUserThinks, [this, attention = attentions_] {
        if (!dataMayBeMissing_ || attention != attentions_ || !initiator_)
            return;
        acceptLoss();
    });
}

// A user who does not want to wait until the write log is sent again.
void World::interruptReplay() {
    if (!interruptsReplay_ || !initiator_->isReplaying())
        return;
    interruptsReplay_ = false;
    context_.time.after(context_.random.below(kUserInterrupts), [this] {
        if (initiator_ && initiator_->isReplaying())
            acceptLoss();
    });
}

void World::acceptLoss() {
    context_.note("the user accepts the loss");
    model_.lossTold();
    initiator_->acceptLoss();
}

}  // namespace belay::sim
