#pragma once

#include "core/base/fd.h"
#include "helper/service/bus_error.h"

#include <string>
#include <tl/expected.hpp>

namespace belay::service {

// A descriptor that a caller lends, found fit for it.
struct LentFile {
    Fd fd;  // of our own
    // Where it was opened; only ever shown.
    std::string name;
    // What the descriptor allows, whatever the file does.
    bool writable = false;

    // `fd` stays the caller's. Takes regular files and block devices, open for reading at least.
    static tl::expected<LentFile, BusError> from(int fd);
};

}  // namespace belay::service
