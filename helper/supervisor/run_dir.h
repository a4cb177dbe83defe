#pragma once

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/uuid.h"

#include <string>

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

}  // namespace belay::helper
