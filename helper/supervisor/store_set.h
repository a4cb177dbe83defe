#pragma once

#include "core/base/ring.h"
#include "core/wire/message.h"
#include "helper/supervisor/offered_file.h"
#include "helper/supervisor/store_args.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// The stores of a supervisor, opened anew for each of the target's workers.
//
// - At the start of a program, one that cannot be opened, by it or by its first worker, is an
// error.
//   After that the others are offered; it is tried again every two seconds, and so is a block
//   device whose medium has gone.
// - A store is opened by its name, or if that is gone, as what was open under it.
// - One whose file system does not answer keeps none of the others waiting for long.
class StoreSet {
 public:
    using TellWorker = std::function<void(const Json& message, const std::vector<int>& fds)>;

    // `recordDir`: see ContentRecords.
    StoreSet(Ring& ring, const std::vector<StoreArg>& stores, std::string recordDir,
             TellWorker tellWorker);
    ~StoreSet();
    StoreSet(const StoreSet&) = delete;
    StoreSet& operator=(const StoreSet&) = delete;

    bool empty() const { return stores_.empty(); }
    // Fails when there are more than one session can have.
    Result<void> check() const;
    // Opens them for the first worker of a program that starts anew. Calls back once, from the
    // ring, unless this is destroyed; and calls `refused` if that worker then cannot offer one of
    // them.
    void open(std::function<void(Result<void> opened)> done,
              std::function<void(const Error& reason)> refused);
    // A worker is about to start: opens them for it.
    void prepare();
    // It runs. It is told of those that are open, and of each of the others when it is.
    void workerReady();
    // Nothing has still to become of one of them that is likely to become soon. It may become so at
    // any message of the worker, and when `settled` of whenSettled() is called.
    bool isSettled() const;
    void whenSettled(std::function<void()> settled) { settled_ = std::move(settled); }
    void workerDied();
    // False if the message is not about stores.
    bool handle(const Json& message);
    // What is offered, as far as a worker has opened it once: {label, path, size, blockSize,
    // blockSizeReason, readOnly, trouble}; `trouble`: why it is not offered now, or empty.
    Json status() const;
    // The last worker has ended or was just killed. `done` is called once that is in the records.
    void endUse(const std::function<void()>& done);

 private:
    struct Store {
        StoreArg arg;
        std::unique_ptr<OfferedFile> file;
        std::optional<OfferedFile::ForWorker> open;  // for the worker that is about to come
        // The present worker has it, or is about to open it or to let go of it.
        bool handedOver = false;
        // And has said that it is open.
        bool offered = false;
        std::string trouble;
        Json status;
    };

    void open(std::size_t index);
    void opened(std::size_t index, Result<OfferedFile::ForWorker> file);
    void openedFirst();
    void handOver(std::size_t index);
    // `message`: that of it.
    void added(std::size_t index, const Json& message);
    void failed(std::size_t index, const Error& error);
    void lacks(std::size_t index, const std::string& why);
    // Why it is not offered, once.
    void say(std::size_t index, const std::string& why);
    void late();
    void look();
    void lookSoon();
    void settledIfSo();

    Ring& ring_;
    ContentRecords records_;
    std::vector<Store> stores_;
    TellWorker tellWorker_;
    std::function<void(Result<void> opened)> openedAll_;  // while none of them was there yet
    std::function<void(const Error& reason)> refused_;
    std::optional<TimePoint> refusedUntil_;  // what a worker cannot offer later is tried again
    std::function<void()> settled_;
    bool hasWorker_ = false;
    bool late_ = false;  // the present worker need not be waited for
    Duration pause_{};   // before the next look
    std::optional<Ring::TimerId> look_;
    std::optional<Ring::TimerId> patience_;
};

}  // namespace belay::helper
