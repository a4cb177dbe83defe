#pragma once

#include <string>

namespace belay::store {

// Where an open file is, as its mount tells it (/proc/self/mountinfo).
struct MountedFile {
    std::string type;    // of the file system: "vfat"
    std::string source;  // "/dev/sda1"
    std::string path;    // from the root of the file system, whatever of it is mounted
};

// Of a mount that is not in this process's mount namespace only the path is known, and only as it
// is seen there.
MountedFile mountedFile(int fd);

}  // namespace belay::store
