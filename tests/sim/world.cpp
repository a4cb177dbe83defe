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
    HungStore,
    ShareLeaves,
};

World::Lane::Lane(Context& context, std::uint32_t number)
    : id(number),
      model(context.settings.blocks),
      kernel(context, model, number),
      machine(context, number),
      record(machine.exportInfo()),
      log(context.settings.logBytes == 0
              ? 0
              : (session::WriteLog::kHeaderBytes + context.settings.logBytes) /
                    sizeof(std::uint64_t)) {}

World::World(std::uint64_t seed, Plant plant, bool recorded)
    : context_(seed, recorded), settings_(chooseSettings(plant)), opening_(context_) {
    for (std::uint32_t number = 0; number < settings_.exports; ++number)
        lanes_.push_back(std::make_unique<Lane>(context_, number));
    planFaults();
}

World::~World() = default;

const Settings& World::chooseSettings(Plant plant) {
    Random& random = context_.random;
    Settings& settings = context_.settings;
    settings.blocks = random.between(4, 20);
    settings.depth = random.between(1, 8);
    settings.exports = random.percent(50) ? 1 : random.between(2, 3);
    settings.maxOutstanding = random.between(settings.exports, 8);
    settings.memory = random.between(2 * settings.exports, 16) * kBlockBytes;
    settings.requests = random.between(10, 70);
    settings.maxPause = random.percent(50) ? 300 : 3000;
    settings.hostIsInitiator = random.percent(50);
    settings.canDiscard = random.percent(80);
    settings.payloadCrc = random.percent(20);
    settings.dirtyPipes = random.percent(30);
    // From one request's room on.
    if (random.percent(80))
        settings.logBytes = random.between(1, 10) * (4 * kBlockBytes + 64);
    settings.plant = plant;
    context_.note(
        "{}: {} exports of {} blocks, queue of {}, {} outstanding, {} bytes, {} requests, "
        "write log of {}{}{}{}",
        settings.hostIsInitiator ? "attach" : "lend", settings.exports, settings.blocks,
        settings.depth, settings.maxOutstanding, settings.memory, settings.requests,
        settings.logBytes, settings.canDiscard ? "" : ", no discard",
        settings.payloadCrc ? ", checksums" : "", settings.dirtyPipes ? ", dirty pipes" : "");
    return settings;
}

void World::planFaults() {
    constexpr std::array kFaults = {
        Fault::Cut,        Fault::Cut,       Fault::Cut,           Fault::InitiatorDies,
        Fault::TargetDies, Fault::Reboot,    Fault::Reboot,        Fault::WriteBackFails,
        Fault::SlowStore,  Fault::OtherDisk, Fault::PolicyFails,   Fault::WriteBack,
        Fault::WriteBack,  Fault::LogLost,   Fault::InitiatorDies, Fault::LossAccepted,
        Fault::HungStore,  Fault::HungStore, Fault::ShareLeaves,   Fault::ShareLeaves};
    Random& random = context_.random;
    const std::uint32_t count = random.below(8);
    for (std::uint32_t i = 0; i < count; ++i)
        faults_.push_back({random.below(900), kFaults[random.below(kFaults.size())]});
    std::ranges::sort(faults_, std::ranges::greater(), &PlannedFault::step);
}

Outcome World::run() {
    startTarget();
    startInitiator();
    for (const auto& lane : lanes_)
        lane->kernel.startWork();
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

bool World::allIdle() const {
    return std::ranges::all_of(lanes_, [](const auto& lane) { return lane->kernel.idle(); });
}

std::string World::waiting() const {
    std::string text;
    for (const auto& lane : lanes_)
        text += lane->kernel.waiting();
    return text;
}

void World::calm() {
    context_.note("---- calm");
    for (const auto& lane : lanes_)
        lane->machine.disarmFailure();
    const auto othersIdle = [this] {
        return std::ranges::all_of(
            lanes_, [](const auto& lane) { return lane->machine.isHung() || lane->kernel.idle(); });
    };
    if (!runUntil(othersIdle)) {
        context_.broken("waits for ever:{}", waiting());
        return;
    }
    for (const auto& lane : lanes_)
        if (lane->machine.isHung()) {
            context_.note("---- the store of {} goes on", lane->id.value);
            lane->machine.setHung(false);
        }
    if (!runUntil([this] { return allIdle(); }))
        context_.broken("waits for ever:{}", waiting());
    for (const auto& lane : lanes_)
        if (lane->kernel.errors() > lane->machine.errors() * 2)
            context_.broken("{} errors, but the store met only {}", lane->kernel.errors(),
                            lane->machine.errors());
}

bool World::flushes(Lane& lane) {
    // The first may have to tell what an earlier failure did.
    for (int tries = 0; tries == 0 || (!lane.kernel.lastFlushOk() && tries < 3); ++tries) {
        lane.kernel.issue(wire::Op::Flush, 0, 0, 0);
        if (!runUntil([this] { return allIdle(); })) {
            // It has taken a place in the queue, perhaps the only one.
            context_.broken("waits for ever:{}", waiting());
            return false;
        }
    }
    if (!lane.kernel.lastFlushOk())
        context_.broken("the last flush was not answered well");
    return lane.kernel.lastFlushOk();
}

void World::powerLoss() {
    for (const auto& lane : lanes_)
        if (!flushes(*lane))
            return;
    context_.note("---- power loss");
    std::vector<unsigned> attentions;
    for (const auto& lane : lanes_)
        attentions.push_back(lane->attentions);
    rebootTarget();
    startTarget();
    for (const auto& lane : lanes_)
        for (std::uint32_t block = 0; block < settings_.blocks; ++block) {
            lane->kernel.issue(wire::Op::Read, block, 1, 0);
            if (!runUntil([this] { return allIdle(); })) {
                context_.broken("waits for ever:{}", waiting());
                return;
            }
        }
    for (const auto& lane : lanes_)
        if (lane->attentions != attentions[lane->id.value])
            context_.broken("data is said to be missing although all of it was flushed");
}

void World::strike(Fault fault) {
    Lane& lane = *lanes_[context_.random.below(lanes_.size())];
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
            context_.note("---- the write log of {} is lost", lane.id.value);
            std::ranges::fill(lane.log, 0);
            lane.logWasLost = true;
            laterWithin(kSecond, [this] { startInitiator(); });
            break;
        case Fault::TargetDies:
            killTarget();
            laterWithin(kSecond, [this] { startTarget(); });
            break;
        case Fault::Reboot:
            rebootTarget();
            laterWithin(3 * kSecond, [this] { startTarget(); });
            break;
        default:
            strike(fault, lane);
    }
}

void World::strike(Fault fault, Lane& lane) {
    Random& random = context_.random;
    const std::uint32_t number = lane.id.value;
    switch (fault) {
        case Fault::WriteBackFails:
            context_.note("---- a write-back of {} is going to fail", number);
            lane.machine.armFailure();
            break;
        case Fault::SlowStore:
            context_.note("---- slow store: {}", number);
            lane.machine.setSlow(true);
            laterWithin(5 * kSecond, [&lane] { lane.machine.setSlow(false); });
            break;
        case Fault::OtherDisk:
            swapDisk(lane, true);
            laterWithin(5 * kSecond, [this, &lane] { swapDisk(lane, false); });
            break;
        case Fault::PolicyFails:
            if (initiator_) {
                context_.note("---- requests of {} fail by policy", number);
                initiator_->failDevice(lane.id);
            }
            laterWithin(2 * kSecond, [this, &lane] {
                if (initiator_)
                    initiator_->resumeDevice(lane.id);
            });
            break;
        case Fault::WriteBack:
            for (std::uint32_t i = random.below(20); i > 0; --i)
                lane.machine.writeBack();
            break;
        case Fault::LossAccepted:
            lane.interruptsReplay = true;
            break;
        case Fault::HungStore:
            context_.note("---- the store of {} hangs", number);
            lane.machine.setHung(true);
            // Else until all others have done what they had to do.
            if (random.percent(50))
                laterWithin(5 * kSecond, [&lane] { lane.machine.setHung(false); });
            break;
        case Fault::ShareLeaves:
            if (target_)
                target_->takeBack(number);
            laterWithin(2 * kSecond, [this, number] {
                if (target_)
                    target_->offerAgain(number);
            });
            break;
        default:
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
    std::vector<DeviceRecord> records;
    for (const auto& lane : lanes_) {
        lane->dataMayBeMissing = false;
        records.push_back(
            {lane->kernel, lane->record, std::as_writable_bytes(std::span(lane->log))});
    }
    initiator_ = std::make_unique<InitiatorEnd>(context_, supervisor, records, servedBefore_);
    servedBefore_ = true;
    opening_.setEnd(Side::Initiator, initiator_.get());
    for (const auto& lane : lanes_)
        lane->kernel.setServer(initiator_.get());
}

void World::killInitiator() {
    if (!initiator_)
        return;
    context_.note("---- the initiator dies");
    for (const auto& lane : lanes_)
        lane->kernel.setServer(nullptr);
    opening_.setEnd(Side::Initiator, nullptr);
    initiator_.reset();
}

void World::startTarget() {
    if (target_)
        return;
    context_.note("---- the target starts");
    std::vector<TargetMachine*> machines;
    for (const auto& lane : lanes_)
        machines.push_back(&lane->machine);
    target_ = std::make_unique<TargetEnd>(
        context_, machines,
        TargetEnd::Hooks{[this] { opening_.ended(Side::Target); }, [this] { opening_.changed(); }});
    opening_.setEnd(Side::Target, target_.get());
}

void World::killTarget() {
    if (!target_)
        return;
    context_.note("---- the target dies");
    opening_.setEnd(Side::Target, nullptr);
    target_.reset();
}

void World::rebootTarget() {
    killTarget();
    context_.note("---- the target reboots");
    for (const auto& lane : lanes_)
        lane->machine.reboot();
}

void World::swapDisk(Lane& lane, bool swapped) {
    rebootTarget();
    context_.note("---- {} disk: {}", swapped ? "another" : "the right", lane.id.value);
    lane.machine.swapDisk(swapped);
    startTarget();
}

void World::offered(DeviceId device, session::Resume verdict, const wire::ExportInfo& info) {
    Lane& own = lane(device);
    own.dataMayBeMissing = verdict == session::Resume::DataMayBeMissing;
    if (verdict == session::Resume::Same) {
        own.record = info;
        interruptReplay(own);
    }
    if (!own.dataMayBeMissing)
        return;
    if (settings_.logBytes > 0 && !own.logWasLost && own.machine.errors() == 0)
        context_.broken("data is said to be missing although the write log has it");
    ++own.attentions;
    context_.time.after(kUserThinks, [this, &own, attention = own.attentions] {
        if (own.dataMayBeMissing && attention == own.attentions && initiator_)
            acceptLoss(own);
    });
}

// A user who does not want to wait until the write log is sent again.
void World::interruptReplay(Lane& lane) {
    if (!lane.interruptsReplay || !initiator_->isReplaying(lane.id))
        return;
    lane.interruptsReplay = false;
    context_.time.after(context_.random.below(kUserInterrupts), [this, &lane] {
        if (initiator_ && initiator_->isReplaying(lane.id))
            acceptLoss(lane);
    });
}

void World::acceptLoss(Lane& lane) {
    context_.note("the user accepts the loss of {}", lane.id.value);
    lane.model.lossTold();
    initiator_->acceptLoss(lane.id);
}

}  // namespace belay::sim
