#include "helper/supervisor/lending.h"

#include "core/base/log.h"
#include "core/wire/control_codec.h"
#include "helper/protocol/export_json.h"

#include <fmt/format.h>

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
// What a file system that is well takes to open a file, on a busy machine.
constexpr auto kOpenPatience = 10s;
// And a worker, if there has to be another one first.
constexpr auto kWorkerPatience = 15s;
// Between two looks whether a disk that is lent is still there.
constexpr auto kLookPeriod = 2s;

std::uint64_t nowUs() {
    return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() /
                                      std::chrono::microseconds(1));
}

}  // namespace

Lending::Lending(Ring& ring, ContentRecords& records, LendingHooks hooks)
    : ring_(ring), records_(records), hooks_(std::move(hooks)) {}

Lending::~Lending() {
    *alive_ = false;
    if (look_)
        ring_.cancel(*look_);
}

const LentStore* Lending::find(std::uint32_t id) const {
    const auto found = stores_.find(id);
    return found == stores_.end() ? nullptr : &found->second;
}

// -- the user

void Lending::lend(Fd file, const std::string& name, const LendTerms& terms, bool always,
                   bool patient, std::function<void(Result<std::uint32_t> store)> done) {
    if (stores_.size() >= wire::kMaxExports) {
        done(errorFrom(EMFILE, "lend", name,
                       fmt::format("{} files are lent to this gadget, which is the most: stop one "
                                   "first",
                                   wire::kMaxExports)));
        return;
    }
    const std::uint32_t id = nextId_++;
    LentStore& store = stores_[id];
    store.id = id;
    store.file = std::make_shared<OfferedFile>(
        ring_, records_,
        OfferedFile::Source{name, std::move(file), false, terms.readOnly, terms.blockSize});
    store.name = name;
    store.label =
        terms.label.empty() ? std::filesystem::path(name).filename().string() : terms.label;
    store.readOnly = terms.readOnly;
    store.askedBlockSize = terms.blockSize;
    store.always = always;
    store.sinceUs = nowUs();
    store.opened = std::move(done);
    open(store);
    if (patient)
        return;
    ring_.callAfter(kOpenPatience, [this, name, file = std::weak_ptr(store.file)] {
        LentStore* late = storeOf(file);
        if (late != nullptr && late->uuid.isNil() && late->file->isOpening())
            failed(*late, errorFrom(ETIMEDOUT, "open", name,
                                    "Its file system does not answer: try again when it does")
                              .value());
    });
    ring_.callAfter(kWorkerPatience, [this, file = std::weak_ptr(store.file)] {
        if (const LentStore* late = storeOf(file); late && late->opened)
            giveUp(late->id);
    });
}

void Lending::giveUp(std::uint32_t id) {
    const LentStore& store = stores_.at(id);
    if (store.handedOver)
        hooks_.tellWorker({{"type", "store-remove"}, {"id", id}}, {});
    drop(id, errorFrom(ETIMEDOUT, "lend", store.name,
                       workerReady_ ? "Its file system does not answer: try again when it does"
                                    : "Its service does not start, or an earlier one hangs in what "
                                      "was lent before: see the journal"));
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
    if (!workerReady_ || !store.handedOver) {
        drop(id, {});
        return;
    }
    refresh(store);
    hooks_.tellWorker({{"type", "store-remove"}, {"id", id}}, {});
    ring_.callAfter(kStopPatience, [this, id, alive = alive_] {
        const auto found = *alive ? stores_.find(id) : stores_.end();
        if (!*alive || found == stores_.end())
            return;
        // Its file system hangs, or the worker does.
        if (found->second.leaving)
            leaveBehind(id);
        else
            hooks_.killWorker();
    });
}

// -- the worker

bool Lending::needWorker() const {
    return !left_.empty() || std::ranges::any_of(stores_, [](const auto& item) {
        return item.second.file->isKnown() || !item.second.uuid.isNil();
    });
}

void Lending::prepare() {
    for (auto& [id, store] : stores_)
        if (store.file->isKnown() && !store.forWorker && !store.file->isOpening())
            open(store);
}

LentStore* Lending::storeOf(const OfferedFile* file) {
    const auto found =
        std::ranges::find_if(stores_, [&](auto& item) { return item.second.file.get() == file; });
    return found == stores_.end() ? nullptr : &found->second;
}

LentStore* Lending::storeOf(const std::weak_ptr<OfferedFile>& file) {
    // Nobody else keeps one: without the file, this object may be gone, too.
    const auto kept = file.lock();
    return kept ? storeOf(kept.get()) : nullptr;
}

void Lending::open(LentStore& store) {
    store.file->open([this, file = store.file.get()](Result<OfferedFile::ForWorker> forWorker) {
        opened(file, std::move(forWorker));
    });
}

void Lending::opened(const OfferedFile* file, Result<OfferedFile::ForWorker> forWorker) {
    LentStore& store = *storeOf(file);
    if (!forWorker) {
        failed(store, forWorker.error());
        return;
    }
    if (wasLeft(store)) {
        failed(store, errorFrom(EBUSY, "lend", store.name,
                                "Its file system has not answered what was asked of it before it "
                                "was stopped: try again when it has")
                          .value());
        return;
    }
    store.forWorker = std::move(*forWorker);
    if (workerReady_)
        handOver(store);
    else
        hooks_.needsWorker();
}

void Lending::handOver(LentStore& store) {
    const OfferedFile::ForWorker file = *std::exchange(store.forWorker, std::nullopt);
    const bool wasOurs = store.always || !store.uuid.isNil();
    store.handedOver = true;
    // Only what was ours before is in the way for a while.
    const Duration patience = wasOurs ? OfferedFile::kPredecessorPatience : Duration::zero();
    hooks_.tellWorker(store.file->addMessage(store.id, store.label, patience),
                      {file.own.get(), file.witness.get()});
}

void Lending::workerReady(const Json& has, const Json& leaving) {
    workerReady_ = true;
    keepsDying_ = false;
    for (const Json& id : leaving) {
        left_.try_emplace(id.get<std::uint32_t>());
        nextId_ = std::max(nextId_, id.get<std::uint32_t>() + 1);
    }
    if (!has.empty() || !leaving.empty())
        takeUp(has);
    for (auto& [id, store] : stores_)
        if (store.forWorker)
            handOver(store);
        else if (!store.handedOver && store.file->isKnown() && !store.file->isOpening())
            open(store);
}

void Lending::takeUp(const Json& has) {
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
        store.handedOver = true;
        store.forWorker.reset();
        // Known by the witness of the worker that has it.
        store.file = std::make_shared<OfferedFile>(
            ring_, records_,
            OfferedFile::Source{store.name, {}, false, store.readOnly, store.askedBlockSize});
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
    std::vector<std::uint32_t> ended;
    for (auto& [id, store] : stores_) {
        store.handedOver = store.open = store.inSession = store.leaving = false;
        store.forWorker.reset();
        store.report = {};
        if (store.ending || (!store.file->isKnown() && !store.file->isOpening()))
            ended.push_back(id);
        else
            refresh(store);
    }
    for (const auto& [id, store] : std::exchange(left_, {}))
        if (store.file)
            store.file->endUse();
    for (const std::uint32_t id : ended)
        drop(id, {});
}

void Lending::workerKeepsDying() {
    keepsDying_ = true;
    for (auto& [id, store] : stores_)
        refresh(store);
}

void Lending::sessionChanged(bool open) {
    for (auto& [id, store] : stores_)
        store.inSession = open && store.open;
    for (auto& [id, store] : stores_)
        refresh(store);
}

bool Lending::handle(const std::string& type, const Json& message, std::vector<Fd>& fds) {
    if (!type.starts_with("store-") && type != "witness")
        return false;
    const auto id = message.at("id").get<std::uint32_t>();
    if (type == "store-removed" && left_.contains(id)) {
        if (const auto left = left_.extract(id); left.mapped().file)
            left.mapped().file->endUse();
        hooks_.settled();
        return true;
    }
    const auto found = stores_.find(id);
    if (found == stores_.end())
        return true;
    LentStore& store = found->second;
    if (type == "store-added")
        added(store, message);
    else if (type == "store-failed")
        failed(store, errorFromJson(message.at("error")));
    else if (type == "store-leaving")
        store.leaving = store.ending;
    else if (type == "store-removed")
        removed(store);
    else if (type == "witness" && fds.size() == 1)
        takeWitness(store, std::move(fds.front()));
    return true;
}

void Lending::takeWitness(LentStore& store, Fd witness) {
    if (store.file->isKnown() || store.file->isOpening())
        return;
    store.file->take(std::move(witness), [this, file = store.file.get()] {
        const LentStore& known = *storeOf(file);
        if (known.blockSize != 0)
            known.file->noteBlockSize(known.blockSize);
        lookSoon();
        // Its worker has died, and nobody can give it to the next one.
        if (!file->isKnown() && !known.handedOver)
            drop(known.id, {});
    });
}

// Taken back, or its medium had gone.
void Lending::removed(LentStore& store) {
    if (store.ending) {
        drop(store.id, {});
        return;
    }
    store.handedOver = store.open = store.inSession = false;
    refresh(store);
    if (!store.file->isOpening())
        open(store);
}

void Lending::added(LentStore& store, const Json& message) {
    const wire::ExportInfo info = exportFromJson(message.at("export"));
    if (!store.uuid.isNil())
        ++store.recoveries;
    store.uuid = info.uuid;
    store.sizeBytes = info.sizeBytes;
    store.blockSize = info.blockSize;
    // The worker opens the next session for it.
    store.handedOver = store.open = true;
    store.file->proved();
    store.inSession = false;
    store.explanation.clear();
    store.file->noteBlockSize(store.blockSize);
    lookSoon();
    refresh(store);
    if (const auto opened = std::exchange(store.opened, nullptr))
        opened(store.id);
}

void Lending::failed(LentStore& store, const Error& error) {
    store.handedOver = false;
    if (store.uuid.isNil()) {
        drop(store.id, tl::make_unexpected(error));
        return;
    }
    if (const std::string why = error.message(); why != store.explanation) {
        log::warning("{}: {}", store.name, why);
        store.explanation = why;
        refresh(store);
    }
    ring_.callAfter(kOpenAgain, [this, file = std::weak_ptr(store.file)] {
        LentStore* again = storeOf(file);
        if (again != nullptr && workerReady_ && !again->handedOver && !again->ending &&
            !again->file->isOpening())
            open(*again);
    });
}

// A disk that was pulled out tells nobody who has it open.
void Lending::lookSoon() {
    const auto mayGo = [](const auto& item) { return item.second.file->isBlockDevice(); };
    if (!look_ && std::ranges::any_of(stores_, mayGo))
        look_ = ring_.callAfter(kLookPeriod, [this] {
            look_.reset();
            look();
            lookSoon();
        });
}

void Lending::look() {
    for (auto& [id, store] : stores_) {
        if (!store.open || store.ending || !store.file->isGone())
            continue;
        log::warning("{}: its medium is gone", store.name);
        store.explanation = "Its medium is gone. It is lent again when the medium is back";
        store.open = store.inSession = false;
        hooks_.tellWorker({{"type", "store-remove"}, {"id", id}}, {});
        refresh(store);
    }
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
        store.file->endUse();
        hooks_.gone(store);
    }
    if (store.opened)
        store.opened(tl::make_unexpected(
            result ? failure("stopped before it was open", store.name).value() : result.error()));
    for (const auto& done : store.stopping)
        done(result);
}

// What it has written, it may still write.
void Lending::leaveBehind(std::uint32_t id) {
    LentStore store = std::move(stores_.extract(id).mapped());
    store.state = State::Gone;
    log::warning("{}: its file system does not answer; what is under way may still be written",
                 store.name);
    const auto stopping = std::exchange(store.stopping, {});
    const LentStore& left = left_.insert_or_assign(id, std::move(store)).first->second;
    hooks_.gone(left);
    for (const auto& done : stopping)
        done({});
}

bool Lending::wasLeft(const LentStore& store) const {
    return std::ranges::any_of(left_, [&](const auto& item) {
        const LentStore& left = item.second;
        return left.file && left.file->record().uuid == store.file->record().uuid;
    });
}

}  // namespace belay::helper
