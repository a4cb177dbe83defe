#include "core/base/write_all.h"

#include <unistd.h>

#include <cerrno>

namespace belay {

Result<void> writeAll(int fd, ConstByteSpan bytes, const char* what) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return systemError(what);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace belay
