#include "helper/supervisor/store_args.h"

#include "core/base/log.h"
#include "helper/protocol/export_json.h"
#include "helper/supervisor/words.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>

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

bool takeStoreOption(Arguments& arguments, std::vector<StoreArg>& stores, std::string& error) {
    if (stores.empty())
        return false;
    StoreArg& store = stores.back();
    if (arguments.flag("--read-only")) {
        store.readOnly = true;
        return true;
    }
    if (const auto label = arguments.value("--label")) {
        store.label = *label;
        return true;
    }
    const auto size = arguments.value("--block-size");
    if (!size)
        return false;
    if (const auto bytes = blockSizeFrom(*size))
        store.blockSize = *bytes;
    else
        error = fmt::format("--block-size wants {}", kOfferedBlockSizes);
    return true;
}

Json StoreSet::config() const {
    Json list = Json::array();
    for (std::size_t i = 0; i < stores_.size(); ++i) {
        const StoreArg& store = stores_[i];
        const Known& known = known_.at(i);
        list.push_back(
            {{"id", i + 1},
             {"path", store.path},
             {"label", store.label.empty() ? std::filesystem::path(store.path).filename().string()
                                           : store.label},
             {"readOnly", store.readOnly},
             {"blockSize", known.blockSize != 0 ? known.blockSize : store.blockSize},
             {"lastBlockSize", known.record.blockSize},
             {"uuid", known.record.uuid.toString()},
             {"replaced", known.record.replaced},
             {"losses", known.record.losses}});
    }
    return list;
}

void StoreSet::opened(const Json& stores) {
    for (const Json& entry : stores) {
        const auto index = entry.at("id").get<std::size_t>() - 1;
        if (index >= known_.size() || known_[index].blockSize != 0)
            continue;
        Known& known = known_[index];
        const wire::ExportInfo info = exportFromJson(entry.at("export"));
        known.blockSize = info.blockSize;
        known.status = {{"label", info.label},
                        {"path", stores_[index].path},
                        {"size", info.sizeBytes},
                        {"blockSize", info.blockSize},
                        {"blockSizeReason", entry.at("blockSizeReason").get<std::string>()},
                        {"readOnly", info.readOnly}};
        records_.noteBlockSize(known.record, info.blockSize);
    }
}

Json StoreSet::status() const {
    Json list = Json::array();
    for (const Known& known : known_)
        if (known.blockSize != 0)
            list.push_back(known.status);
    return list;
}

Result<StoreSet::Known> StoreSet::firstOpening(const StoreArg& store) {
    Known known;
    known.witness = Fd(::open(store.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!known.witness)
        return systemError("open", store.path, hintFor(errno));
    auto record = records_.begin(known.witness.get(), store.path, !store.readOnly);
    if (!record)
        return tl::make_unexpected(std::move(record.error()));
    known.record = *record;
    return known;
}

Result<std::vector<Fd>> StoreSet::openForWorker() {
    while (known_.size() < stores_.size()) {
        auto known = firstOpening(stores_[known_.size()]);
        if (!known)
            return tl::make_unexpected(std::move(known.error()));
        known_.push_back(std::move(*known));
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
        if (own && !store::isStill(known_[i].record, own.get())) {
            log::notice("{}: another file or medium has taken its place", store.path);
            auto other = firstOpening(store);
            if (!other)
                return tl::make_unexpected(std::move(other.error()));
            known_[i] = std::move(*other);
        }
        Fd witness(::fcntl(known_[i].witness.get(), F_DUPFD_CLOEXEC, 0));
        if (!own || !witness)
            return systemError("open", store.path, hintFor(errno));
        fds.push_back(std::move(own));
        fds.push_back(std::move(witness));
    }
    return fds;
}

void StoreSet::endUse(const std::function<void()>& done) {
    const auto left = std::make_shared<std::size_t>(known_.size());
    if (*left == 0)
        done();
    for (std::size_t i = 0; i < known_.size(); ++i)
        records_.end(known_[i].record, known_[i].witness.get(), stores_[i].path, [left, done] {
            if (--*left == 0)
                done();
        });
}

}  // namespace belay::helper
