#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "helper/supervisor/arguments.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/content_records.h"

#include <functional>
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

// The stores of a supervisor, opened anew for each of its workers.
class StoreSet {
 public:
    // `recordDir`: see ContentRecords.
    StoreSet(Ring& ring, std::vector<StoreArg> stores, std::string recordDir)
        : stores_(std::move(stores)), records_(ring, std::move(recordDir)) {}

    bool empty() const { return stores_.empty(); }
    // The "stores" part of a worker's configuration, after openForWorker(); ids count from 1.
    Json config() const;
    // Two descriptors per store for one worker: an open file description of the worker's own, so
    // that the lock on it ends with that worker's last I/O; and the witness, which is older than
    // every worker (see store::StoreOptions::witness). What has taken the place of a store
    // meanwhile is a store of its own, and known as such.
    Result<std::vector<Fd>> openForWorker();
    // What a worker says of the stores that it has opened (WorkerStores::list()). The block size of
    // each is kept: for its successors, whatever is written to the store meanwhile, and in the
    // records.
    void opened(const Json& stores);
    // What is offered, as far as a worker has opened it: {label, path, size, blockSize,
    // blockSizeReason, readOnly}.
    Json status() const;
    // The last worker has ended or was just killed. `done` is called once that is in the records.
    void endUse(const std::function<void()>& done);

 private:
    // The file, from its first opening on.
    struct Known {
        Fd witness;
        store::CleanRecord record;
        std::uint32_t blockSize = 0;  // 0 before it was open for the first time
        Json status;
    };
    Result<Known> firstOpening(const StoreArg& store);

    std::vector<StoreArg> stores_;
    std::vector<Known> known_;
    ContentRecords records_;
};

}  // namespace belay::helper
