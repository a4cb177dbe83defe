#include "helper/supervisor/store_args.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

namespace belay::helper {
namespace {

std::string hintFor(int code) {
    switch (code) {
        case ENOENT:
            return "Check the path, or make the file first, e.g. with truncate -s 1G";
        case EISDIR:
            return "Name a file or a block device";
        case EACCES:
        case EPERM:
            return "Run as root, or as a user who may open it";
        case EROFS:
            return "Offer it with --read-only";
        case EBUSY:
            return "Unmount it, or stop what uses it, first";
        default:
            return {};
    }
}

}  // namespace

Json StoreSet::config() const {
    Json list = Json::array();
    std::uint32_t id = 1;
    for (const StoreArg& store : stores_)
        list.push_back(
            {{"id", id++},
             {"path", store.path},
             {"label", store.label.empty() ? std::filesystem::path(store.path).filename().string()
                                           : store.label},
             {"readOnly", store.readOnly},
             {"blockSize", store.blockSize}});
    return list;
}

Result<std::vector<Fd>> StoreSet::openForWorker() {
    if (witnesses_.empty()) {
        for (const StoreArg& store : stores_) {
            Fd witness(::open(store.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
            if (!witness)
                return systemError("open", store.path, hintFor(errno));
            witnesses_.push_back(std::move(witness));
        }
    }
    std::vector<Fd> fds;
    for (std::size_t i = 0; i < stores_.size(); ++i) {
        const StoreArg& store = stores_[i];
        struct stat info {};
        int flags = (store.readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK;
        // O_EXCL without O_CREAT claims a block device for us alone (open(2)).
        if (::stat(store.path.c_str(), &info) == 0 && S_ISBLK(info.st_mode))
            flags |= O_EXCL;
        Fd own(::open(store.path.c_str(), flags));
        Fd witness(::fcntl(witnesses_[i].get(), F_DUPFD_CLOEXEC, 0));
        if (!own || !witness)
            return systemError("open", store.path, hintFor(errno));
        fds.push_back(std::move(own));
        fds.push_back(std::move(witness));
    }
    return fds;
}

}  // namespace belay::helper
