#include "helper/supervisor/store_set.h"

#include "core/base/log.h"
#include "core/wire/control_codec.h"
#include "helper/protocol/export_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
constexpr Duration kFirstLook = 50ms;
constexpr Duration kLookPeriod = 2s;
// What a file system that is well takes to answer: of the first opening of all stores, and of what
// a worker does to one.
constexpr Duration kOpenPatience = 5s;
constexpr Duration kSettles = 1s;
// And the first worker until it has said what it cannot offer, on a busy machine.
constexpr Duration kFirstPatience = 2 * OfferedFile::kPredecessorPatience;
constexpr const char* kNoAnswer = "Its file system does not answer";
constexpr const char* kNotYet =
    "Its file system does not answer yet, or its last user has not let go of it";

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

std::string labelOf(const StoreArg& store) {
    return store.label.empty() ? std::filesystem::path(store.path).filename().string()
                               : store.label;
}

}  // namespace

StoreSet::StoreSet(Ring& ring, const std::vector<StoreArg>& stores, std::string recordDir,
                   TellWorker tellWorker)
    : ring_(ring), records_(ring, std::move(recordDir)), tellWorker_(std::move(tellWorker)) {
    for (const StoreArg& arg : stores) {
        OfferedFile::Source source{.path = arg.path,
                                   .file = {},
                                   .byName = true,
                                   .readOnly = arg.readOnly,
                                   .blockSize = arg.blockSize};
        Store& store = stores_.emplace_back();
        store.arg = arg;
        store.file = std::make_unique<OfferedFile>(ring_, records_, std::move(source));
    }
}

StoreSet::~StoreSet() {
    for (const auto& timer : {look_, patience_})
        if (timer)
            ring_.cancel(*timer);
}

Result<void> StoreSet::check() const {
    if (stores_.size() <= wire::kMaxExports)
        return {};
    return failure("offer", fmt::format("{} files and disks", stores_.size()),
                   fmt::format("{} is the most", wire::kMaxExports));
}

// -- for a worker

void StoreSet::open(std::function<void(Result<void> opened)> done,
                    std::function<void(const Error& reason)> refused) {
    openedAll_ = std::move(done);
    refused_ = std::move(refused);
    patience_ = ring_.callAfter(kOpenPatience, [this] {
        patience_.reset();
        for (std::size_t i = 0; i < stores_.size(); ++i)
            if (stores_[i].file->isOpening())
                say(i, kNoAnswer);
        openedFirst();
    });
    for (std::size_t i = 0; i < stores_.size(); ++i)
        open(i);
}

void StoreSet::prepare() {
    for (std::size_t i = 0; i < stores_.size(); ++i)
        if (!stores_[i].open && !stores_[i].file->isOpening())
            open(i);
}

void StoreSet::open(std::size_t index) {
    stores_[index].file->open([this, index](Result<OfferedFile::ForWorker> file) {
        if (!file && file.error().hint.empty())
            file.error().hint = hintFor(file.error().code);
        opened(index, std::move(file));
    });
}

void StoreSet::opened(std::size_t index, Result<OfferedFile::ForWorker> file) {
    Store& store = stores_[index];
    if (!file && openedAll_) {
        ring_.cancel(*std::exchange(patience_, std::nullopt));
        std::exchange(openedAll_, nullptr)(tl::make_unexpected(std::move(file.error())));
        return;
    }
    if (file)
        store.open = std::move(*file);
    else
        lacks(index, file.error().message());
    const auto isOpening = [](const Store& other) { return other.file->isOpening(); };
    if (openedAll_ && std::ranges::none_of(stores_, isOpening))
        openedFirst();
    else if (hasWorker_ && store.open)
        handOver(index);
    lookSoon();
    settledIfSo();
}

void StoreSet::openedFirst() {
    if (patience_)
        ring_.cancel(*std::exchange(patience_, std::nullopt));
    if (openedAll_)
        std::exchange(openedAll_, nullptr)({});
}

void StoreSet::workerReady() {
    hasWorker_ = true;
    if (!refusedUntil_)
        refusedUntil_ = Clock::now() + kFirstPatience;
    late_ = false;
    pause_ = kFirstLook;
    patience_ = ring_.callAfter(kSettles, [this] {
        patience_.reset();
        late();
    });
    for (std::size_t i = 0; i < stores_.size(); ++i)
        if (stores_[i].open)
            handOver(i);
    lookSoon();
}

void StoreSet::handOver(std::size_t index) {
    Store& store = stores_[index];
    const OfferedFile::ForWorker file = *std::exchange(store.open, std::nullopt);
    store.handedOver = true;
    tellWorker_(store.file->addMessage(static_cast<std::uint32_t>(index + 1), labelOf(store.arg),
                                       OfferedFile::kPredecessorPatience),
                {file.own.get(), file.witness.get()});
}

// -- what a worker has

bool StoreSet::isSettled() const {
    return hasWorker_ && (late_ || std::ranges::all_of(stores_, [](const Store& store) {
                              return store.offered || !store.trouble.empty();
                          }));
}

void StoreSet::settledIfSo() {
    if (!patience_ || !isSettled())
        return;
    ring_.cancel(*std::exchange(patience_, std::nullopt));
    if (settled_)
        settled_();
}

// Some file system does not answer, or a last user has not let go yet.
void StoreSet::late() {
    late_ = true;
    for (std::size_t i = 0; i < stores_.size(); ++i) {
        const Store& store = stores_[i];
        if (store.file->isOpening())
            say(i, kNoAnswer);
        else if (store.handedOver && !store.offered)
            say(i, kNotYet);
    }
    if (settled_)
        settled_();
}

void StoreSet::workerDied() {
    hasWorker_ = false;
    for (const auto& timer : {&look_, &patience_})
        if (*timer)
            ring_.cancel(*std::exchange(*timer, std::nullopt));
    for (Store& store : stores_) {
        store.open.reset();
        store.handedOver = store.offered = false;
    }
}

void StoreSet::added(std::size_t index, const Json& message) {
    const wire::ExportInfo info = exportFromJson(message.at("export"));
    Store& store = stores_[index];
    store.handedOver = store.offered = true;
    store.file->proved();
    if (!std::exchange(store.trouble, {}).empty())
        log::notice("{} is offered again", store.file->path());
    if (store.file->blockSize() == 0) {
        store.status = {{"label", info.label},
                        {"path", store.arg.path},
                        {"size", info.sizeBytes},
                        {"blockSize", info.blockSize},
                        {"blockSizeReason", message.at("blockSizeReason")},
                        {"readOnly", info.readOnly}};
        store.file->noteBlockSize(info.blockSize);
    }
    lookSoon();
}

bool StoreSet::handle(const Json& message) {
    const auto type = message.at("type").get<std::string>();
    if (!type.starts_with("store-"))
        return false;
    const auto index = message.at("id").get<std::size_t>() - 1;
    if (index >= stores_.size())
        return true;
    if (type == "store-added")
        added(index, message);
    else if (type == "store-failed")
        failed(index, errorFromJson(message.at("error")));
    else if (type == "store-removed")
        stores_[index].handedOver = stores_[index].offered = false;
    settledIfSo();
    return true;
}

void StoreSet::failed(std::size_t index, const Error& error) {
    if (refused_ && stores_[index].status.is_null() && Clock::now() < refusedUntil_)
        std::exchange(refused_, nullptr)(error);
    else
        lacks(index, error.message());
}

void StoreSet::lacks(std::size_t index, const std::string& why) {
    stores_[index].handedOver = stores_[index].offered = false;
    say(index, why);
    lookSoon();
}

void StoreSet::say(std::size_t index, const std::string& why) {
    if (std::exchange(stores_[index].trouble, why) != why)
        log::warning("{} is not offered: {}. It is tried again", stores_[index].arg.path, why);
}

// -- what it lacks, and what has gone

// What is lacking is looked for soon at first: as a rule its last user is just letting go of it.
void StoreSet::lookSoon() {
    const bool lacking =
        std::ranges::any_of(stores_, [](const Store& store) { return !store.trouble.empty(); });
    const bool mayGo = std::ranges::any_of(
        stores_, [](const Store& store) { return store.file->isBlockDevice(); });
    if (!hasWorker_ || (!lacking && !mayGo) || look_)
        return;
    pause_ = lacking ? std::min(2 * pause_, kLookPeriod) : kLookPeriod;
    look_ = ring_.callAfter(pause_, [this] {
        look_.reset();
        look();
        lookSoon();
    });
}

void StoreSet::look() {
    for (std::size_t i = 0; i < stores_.size(); ++i) {
        Store& store = stores_[i];
        if (store.trouble.empty()) {
            if (!store.handedOver || !store.file->isGone())
                continue;
            tellWorker_({{"type", "store-remove"}, {"id", i + 1}}, {});
            say(i, "Its medium is gone");
        } else if (!store.handedOver && !store.file->isOpening()) {
            open(i);
        }
    }
}

Json StoreSet::status() const {
    Json list = Json::array();
    for (const Store& store : stores_)
        if (!store.status.is_null()) {
            list.push_back(store.status);
            list.back()["trouble"] = store.trouble;
        }
    return list;
}

// One that was never offered was not written to by us, and whoever kept us from it may do so.
void StoreSet::endUse(const std::function<void()>& done) {
    std::vector<OfferedFile*> used;
    for (const Store& store : stores_)
        if (!store.status.is_null())
            used.push_back(store.file.get());
    if (used.empty())
        done();
    const auto left = std::make_shared<std::size_t>(used.size());
    for (OfferedFile* file : used)
        file->endUse([left, done] {
            if (--*left == 0)
                done();
        });
}

}  // namespace belay::helper
