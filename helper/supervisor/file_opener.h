#pragma once

#include "core/base/ring.h"
#include "core/store/clean_record.h"
#include "helper/supervisor/channel.h"
#include "helper/supervisor/child.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace belay::helper {

// What is to be opened, to be offered.
struct FileOpening {
    // Where ContentRecords keeps what it is known by.
    std::string recordDir;
    // Its name. Only shown if `fd` is used.
    std::string path;
    // An open description of the file, which stays the caller's, or -1. It is used if `byName` is
    // not so, or if nothing has the name.
    int fd = -1;
    bool byName = true;
    bool readOnly = false;
    // What it has to fit, or 0. Checked at the first opening only.
    std::uint32_t blockSize = 0;
    // By what it was known, at each opening but the first.
    std::optional<store::CleanRecord> known;
    // A block device of this size, which may have come back under any name; 0: it is not looked
    // for.
    std::uint64_t mediumBytes = 0;
    // It is not to be used, only to be known: whoever uses it has it open.
    bool onlyKnow = false;
};

struct OpenedFile {
    // An open description of its own for one user; null if it was only to be known.
    Fd own;
    // Another one, for reading, of a file that was not known before; else null.
    Fd witness;
    // Of such a file: by what it is known.
    store::CleanRecord record;
    std::string path;               // where it was found
    std::uint64_t deviceBytes = 0;  // the size of a block device; 0 for a file
};

// Opens a file or block device to be offered, in a process of its own: it may lie on a disk or a
// server that does not answer, or on a device of ours that nobody serves yet.
//
// - A file of another inode, or another medium, is a store of its own, and is known by another
//   record.
// - Takes as long as it takes. Destroying the opener abandons the process.
class FileOpener {
 public:
    // Once, from the ring. Errors: those of open(2); EINVAL and EACCES for what cannot be offered
    // so.
    using Callback = std::function<void(Result<OpenedFile> file)>;

    FileOpener(Ring& ring, const FileOpening& opening, Callback callback);
    ~FileOpener();
    FileOpener(const FileOpener&) = delete;
    FileOpener& operator=(const FileOpener&) = delete;

 private:
    Result<void> start(const FileOpening& opening);
    void answered(const Json& message, std::vector<Fd>& fds);
    void finish(Result<OpenedFile> file);

    Ring& ring_;
    Callback callback_;
    const std::string path_;
    std::unique_ptr<Child> child_;
    std::unique_ptr<Channel> channel_;
    std::optional<Ring::TimerId> failed_;
};

// The hidden first argument of that process: see ownProcessMain(). Descriptor 3 is its channel. The
// value is main()'s.
inline constexpr const char* kOpenFileArgument = "open-file";
int openFileMain();

}  // namespace belay::helper
