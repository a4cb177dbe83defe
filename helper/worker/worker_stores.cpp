#include "helper/worker/worker_stores.h"

#include "core/base/log.h"
#include "helper/protocol/export_json.h"
#include "helper/protocol/request_words.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
constexpr auto kRetry = 20ms;
// What a file system that is well takes to answer.
constexpr auto kSettles = 1s;
// Between the messages about stores that come together.
constexpr auto kTogether = 20ms;

const char* nameOf(store::BlockSizeReason reason) {
    switch (reason) {
        case store::BlockSizeReason::Asked:
            return "asked";
        case store::BlockSizeReason::Remembered:
            return "remembered";
        case store::BlockSizeReason::PartitionTable:
            return "partition-table";
        case store::BlockSizeReason::Usual:
            break;
    }
    return "usual";
}

}  // namespace

WorkerStores::WorkerStores(Ring& ring, engine::TargetEngine& engine, std::string stateDir,
                           Hooks hooks)
    : ring_(ring), engine_(engine), stateDir_(std::move(stateDir)), hooks_(std::move(hooks)) {}

WorkerStores::~WorkerStores() {
    for (const auto& timer : {poll_, tell_})
        if (timer)
            ring_.cancel(*timer);
    // The kernel still has what a file system has not answered. It ends with the process.
    for (auto& [id, adding] : adding_)
        if (adding->store)
            static_cast<void>(adding.release());
    for (auto& [key, adding] : dropped_)
        static_cast<void>(adding.release());
}

// It is taken once it is settled, which may be in here.
Result<void> WorkerStores::open(Adding& adding) {
    const Json& config = adding.config;
    store::StoreOptions options;
    options.path = config.at("path").get<std::string>();
    options.readOnly = config.at("readOnly").get<bool>();
    options.blockSize = config.at("blockSize").get<std::uint32_t>();
    options.lastBlockSize = config.value("lastBlockSize", std::uint32_t{0});
    options.uuid = Uuid::parse(config.value("uuid", std::string())).value_or(Uuid{});
    options.stateDir = stateDir_;
    // One that is younger than the last worker has not been told of an error which that one was
    // told of.
    options.witness = config.value("witnessProves", false) ? adding.witness.get() : -1;
    options.replaced = config.at("replaced").get<std::uint64_t>();
    options.losses = config.value("losses", std::uint64_t{0});
    // adopt() takes the descriptor even when it fails, so each try has its own.
    Fd own(::fcntl(adding.own.get(), F_DUPFD_CLOEXEC, 0));
    if (!own)
        return systemError("pass on", options.path);
    auto store = store::Store::adopt(ring_, std::move(own), options, adding);
    if (!store)
        return tl::make_unexpected(std::move(store.error()));
    adding.own.reset();
    adding.store = std::move(*store);
    if (adding.store->settled())
        take(ExportId(config.at("id").get<std::uint32_t>()));
    return {};
}

void WorkerStores::take(ExportId id) {
    const auto adding = std::move(adding_.extract(id).mapped());
    const auto reason = adding->store->geometry().blockSizeReason;
    engine_.addStore(id, adding->config.at("label").get<std::string>(), std::move(adding->store));
    const auto exports = engine_.exports();
    const auto info = std::ranges::find(exports, id, &wire::ExportInfo::id);
    stores_[id] = {std::move(adding->config), std::move(adding->witness), *info, reason};
}

// -- while it runs

bool WorkerStores::handle(const Json& message, std::vector<Fd>& fds) {
    const auto type = message.at("type").get<std::string>();
    if (type == "store-add")
        add(message, fds);
    else if (type == "store-remove")
        remove(ExportId(message.at("id").get<std::uint32_t>()));
    else if (type == "witness")
        passWitness(ExportId(message.at("id").get<std::uint32_t>()));
    else
        return false;
    return true;
}

void WorkerStores::add(const Json& message, std::vector<Fd>& fds) {
    const Json& config = message.at("store");
    const ExportId id(config.at("id").get<std::uint32_t>());
    const auto path = config.at("path").get<std::string>();
    if (fds.size() != 2) {
        failed(id, errorFrom(EBADF, "offer", path).value());
    } else if (stores_.contains(id) || adding_.contains(id)) {
        failed(id, errorFrom(EEXIST, "offer", path).value());
    } else {
        auto adding = std::make_unique<Adding>();
        adding->config = config;
        adding->own = std::move(fds[0]);
        adding->witness = std::move(fds[1]);
        adding->deadline =
            Clock::now() + std::chrono::milliseconds(message.at("patienceMs").get<unsigned>());
        adding->stores = this;
        adding_[id] = std::move(adding);
        poll();
    }
}

void WorkerStores::tryToAdd(ExportId id) {
    Adding& adding = *adding_.at(id);
    if (adding.store || retiring_.contains(id))
        return;  // asked already, or the last one of this number is still there
    const auto opened = open(adding);
    if (!opened && (opened.error().code != EBUSY || Clock::now() >= adding.deadline)) {
        failed(id, opened.error());
        adding_.erase(id);
        if (tell_)
            changed();
    } else if (stores_.contains(id)) {
        tellAdded(id);
    }
}

void WorkerStores::settled(Adding& adding) {
    if (auto dropped = dropped_.extract(&adding)) {
        ring_.destroyLater(std::move(dropped.mapped()));
        return;
    }
    const ExportId id(adding.config.at("id").get<std::uint32_t>());
    take(id);
    tellAdded(id);
}

void WorkerStores::tellAdded(ExportId id) {
    const Offered& store = stores_.at(id);
    hooks_.send({{"type", "store-added"},
                 {"id", id.value},
                 {"export", toJson(store.info)},
                 {"blockSizeReason", nameOf(store.reason)}},
                {});
    changed();
}

// A session of an older protocol has what there was at its begin: each store that came alone would
// end it.
void WorkerStores::changed() {
    if (tell_ && !adding_.empty())
        return;
    if (tell_)
        ring_.cancel(*tell_);
    tell_ = ring_.callAfter(adding_.empty() ? Duration(kTogether) : Duration(kSettles),
                            [this] { tellChanged(); });
}

void WorkerStores::tellChanged() {
    if (tell_)
        ring_.cancel(*std::exchange(tell_, std::nullopt));
    hooks_.changed();
}

void WorkerStores::drop(ExportId id) {
    auto adding = std::move(adding_.extract(id).mapped());
    const Adding* key = adding.get();
    if (adding->store)
        dropped_[key] = std::move(adding);
}

void WorkerStores::dropPending() {
    while (!adding_.empty())
        drop(adding_.begin()->first);
}

void WorkerStores::failed(ExportId id, const Error& error) {
    hooks_.send({{"type", "store-failed"}, {"id", id.value}, {"error", toJson(error)}}, {});
}

void WorkerStores::remove(ExportId id) {
    if (adding_.contains(id))
        drop(id);
    if (stores_.erase(id) > 0) {
        engine_.retireStore(id);
        retiring_.insert(id);
        tellChanged();
        poll();
        if (retiring_.contains(id))
            hooks_.send({{"type", "store-leaving"}, {"id", id.value}}, {});
    } else if (!retiring_.contains(id)) {
        hooks_.send({{"type", "store-removed"}, {"id", id.value}}, {});
    }
}

void WorkerStores::passWitness(ExportId id) {
    if (const auto found = stores_.find(id); found != stores_.end())
        hooks_.send({{"type", "witness"}, {"id", id.value}}, {found->second.witness.get()});
}

// The last requests of a store end with the session, or when the store has done them; who holds a
// file does not say when it lets go.
void WorkerStores::poll() {
    if (poll_)
        ring_.cancel(*std::exchange(poll_, std::nullopt));
    std::erase_if(retiring_, [this](ExportId id) {
        const bool gone = engine_.removeStore(id);
        if (gone)
            hooks_.send({{"type", "store-removed"}, {"id", id.value}}, {});
        return gone;
    });
    for (auto item = adding_.begin(); item != adding_.end();) {
        const ExportId id = item->first;
        ++item;  // before it may be erased
        tryToAdd(id);
    }
    pollSoon();
}

void WorkerStores::pollSoon() {
    const auto unopened = [](const auto& item) { return item.second->store == nullptr; };
    if (!retiring_.empty() || std::ranges::any_of(adding_, unopened))
        poll_ = ring_.callAfter(kRetry, [this] {
            poll_.reset();
            poll();
        });
}

// -- what there is

Json WorkerStores::leaving() const {
    Json list = Json::array();
    for (const ExportId id : retiring_)
        list.push_back(id.value);
    return list;
}

Json WorkerStores::list() const {
    Json list = Json::array();
    for (const auto& [id, store] : stores_) {
        Json entry = store.config;
        entry["export"] = toJson(store.info);
        entry["blockSizeReason"] = nameOf(store.reason);
        list.push_back(std::move(entry));
    }
    return list;
}

Json WorkerStores::report(bool withRequests) const {
    const TimePoint now = Clock::now();
    const auto ageMs = [now](TimePoint since) { return (now - since) / 1ms; };
    Json list = Json::array();
    for (const auto& [id, store] : stores_) {
        const auto counters = engine_.counters(id);
        Json entry = {{"id", id.value},
                      {"readBytes", counters.readBytes},
                      {"writtenBytes", counters.writtenBytes},
                      {"readOps", counters.readOps},
                      {"writeOps", counters.writeOps},
                      {"unsavedBytes", counters.unsavedBytes},
                      {"inFlight", counters.inFlight},
                      {"oldestMs", counters.oldest ? ageMs(*counters.oldest) : 0}};
        if (withRequests) {
            Json requests = Json::array();
            for (const engine::TargetRequest& request : engine_.inFlight(id))
                requests.push_back({{"sequence", request.request.sequence.value},
                                    {"op", opText(request.request.op)},
                                    {"offset", request.request.offset},
                                    {"length", request.request.length},
                                    {"state", request.answered ? "answered" : "sent"},
                                    {"ageMs", ageMs(request.arrived)}});
            entry["requests"] = std::move(requests);
        }
        list.push_back(std::move(entry));
    }
    return list;
}

}  // namespace belay::helper
