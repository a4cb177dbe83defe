#include "helper/supervisor/store_args.h"

#include "core/base/log.h"
#include "helper/protocol/export_json.h"
#include "helper/supervisor/words.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

namespace belay::helper {
namespace {

constexpr Duration kFirstLook = std::chrono::milliseconds(50);
constexpr Duration kLookPeriod = std::chrono::seconds(2);
// How long a worker waits for the last I/O of the one before it.
constexpr auto kPredecessorPatience = std::chrono::seconds(5);

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

StoreSet::StoreSet(Ring& ring, std::vector<StoreArg> stores, std::string recordDir,
                   TellWorker tellWorker)
    : ring_(ring),
      stores_(std::move(stores)),
      records_(ring, std::move(recordDir)),
      tellWorker_(std::move(tellWorker)) {}

StoreSet::~StoreSet() {
    if (look_)
        ring_.cancel(*look_);
}

// -- for a worker

Json StoreSet::configOf(std::size_t index) const {
    const StoreArg& store = stores_[index];
    const Known& known = known_[index];
    return {{"id", index + 1},
            {"path", store.path},
            {"label", store.label.empty() ? std::filesystem::path(store.path).filename().string()
                                          : store.label},
            {"readOnly", store.readOnly},
            {"blockSize", known.blockSize != 0 ? known.blockSize : store.blockSize},
            {"lastBlockSize", known.record.blockSize},
            {"uuid", known.record.uuid.toString()},
            {"replaced", known.record.replaced},
            {"losses", known.record.losses},
            {"witnessProves", known.witnessProves}};
}

Json StoreSet::config() const {
    Json list = Json::array();
    for (std::size_t i = 0; i < known_.size(); ++i)
        if (known_[i].handedOver)
            list.push_back(configOf(i));
    return list;
}

std::vector<std::string> StoreSet::paths() const {
    std::vector<std::string> paths;
    for (const StoreArg& store : stores_)
        paths.push_back(store.path);
    return paths;
}

Result<StoreSet::Known> StoreSet::firstOpening(const StoreArg& store, const std::string& path) {
    Known known;
    known.path = path;
    known.witness = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!known.witness)
        return systemError("open", path, hintFor(errno));
    struct stat info {};
    known.isBlockDevice = ::fstat(known.witness.get(), &info) == 0 && S_ISBLK(info.st_mode);
    auto record = records_.begin(known.witness.get(), path, !store.readOnly);
    if (!record)
        return tl::make_unexpected(std::move(record.error()));
    known.record = *record;
    return known;
}

Result<StoreSet::Opened> StoreSet::open(std::size_t index) {
    const StoreArg& store = stores_[index];
    Known& known = known_[index];
    struct stat info {};
    int flags = (store.readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK;
    const bool named = ::stat(known.path.c_str(), &info) == 0;
    // O_EXCL without O_CREAT claims a block device for us alone (open(2)).
    if (named ? S_ISBLK(info.st_mode) : known.isBlockDevice)
        flags |= O_EXCL;
    const std::string path =
        named ? known.path : fmt::format("/proc/self/fd/{}", known.witness.get());
    Fd own(::open(path.c_str(), flags));
    if (!own)
        return systemError("open", known.path, hintFor(errno));
    if (!store::isStill(known.record, own.get())) {
        auto other = firstOpening(store, known.path);
        if (!other)
            return tl::make_unexpected(std::move(other.error()));
        if (other->record.uuid == known.record.uuid)
            other->blockSize = known.blockSize;
        else
            log::notice("{}: another file or medium has taken its place", known.path);
        other->status = known.status;
        other->trouble = known.trouble;
        known = std::move(*other);
    }
    Fd witness(::fcntl(known.witness.get(), F_DUPFD_CLOEXEC, 0));
    if (!witness)
        return systemError("pass on", known.path);
    return Opened{std::move(own), std::move(witness)};
}

Result<std::vector<Fd>> StoreSet::openForWorker() {
    while (known_.size() < stores_.size()) {
        const StoreArg& store = stores_[known_.size()];
        auto known = firstOpening(store, store.path);
        if (!known)
            return tl::make_unexpected(std::move(known.error()));
        known_.push_back(std::move(*known));
    }
    std::vector<Fd> fds;
    for (std::size_t i = 0; i < stores_.size(); ++i) {
        auto opened = open(i);
        known_[i].handedOver = opened.has_value();
        if (opened) {
            fds.push_back(std::move(opened->own));
            fds.push_back(std::move(opened->witness));
        } else if (!wasReady_) {
            return tl::make_unexpected(std::move(opened.error()));
        } else {
            lacks(i, opened.error().message());
        }
    }
    return fds;
}

// -- what a worker has

void StoreSet::workerReady(const Json& stores, const Json& pending) {
    wasReady_ = true;
    const auto isPending = [&](std::size_t index) {
        return std::ranges::find(pending, Json(index + 1)) != pending.end();
    };
    std::vector<bool> has(known_.size());
    for (const Json& entry : stores) {
        const auto index = entry.at("id").get<std::size_t>() - 1;
        if (index >= known_.size())
            continue;
        has[index] = true;
        opened(index, entry);
    }
    for (std::size_t i = 0; i < known_.size(); ++i)
        if (isPending(i))
            say(i, "Its file system does not answer yet, or its last user has not let go of it");
        else if (known_[i].handedOver && !has[i])
            lacks(i, "The worker could not open it: see its messages");
    pause_ = kFirstLook;
    lookSoon();
}

void StoreSet::workerDied() {
    if (look_)
        ring_.cancel(*std::exchange(look_, std::nullopt));
}

void StoreSet::opened(std::size_t index, const Json& message) {
    const wire::ExportInfo info = exportFromJson(message.at("export"));
    Known& known = known_[index];
    known.handedOver = true;
    known.witnessProves = true;
    if (!std::exchange(known.trouble, {}).empty())
        log::notice("{} is offered again", known.path);
    if (known.blockSize != 0)
        return;
    known.blockSize = info.blockSize;
    known.status.update({{"label", info.label},
                         {"path", stores_[index].path},
                         {"size", info.sizeBytes},
                         {"blockSize", info.blockSize},
                         {"blockSizeReason", message.at("blockSizeReason")},
                         {"readOnly", info.readOnly}});
    records_.noteBlockSize(known.record, info.blockSize);
}

bool StoreSet::handle(const Json& message) {
    const auto type = message.at("type").get<std::string>();
    if (!type.starts_with("store-"))
        return false;
    const auto index = message.at("id").get<std::size_t>() - 1;
    if (index >= known_.size())
        return true;
    if (type == "store-added")
        opened(index, message);
    else if (type == "store-failed")
        lacks(index, errorFromJson(message.at("error")).message());
    else if (type == "store-removed")
        known_[index].handedOver = false;
    return true;
}

void StoreSet::lacks(std::size_t index, const std::string& why) {
    known_[index].handedOver = false;
    say(index, why);
}

void StoreSet::say(std::size_t index, const std::string& why) {
    if (std::exchange(known_[index].trouble, why) != why)
        log::warning("{} is not offered: {}. It is tried again", stores_[index].path, why);
}

// -- what it lacks, and what has gone

// What is lacking is looked for soon at first: as a rule its last user is just letting go of it.
void StoreSet::lookSoon() {
    const bool lacking =
        std::ranges::any_of(known_, [](const Known& known) { return !known.trouble.empty(); });
    const bool mayGo =
        std::ranges::any_of(known_, [](const Known& known) { return known.isBlockDevice; });
    if ((!lacking && !mayGo) || look_)
        return;
    pause_ = lacking ? std::min(2 * pause_, kLookPeriod) : kLookPeriod;
    look_ = ring_.callAfter(pause_, [this] {
        look_.reset();
        look();
        lookSoon();
    });
}

// Of ours none is looked at: a read of one may hang with its other end.
std::optional<std::string> StoreSet::findMedium(const Known& known) {
    constexpr std::uint64_t kSysfsBlock = 512;
    if (!known.isBlockDevice || known.blockSize == 0)
        return std::nullopt;
    const auto wanted = known.status.at("size").get<std::uint64_t>() / kSysfsBlock;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/class/block", failed)) {
        const std::string name = entry.path().filename();
        std::uint64_t size = 0;
        if (name.starts_with("ublkb") || !(std::ifstream(entry.path() / "size") >> size) ||
            size != wanted)
            continue;
        std::string node = "/dev/" + name;
        std::ranges::replace(node, '!', '/');
        const Fd fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (fd && records_.identify(fd.get(), node) == known.record.uuid)
            return node;
    }
    return std::nullopt;
}

void StoreSet::look() {
    for (std::size_t i = 0; i < known_.size(); ++i) {
        Known& known = known_[i];
        if (known.trouble.empty()) {
            if (!known.isBlockDevice || store::isStill(known.record, known.witness.get()))
                continue;
            tellWorker_({{"type", "store-remove"}, {"id", i + 1}}, {});
            say(i, "Its medium is gone");
        } else if (!known.handedOver) {
            auto opened = open(i);
            if (const auto found = opened ? std::nullopt : findMedium(known)) {
                known.path = *found;
                opened = open(i);
            }
            if (!opened) {
                known.path = stores_[i].path;
                lacks(i, opened.error().message());
                continue;
            }
            known.handedOver = true;
            tellWorker_({{"type", "store-add"},
                         {"store", configOf(i)},
                         {"patienceMs", kPredecessorPatience / std::chrono::milliseconds(1)}},
                        {opened->own.get(), opened->witness.get()});
        }
    }
}

Json StoreSet::status() const {
    Json list = Json::array();
    for (const Known& known : known_)
        if (known.blockSize != 0) {
            list.push_back(known.status);
            list.back()["trouble"] = known.trouble;
        }
    return list;
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
