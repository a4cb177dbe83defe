#include "helper/supervisor/lending.h"

#include "core/base/log.h"
#include "helper/protocol/export_json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
using lifecycle::State;

// A store whose last user has not let go of it yet, or whose disk is away, is tried again.
constexpr auto kOpenAgain = 2s;
// How long the last requests of a store that is taken back may take.
constexpr auto kStopPatience = 3s;
// How long a worker waits for the last I/O of the one before it.
constexpr auto kPredecessorPatience = 5s;

std::uint64_t nowUs() {
    return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() /
                                      std::chrono::microseconds(1));
}

// Another open file description of the same file, whatever became of its name.
Result<Fd> openAgain(int fd, int flags, const std::string& name) {
    Fd again(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), flags | O_CLOEXEC | O_NONBLOCK));
    if (!again)
        return systemError("open", name);
    return again;
}

Result<Fd> openForWorker(const LentStore& store) {
    struct stat info {};
    int flags = store.readOnly ? O_RDONLY : O_RDWR;
    // O_EXCL without O_CREAT claims a block device for us alone (open(2)).
    if (::fstat(store.witness.get(), &info) == 0 && S_ISBLK(info.st_mode))
        flags |= O_EXCL;
    return openAgain(store.witness.get(), flags, store.name);
}

// Told by the store as well, but in its worker, and not as what a caller can mend.
Result<void> checkBlockSize(const Fd& file, const struct stat& info, const std::string& name,
                            std::uint32_t blockSize) {
    std::uint64_t size = static_cast<std::uint64_t>(info.st_size);
    int own = 0;
    if (S_ISBLK(info.st_mode) && (::ioctl(file.get(), BLKGETSIZE64, &size) != 0 ||
                                  ::ioctl(file.get(), BLKSSZGET, &own) != 0))
        return systemError("ask for the block size of", name);
    if (blockSize < static_cast<std::uint32_t>(own))
        return errorFrom(EINVAL, fmt::format("lend with a block size of {}", blockSize), name,
                         fmt::format("It has blocks of {} bytes: use {} or more", own, own));
    if (size % blockSize != 0)
        return errorFrom(EINVAL, fmt::format("lend with a block size of {}", blockSize), name,
                         fmt::format("Its size, {} bytes, is no multiple of that", size));
    return {};
}

Result<void> checkLendable(const Fd& file, const std::string& name, const LendTerms& terms) {
    struct stat info {};
    if (::fstat(file.get(), &info) < 0)
        return systemError("look at", name);
    if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
        return errorFrom(EINVAL, "lend", name, "Choose a file or a block device");
    const int mode = ::fcntl(file.get(), F_GETFL) & O_ACCMODE;
    if (mode == O_WRONLY || (mode == O_RDONLY && !terms.readOnly))
        return errorFrom(EACCES, "lend", name,
                         "It was opened for reading only: lend it read-only, or open it for "
                         "reading and writing");
    return terms.blockSize == 0 ? Result<void>()
                                : checkBlockSize(file, info, name, terms.blockSize);
}

}  // namespace

Lending::Lending(Ring& ring, ContentRecords& records, LendingHooks hooks)
    : ring_(ring), records_(records), hooks_(std::move(hooks)) {}

Lending::~Lending() {
    *alive_ = false;
}

const LentStore* Lending::find(std::uint32_t id) const {
    const auto found = stores_.find(id);
    return found == stores_.end() ? nullptr : &found->second;
}

// -- the user

void Lending::lend(const Fd& file, const std::string& name, const LendTerms& terms, bool always,
                   std::function<void(Result<std::uint32_t> store)> done) {
    if (auto lendable = checkLendable(file, name, terms); !lendable) {
        done(tl::make_unexpected(lendable.error()));
        return;
    }
    auto witness = openAgain(file.get(), O_RDONLY, name);
    if (!witness) {
        done(tl::make_unexpected(witness.error()));
        return;
    }
    const auto record = records_.begin(witness->get(), name, !terms.readOnly);
    if (!record) {
        done(tl::make_unexpected(record.error()));
        return;
    }
    const std::uint32_t id = nextId_++;
    LentStore& store = stores_[id];
    store.id = id;
    store.witness = std::move(*witness);
    store.record = *record;
    store.name = name;
    store.label =
        terms.label.empty() ? std::filesystem::path(name).filename().string() : terms.label;
    store.readOnly = terms.readOnly;
    store.askedBlockSize = terms.blockSize;
    store.always = always;
    store.sinceUs = nowUs();
    store.opened = std::move(done);
    if (workerReady_)
        offer(store);
}

bool Lending::keepAlways(const std::string& name, bool readOnly) {
    const auto found = std::ranges::find_if(stores_, [&](const auto& item) {
        return item.second.name == name && item.second.readOnly == readOnly && !item.second.ending;
    });
    if (found == stores_.end())
        return false;
    found->second.always = true;
    return true;
}

void Lending::stop(std::uint32_t id, bool force, FleetInterface::Done done) {
    LentStore& store = stores_.at(id);
    const unsigned busy =
        store.report.is_object() ? store.report.at("inFlight").get<unsigned>() : 0U;
    if (!force && store.state == State::Live && busy > 0) {
        done(errorFrom(
            EBUSY, "stop", store.label,
            fmt::format("The gadget waits for {} requests. Close it there, or force it", busy)));
        return;
    }
    store.stopping.push_back(std::move(done));
    if (std::exchange(store.ending, true))
        return;
    if (!workerReady_) {
        drop(id, {});
        return;
    }
    refresh(store);
    hooks_.tellWorker({{"type", "store-remove"}, {"id", id}}, {});
    ring_.callAfter(kStopPatience, [this, id, alive = alive_] {
        // What it waits for hangs; the worker's end is the end of it.
        if (*alive && stores_.contains(id))
            hooks_.killWorker();
    });
}

// -- the worker

// Of a block device the node is opened anew, and another card may be in the reader.
Result<Fd> Lending::openSame(LentStore& store) {
    auto own = openForWorker(store);
    if (!own || store::isStill(store.record, own->get()))
        return own;
    log::notice("{}: another medium has taken its place", store.name);
    auto witness = openAgain(store.witness.get(), O_RDONLY, store.name);
    if (!witness)
        return witness;
    auto record = records_.begin(witness->get(), store.name, !store.readOnly);
    if (!record)
        return tl::make_unexpected(std::move(record.error()));
    store.witness = std::move(*witness);
    store.witnessProves = false;
    store.record = *record;
    return own;
}

void Lending::offer(LentStore& store) {
    auto own = openSame(store);
    if (!own) {
        failed(store, own.error());
        return;
    }
    const bool wasOurs = store.always || !store.uuid.isNil();
    hooks_.tellWorker(
        {{"type", "store-add"},
         {"store",
          {{"id", store.id},
           {"path", store.name},
           {"label", store.label},
           {"readOnly", store.readOnly},
           {"blockSize", store.blockSize != 0 ? store.blockSize : store.askedBlockSize},
           {"lastBlockSize", store.record.blockSize},
           {"uuid", store.record.uuid.toString()},
           {"replaced", store.record.replaced},
           {"losses", store.record.losses},
           {"witnessProves", store.witnessProves}}},
         // Only what was ours before is in the way for a while.
         {"patienceMs", wasOurs ? kPredecessorPatience / 1ms : 0}},
        {own->get(), store.witness.get()});
}

void Lending::workerReady(const Json& has) {
    workerReady_ = true;
    keepsDying_ = false;
    takeUp(has);
    for (auto& [id, store] : stores_)
        if (!store.open && store.witness)
            offer(store);
}

void Lending::takeUp(const Json& has) {
    if (has.empty())
        return;
    // Those that no worker has had yet have numbers that this one may use already.
    std::map<std::uint32_t, LentStore> waiting;
    for (auto store = stores_.begin(); store != stores_.end();) {
        const auto next = std::next(store);
        if (store->second.uuid.isNil())
            waiting.insert(stores_.extract(store));
        store = next;
    }
    std::vector<const Json*> found;
    for (const Json& entry : has) {
        const auto id = entry.at("id").get<std::uint32_t>();
        nextId_ = std::max(nextId_, id + 1);
        if (stores_.contains(id))
            continue;
        found.push_back(&entry);
        LentStore& store = stores_[id];
        store.name = entry.at("path").get<std::string>();
        store.label = entry.at("label").get<std::string>();
        store.readOnly = entry.at("readOnly").get<bool>();
        store.sinceUs = nowUs();
        const auto same = std::ranges::find_if(waiting, [&](const auto& item) {
            return item.second.name == store.name && item.second.readOnly == store.readOnly;
        });
        if (same != waiting.end()) {
            store = std::move(same->second);
            waiting.erase(same);
        }
        store.id = id;
    }
    for (auto& [old, store] : waiting) {
        store.id = nextId_++;
        stores_.emplace(store.id, std::move(store));
    }
    // Only now: whoever is told may look at them all.
    for (const Json* entry : found) {
        LentStore& store = stores_.at(entry->at("id").get<std::uint32_t>());
        hooks_.tellWorker({{"type", "witness"}, {"id", store.id}}, {});
        added(store, *entry);
    }
}

void Lending::workerDied() {
    workerReady_ = false;
    sessionOpen_ = false;
    std::vector<std::uint32_t> ended;
    for (auto& [id, store] : stores_) {
        store.open = store.inSession = false;
        store.report = {};
        if (store.ending || !store.witness)
            ended.push_back(id);
        else
            refresh(store);
    }
    for (const std::uint32_t id : ended)
        drop(id, {});
}

void Lending::workerKeepsDying() {
    keepsDying_ = true;
    for (auto& [id, store] : stores_)
        refresh(store);
}

void Lending::sessionChanged(bool open) {
    if (sessionOpen_ == open)
        return;
    sessionOpen_ = open;
    for (auto& [id, store] : stores_)
        store.inSession = open && store.open;
    for (auto& [id, store] : stores_)
        refresh(store);
}

bool Lending::handle(const std::string& type, const Json& message, std::vector<Fd>& fds) {
    if (!type.starts_with("store-") && type != "witness")
        return false;
    const auto id = message.at("id").get<std::uint32_t>();
    const auto found = stores_.find(id);
    if (found == stores_.end())
        return true;
    LentStore& store = found->second;
    if (type == "store-added")
        added(store, message);
    else if (type == "store-failed")
        failed(store, errorFromJson(message.at("error")));
    else if (type == "store-removed")
        drop(id, {});
    else if (type == "witness" && fds.size() == 1)
        takeWitness(store, std::move(fds.front()));
    return true;
}

void Lending::takeWitness(LentStore& store, Fd witness) {
    store.witness = std::move(witness);
    store.witnessProves = true;
    if (auto record = records_.begin(store.witness.get(), store.name, !store.readOnly))
        store.record = *record;
    else
        log::warning("{}", record.error().message());
    noteBlockSize(store);
}

// For the next life. This one keeps to it, whatever is written to the file meanwhile.
void Lending::noteBlockSize(LentStore& store) {
    if (store.witness && store.blockSize != 0)
        records_.noteBlockSize(store.record, store.blockSize);
}

void Lending::added(LentStore& store, const Json& message) {
    const wire::ExportInfo info = exportFromJson(message.at("export"));
    if (!store.uuid.isNil())
        ++store.recoveries;
    store.uuid = info.uuid;
    store.sizeBytes = info.sizeBytes;
    store.blockSize = info.blockSize;
    // The worker opens the next session for it.
    store.open = true;
    store.witnessProves = true;
    store.inSession = false;
    store.explanation.clear();
    noteBlockSize(store);
    refresh(store);
    if (const auto opened = std::exchange(store.opened, nullptr))
        opened(store.id);
}

void Lending::failed(LentStore& store, const Error& error) {
    const std::uint32_t id = store.id;
    if (store.uuid.isNil()) {
        drop(id, tl::make_unexpected(error));
        return;
    }
    log::warning("{}: {}", store.name, error.message());
    store.explanation = error.message();
    ring_.callAfter(kOpenAgain, [this, id, alive = alive_] {
        if (!*alive || !workerReady_)
            return;
        const auto found = stores_.find(id);
        if (found == stores_.end())
            return;
        if (!found->second.open && !found->second.ending)
            offer(found->second);
    });
}

void Lending::reported(const Json& stores) {
    for (const Json& entry : stores)
        if (const auto found = stores_.find(entry.at("id").get<std::uint32_t>());
            found != stores_.end())
            found->second.report = entry;
}

// -- what is shown

void Lending::refresh(LentStore& store) {
    State state = State::Waiting;
    if (store.ending)
        state = State::Stopping;
    else if (keepsDying_)
        state = State::NeedsAttention;
    else if (!workerReady_)
        state = State::Crashed;
    else if (!store.open)
        state = State::Recovering;
    else if (store.inSession)
        state = State::Live;
    if (state != store.state) {
        store.state = state;
        store.sinceUs = nowUs();
    }
    if (!store.uuid.isNil())
        hooks_.changed(store);
}

void Lending::drop(std::uint32_t id, const Result<void>& result) {
    LentStore store = std::move(stores_.extract(id).mapped());
    store.state = State::Gone;
    if (!store.uuid.isNil()) {
        // One that was never open has written nothing, and whoever kept it from that may have.
        records_.end(store.record, store.witness.get(), store.name);
        hooks_.gone(store);
    }
    if (store.opened)
        store.opened(tl::make_unexpected(
            result ? failure("stopped before it was open", store.name).value() : result.error()));
    for (const auto& done : store.stopping)
        done(result);
}

}  // namespace belay::helper
