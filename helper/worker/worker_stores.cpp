#include "helper/worker/worker_stores.h"

#include "core/base/log.h"
#include "helper/protocol/export_json.h"
#include "helper/protocol/request_words.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
constexpr auto kPredecessorPatience = 5s;
constexpr auto kRetry = 20ms;

// Until the engine takes the store over; nothing is asked of it before.
class NoListener final : public store::StoreListener {
    void storeDone(std::uint64_t, int) override {}
};

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

Result<std::unique_ptr<store::Store>> openStore(Ring& ring, int fd,
                                                const store::StoreOptions& options,
                                                Duration patience) {
    static NoListener nobody;
    const TimePoint deadline = Clock::now() + patience;
    for (;;) {
        // adopt() takes the descriptor even when it fails, so each try has its own.
        Fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
        if (!own)
            return systemError("pass on", options.path);
        auto store = store::Store::adopt(ring, std::move(own), options, nobody);
        if (store || store.error().code != EBUSY || Clock::now() >= deadline)
            return store;
        std::this_thread::sleep_for(kRetry);
    }
}

}  // namespace

WorkerStores::WorkerStores(Ring& ring, engine::TargetEngine& engine, std::string stateDir,
                           Hooks hooks)
    : ring_(ring), engine_(engine), stateDir_(std::move(stateDir)), hooks_(std::move(hooks)) {}

WorkerStores::~WorkerStores() {
    if (poll_)
        ring_.cancel(*poll_);
}

Result<void> WorkerStores::offer(const Json& stores, int firstFd, bool mayLack) {
    int fd = firstFd;
    for (const Json& entry : stores) {
        const Fd own(fd++);
        Fd witness(fd++);
        const auto opened = open(entry, own, witness, kPredecessorPatience);
        if (!opened && !mayLack)
            return tl::make_unexpected(opened.error());
        if (!opened)
            log::warning("{}", opened.error().message());
    }
    return {};
}

Result<wire::ExportInfo> WorkerStores::open(const Json& config, const Fd& own, Fd& witness,
                                            Duration patience) {
    const ExportId id(config.at("id").get<std::uint32_t>());
    store::StoreOptions options;
    options.path = config.at("path").get<std::string>();
    options.readOnly = config.at("readOnly").get<bool>();
    options.blockSize = config.at("blockSize").get<std::uint32_t>();
    options.lastBlockSize = config.value("lastBlockSize", std::uint32_t{0});
    options.uuid = Uuid::parse(config.value("uuid", std::string())).value_or(Uuid{});
    options.stateDir = stateDir_;
    options.witness = witness.get();
    options.replaced = config.at("replaced").get<std::uint64_t>();
    options.losses = config.value("losses", std::uint64_t{0});
    auto store = openStore(ring_, own.get(), options, patience);
    if (!store)
        return tl::make_unexpected(store.error());
    const auto reason = (*store)->geometry().blockSizeReason;
    engine_.addStore(id, config.at("label").get<std::string>(), std::move(*store));
    const auto exports = engine_.exports();
    const auto info = std::ranges::find(exports, id, &wire::ExportInfo::id);
    stores_[id] = {config, std::move(witness), *info, reason};
    return *info;
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
        const auto patience = std::chrono::milliseconds(message.at("patienceMs").get<unsigned>());
        adding_[id] = {config, std::move(fds[0]), std::move(fds[1]), Clock::now() + patience};
        poll();
    }
}

// False: not yet.
bool WorkerStores::tryToAdd(ExportId id) {
    if (retiring_.contains(id))
        return false;  // the last one of this number
    Adding& adding = adding_.at(id);
    const auto opened = open(adding.config, adding.own, adding.witness, Duration::zero());
    if (!opened && opened.error().code == EBUSY && Clock::now() < adding.deadline)
        return false;
    if (opened) {
        hooks_.send({{"type", "store-added"}, {"id", id.value}, {"export", toJson(*opened)}}, {});
        hooks_.changed();
    } else {
        failed(id, opened.error());
    }
    return true;
}

void WorkerStores::failed(ExportId id, const Error& error) {
    hooks_.send({{"type", "store-failed"}, {"id", id.value}, {"error", toJson(error)}}, {});
}

void WorkerStores::remove(ExportId id) {
    adding_.erase(id);
    if (stores_.erase(id) > 0) {
        engine_.retireStore(id);
        retiring_.insert(id);
        hooks_.changed();
        poll();
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
    std::erase_if(adding_, [this](const auto& item) { return tryToAdd(item.first); });
    if (!retiring_.empty() || !adding_.empty())
        poll_ = ring_.callAfter(kRetry, [this] {
            poll_.reset();
            poll();
        });
}

// -- what there is

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
