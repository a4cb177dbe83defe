#pragma once

#include "core/base/ring.h"
#include "core/store/clean_record.h"
#include "helper/supervisor/child.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace belay::helper {

// A supervisor's records of the stores it offers: by what each is known, and whether somebody
// changed it while nobody offered it (see core/store/clean_record.h).
//
// - Where nothing can be written, a system that runs from a read-only file system, such changes
//   are not noticed; a message says so.
// - To end a use, the store is made durable, which may hang with its disk: a process of its own
// does
//   that, this program with kEndRecordArgument.
class ContentRecords {
 public:
    // How long a killed worker's last I/O may take for the end of a use to be noted.
    static constexpr Duration kPatience = std::chrono::seconds(10);

    // `directory` is made when it is needed.
    ContentRecords(Ring& ring, std::string directory)
        : ring_(ring), directory_(std::move(directory)) {}

    const std::string& directory() const { return directory_; }

    // See store::beginRecord(). In a FileOpener's process: it reads the medium.
    static Result<store::CleanRecord> begin(const std::string& directory, int fd,
                                            const std::string& path, bool writable);
    // Keeps what the store is offered with, here and in `record`. A record that cannot be written
    // is logged: then the next use may choose another one.
    void noteBlockSize(store::CleanRecord& record, std::uint32_t blockSize);
    // Nobody writes to the store any more, or its writer was just killed. `done` is called once,
    // from the ring, whatever came of it; at once if no use is under way. `witness` stays the
    // caller's.
    void end(
        const store::CleanRecord& record, int witness, const std::string& path,
        std::function<void()> done = [] {});

 private:
    Ring& ring_;
    const std::string directory_;
    std::map<std::uint64_t, std::unique_ptr<Child>> ending_;  // by use
};

// The hidden first argument of that process: see ownProcessMain().
inline constexpr const char* kEndRecordArgument = "end-record";
// `arguments`: the directory, the store's path, its uuid, the use. Descriptor 3 is the witness. The
// value is main()'s.
int endRecordMain(char** arguments);

}  // namespace belay::helper
