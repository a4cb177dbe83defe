#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/wire/message.h"
#include "helper/supervisor/arguments.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/content_records.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// A file or block device to be offered, as the command line names it.
struct StoreArg {
    std::string path;
    std::string label;  // empty: the file's name
    bool readOnly = false;
    std::uint32_t blockSize = 0;  // 0: as store::BlockSizeReason has it
};

// Takes an option about the last of `stores`: --label, --read-only or --block-size. False if the
// next word is none, or there is no store yet; `error` gets what is wrong with its value.
bool takeStoreOption(Arguments& arguments, std::vector<StoreArg>& stores, std::string& error);

// The stores of a supervisor, opened anew for each of the target's workers.
//
// - Before the first worker is ready, one that cannot be opened is an error. After that the others
//   are offered; it is tried again every two seconds, and so is a block device whose medium has
//   gone.
// - A store is opened by its name, or if that is gone, as what was open under it. What has taken
//   its place is a store of its own, and known as such. A medium that comes back as another block
//   device is found by what names it.
class StoreSet {
 public:
    using TellWorker = std::function<void(const Json& message, const std::vector<int>& fds)>;

    // `recordDir`: see ContentRecords.
    StoreSet(Ring& ring, std::vector<StoreArg> stores, std::string recordDir,
             TellWorker tellWorker);
    ~StoreSet();
    StoreSet(const StoreSet&) = delete;
    StoreSet& operator=(const StoreSet&) = delete;

    bool empty() const { return stores_.empty(); }
    std::vector<std::string> paths() const;
    // The "stores" part of a worker's configuration, after openForWorker(); ids count from 1.
    Json config() const;
    // Whether the worker may go on without a store that it cannot open.
    bool mayLack() const { return wasReady_; }
    // Two descriptors for each store in config(), for one worker: an open file description of the
    // worker's own, so that the lock on it ends with that worker's last I/O; and the witness (see
    // store::StoreOptions::witness).
    Result<std::vector<Fd>> openForWorker();
    // A worker is ready, and says what stores it has opened (WorkerStores::list()) and which it
    // waits for (pending()). The block size of each is kept: for its successors, whatever is
    // written to the store meanwhile, and in the records.
    void workerReady(const Json& stores, const Json& pending);
    void workerDied();
    // False if the message is not about stores.
    bool handle(const Json& message);
    // What is offered, as far as a worker has opened it once: {label, path, size, blockSize,
    // blockSizeReason, readOnly, trouble}; `trouble`: why it is not offered now, or empty.
    Json status() const;
    // The last worker has ended or was just killed. `done` is called once that is in the records.
    void endUse(const std::function<void()>& done);

 private:
    // The file, from its first opening on.
    struct Known {
        std::string path;  // where it is: as named, unless its medium has come back elsewhere
        Fd witness;
        bool witnessProves = false;  // it is older than the last worker that had the store
        store::CleanRecord record;
        std::uint32_t blockSize = 0;  // 0 before it was open for the first time
        Json status;
        bool isBlockDevice = false;
        // The present worker has it, or is about to open it or to let go of it.
        bool handedOver = false;
        std::string trouble;
    };
    struct Opened {
        Fd own;
        Fd witness;
    };

    Result<Known> firstOpening(const StoreArg& store, const std::string& path);
    std::optional<std::string> findMedium(const Known& known);
    Result<Opened> open(std::size_t index);
    Json configOf(std::size_t index) const;
    // `message`: that of it, or what "ready" says of it.
    void opened(std::size_t index, const Json& message);
    void lacks(std::size_t index, const std::string& why);
    // Why it is not offered, once.
    void say(std::size_t index, const std::string& why);
    void look();
    void lookSoon();

    Ring& ring_;
    std::vector<StoreArg> stores_;
    std::vector<Known> known_;
    ContentRecords records_;
    TellWorker tellWorker_;
    bool wasReady_ = false;  // a worker, once
    Duration pause_{};       // before the next look
    std::optional<Ring::TimerId> look_;
};

}  // namespace belay::helper
