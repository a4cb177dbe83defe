#include "tests/sim/target_machine.h"

#include <cerrno>
#include <utility>

namespace belay::sim {
namespace {

constexpr std::uint32_t kUsualIo = 600;
constexpr std::uint32_t kSlowIo = 4'000'000;

}  // namespace

struct TargetMachine::Running {
    Io io;
    std::weak_ptr<char> process;
    Done done;
    Blocks data;                      // read: seen at the beginning
    std::vector<std::uint32_t> owed;  // flush: what was dirty at the beginning
    int error = 0;
    bool syncs = false;
    std::uint64_t losses = 0;  // when it was begun
};

TargetMachine::TargetMachine(Context& context, std::uint32_t number)
    : context_(context), number_(number), blocks_(context.settings.blocks) {}

wire::ExportInfo TargetMachine::exportInfo() const {
    wire::ExportInfo info;
    info.id = ExportId(number_ + 1);
    info.blockSize = kBlockBytes;
    info.sizeBytes = std::uint64_t{blocks_.size()} * kBlockBytes;
    info.canDiscard = context_.settings.canDiscard;
    info.canWriteZeroes = true;
    info.uuid.bytes[0] = static_cast<std::uint8_t>(number_ + 1);
    info.generation = swapped_ ? 2 : 1;
    info.verifier = verifier();
    return info;
}

Verifier TargetMachine::verifier() const {
    return Verifier(losses_);
}

Micros TargetMachine::duration() {
    return 20 + context_.random.below(slow_ && context_.random.percent(30) ? kSlowIo : kUsualIo);
}

void TargetMachine::start(Io io, const std::shared_ptr<char>& process, Done done) {
    if (swapped_)
        context_.broken("a request was sent to another disk");
    ++underWay_;
    auto running = std::make_shared<Running>();
    running->io = std::move(io);
    running->process = process;
    running->done = std::move(done);
    running->losses = losses_;
    const Io& own = running->io;
    running->syncs = own.op == wire::Op::Flush || (own.op == wire::Op::Write && own.fua);
    syncs_ += running->syncs;
    if (own.op == wire::Op::Read && context_.random.percent(50))
        for (std::uint32_t i = 0; i < own.count; ++i)
            running->data.push_back(blocks_[own.first + i].cached);
    if (wire::changesData(own.op) && context_.random.percent(30))
        apply(own, context_.random.below(own.count + 1));
    if (own.op == wire::Op::Flush)
        for (std::uint32_t i = 0; i < blocks_.size(); ++i)
            if (blocks_[i].dirty)
                running->owed.push_back(i);
    context_.time.after(duration(), boot_, [this, running] { finished(running); });
}

void TargetMachine::apply(const Io& io, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
        Block& block = blocks_[io.first + i];
        block.cached = io.op == wire::Op::Write ? io.payload[i] : 0;
        block.dirty = true;
    }
}

void TargetMachine::setHung(bool hung) {
    hung_ = hung;
    if (hung)
        return;
    for (const auto& running : std::exchange(stuck_, {}))
        context_.time.after(duration(), boot_, [this, running] { finished(running); });
}

void TargetMachine::finished(const std::shared_ptr<Running>& running) {
    if (hung_) {
        stuck_.push_back(running);
        return;
    }
    Running& own = *running;
    const Io& io = own.io;
    if (io.op == wire::Op::Discard && !context_.settings.canDiscard)
        own.error = EOPNOTSUPP;
    else if (wire::changesData(io.op))
        apply(io, io.count);
    if (io.op == wire::Op::Read && own.data.empty())
        for (std::uint32_t i = 0; i < io.count; ++i)
            own.data.push_back(blocks_[io.first + i].cached);
    if (own.syncs && own.error == 0)
        own.error = sync(own);
    // The answer may take a while longer than the deed.
    context_.time.after(context_.random.percent(20) ? duration() : 0, boot_, [this, running] {
        --underWay_;
        if (!running->process.expired()) {
            syncs_ -= running->syncs;
            // The store does again what a failed write-back may have undone meanwhile.
            if (wire::changesData(running->io.op) && running->error == 0 && !running->syncs &&
                running->losses != losses_)
                apply(running->io, running->io.count);
            running->done(running->error, std::move(running->data));
        }
    });
}

int TargetMachine::sync(const Running& running) {
    if (std::exchange(failNext_, false)) {
        ++errors_;
        context_.note("write-back fails");
        loseCache(70);
        if (!context_.planted(Plant::VerifierKept))
            ++losses_;
        owedError_ = running.io.op != wire::Op::Flush;
        return EIO;
    }
    const auto store = [this](std::uint32_t index) {
        blocks_[index].onDisk = blocks_[index].cached;
        blocks_[index].dirty = false;
    };
    if (running.io.op == wire::Op::Flush) {
        for (const std::uint32_t index : running.owed)
            store(index);
        return std::exchange(owedError_, false) ? EIO : 0;
    }
    for (std::uint32_t i = 0; i < running.io.count; ++i)
        store(running.io.first + i);
    return 0;
}

void TargetMachine::loseCache(std::uint32_t chance) {
    for (Block& block : blocks_) {
        if (!block.dirty || !context_.random.percent(chance))
            continue;
        block.cached = block.onDisk;
        block.dirty = false;
    }
}

void TargetMachine::processDied() {
    // Had a sync failed that it waited for, nobody would know: store::WritebackState.
    if (std::exchange(syncs_, 0) > 0)
        ++losses_;
    owedError_ = false;
}

void TargetMachine::reboot() {
    boot_ = std::make_shared<char>();
    hung_ = false;
    stuck_.clear();
    underWay_ = 0;
    syncs_ = 0;
    owedError_ = false;
    loseCache(100);
    losses_ += 1000;
}

void TargetMachine::writeBack() {
    Block& block = blocks_[context_.random.below(blocks_.size())];
    if (block.dirty) {
        block.onDisk = block.cached;
        block.dirty = false;
    }
}

}  // namespace belay::sim
