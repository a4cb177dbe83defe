#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/uuid.h"

#include <string>
#include <string_view>

namespace belay::helper {

// A supervisor's directory below /run: state file, command socket, stores' write-back state, and
// a lock that keeps a second supervisor out.
class RunDir {
 public:
    // Makes it if need be, and locks it. EBUSY: another one runs.
    static Result<RunDir> open(const std::string& path);

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }
    // Where the worker, which has no privileges, keeps its stores' write-back state.
    Result<std::string> workerDir(uid_t uid, gid_t gid) const;
    // An identity that lasts as long as the directory.
    Result<Uuid> uuid() const;

 private:
    RunDir(std::string path, Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

    std::string path_;
    Fd lock_;
};

// The name of a folder of this gadget's own, for its run directory: the serial number as it is if
// it is short and plain; else what is special in it is written as "%" and two digits, and what is
// too long is cut and told apart by a checksum.
//
// - Never ".", "..", or "default", where one without a serial number keeps its state.
std::string folderFor(std::string_view serial);

}  // namespace belay::helper
