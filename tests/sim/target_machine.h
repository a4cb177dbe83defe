#pragma once

#include "core/wire/message.h"
#include "tests/sim/context.h"

#include <functional>
#include <memory>
#include <vector>

namespace belay::sim {

// What one export's bytes lie on: a disk, a page cache before it, and store::Store's promises
// about what may have been lost.
//
// - I/O that has begun goes on when the process that asked for it dies, and lands when it likes.
// - A reboot loses whatever no successful flush or FUA write covers, but for what the page cache
//   happened to write back.
class TargetMachine {
 public:
    struct Io {
        wire::Op op = wire::Op::Read;
        bool fua = false;  // a write's: store::Store knows it of no other change
        std::uint32_t first = 0;
        std::uint32_t count = 0;
        Blocks payload;  // write: what to write
    };
    // `error`: 0 or an errno. `data`: what a read read.
    using Done = std::function<void(int error, Blocks data)>;

    // `number`: of its export.
    TargetMachine(Context& context, std::uint32_t number);

    // What an export of the disk that is in the machine now looks like.
    wire::ExportInfo exportInfo() const;
    Verifier verifier() const;

    // Starts an operation; `done` is called unless the process is dead by then.
    void start(Io io, const std::shared_ptr<char>& process, Done done);
    bool idle() const { return underWay_ == 0; }

    // The store's process is dead.
    void processDied();
    void reboot();
    // Some block that waits in the page cache goes to the disk.
    void writeBack();

    // The next sync fails, and takes some of the page cache with it.
    void armFailure() { failNext_ = true; }
    void disarmFailure() { failNext_ = false; }
    void setSlow(bool slow) { slow_ = slow; }
    // Nothing that has begun is done until it is over.
    void setHung(bool hung);
    bool isHung() const { return hung_; }
    // Another disk takes the place, or ours comes back.
    void swapDisk(bool swapped) { swapped_ = swapped; }
    // How many errors the store has met.
    unsigned errors() const { return errors_; }

 private:
    struct Block {
        std::uint32_t cached = 0;
        std::uint32_t onDisk = 0;
        bool dirty = false;
    };
    struct Running;

    Micros duration();
    void apply(const Io& io, std::uint32_t count);
    void finished(const std::shared_ptr<Running>& running);
    int sync(const Running& running);
    void loseCache(std::uint32_t chance);

    Context& context_;
    const std::uint32_t number_;
    std::vector<Block> blocks_;
    std::shared_ptr<char> boot_ = std::make_shared<char>();
    std::uint64_t losses_ = 1;
    unsigned underWay_ = 0;
    unsigned syncs_ = 0;
    unsigned errors_ = 0;
    bool failNext_ = false;
    bool owedError_ = false;
    bool slow_ = false;
    bool hung_ = false;
    std::vector<std::shared_ptr<Running>> stuck_;
    bool swapped_ = false;
};

}  // namespace belay::sim
