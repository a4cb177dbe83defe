#pragma once

#include "core/base/fd.h"
#include "core/base/ring.h"
#include "helper/supervisor/content_records.h"
#include "helper/supervisor/file_opener.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace belay::helper {

// A file or block device that is offered, over the lives of the workers that have it.
//
// - Each worker gets an open file description of its own, so that the lock on it ends with that
//   worker's last I/O, and the witness: see store::StoreOptions::witness.
// - What has taken its place is a store of its own, and known as such. A medium that comes back as
//   another block device is found by what names it.
// - Never waits: what may is in a FileOpener.
class OfferedFile {
 public:
    struct Source {
        std::string path;
        Fd file;  // what is open, and has that name for show only; or null
        // Whether a worker gets what has the name then, instead of the very file.
        bool byName = false;
        bool readOnly = false;
        std::uint32_t blockSize = 0;  // what was asked for; 0: as store::BlockSizeReason has it
    };
    // For one worker.
    struct ForWorker {
        Fd own;
        Fd witness;
    };
    // How long a worker waits for the last I/O of the one before it.
    static constexpr Duration kPredecessorPatience = std::chrono::seconds(5);

    using Opened = std::function<void(Result<ForWorker> file)>;

    OfferedFile(Ring& ring, ContentRecords& records, Source source);
    ~OfferedFile();
    OfferedFile(const OfferedFile&) = delete;
    OfferedFile& operator=(const OfferedFile&) = delete;

    // Opens it for a worker, and calls back once, from the ring; not while it is being opened.
    void open(Opened opened);
    // A worker has it already, and handed out its witness, which proves nothing of before now.
    // `known`: from the ring, also if nothing can be known of it.
    void take(Fd witness, std::function<void()> known);
    bool isOpening() const { return opener_ != nullptr; }
    // It was open once.
    bool isKnown() const { return bool(witness_); }
    bool isBlockDevice() const { return deviceBytes_ != 0; }
    // Of a block device: its medium is there no more, or another one is.
    bool isGone() const;

    const std::string& path() const { return source_.path; }
    const store::CleanRecord& record() const { return record_; }
    // What it is offered with: for its next worker, whatever is written to it meanwhile, and for
    // the next life. 0 before it was open for the first time.
    std::uint32_t blockSize() const { return blockSize_; }
    void noteBlockSize(std::uint32_t blockSize);
    // A worker has it open: see LentStore.
    void proved() { witnessProves_ = true; }
    // The worker's message that comes with both descriptors (WorkerStores).
    Json addMessage(std::uint32_t id, const std::string& label, Duration patience) const;
    // Nobody has it any more, or whoever had it was just killed.
    void endUse(std::function<void()> done = [] {});

 private:
    FileOpening opening() const;
    void opened(Result<OpenedFile> file, const Opened& callback);
    void know(OpenedFile& file);

    Ring& ring_;
    ContentRecords& records_;
    Source source_;
    std::string place_;  // its path, unless its medium has come back elsewhere
    Fd witness_;
    // It is older than the last worker that had the file, whoever that worker's supervisor was.
    bool witnessProves_ = false;
    store::CleanRecord record_;
    std::uint32_t blockSize_ = 0;
    std::uint64_t deviceBytes_ = 0;
    // The block devices of the machine when it was last looked for among them.
    std::string searched_;
    std::unique_ptr<FileOpener> opener_;
};

}  // namespace belay::helper
