#include "helper/supervisor/file_limit.h"

#include "core/base/error.h"
#include "core/base/log.h"

#include <sys/resource.h>

namespace belay::helper {

void raiseFileLimit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &limit) == 0)
            return;
    }
    log::warning("{}", systemError("raise the number of open files").value().message());
}

}  // namespace belay::helper
