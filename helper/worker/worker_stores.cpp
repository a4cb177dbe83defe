#include "helper/worker/worker_stores.h"

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

Result<void> WorkerStores::offer(const Json& stores, int firstFd) {
    int fd = firstFd;
    for (const Json& entry : stores) {
        Fd own(fd++);
        Fd witness(fd++);
        if (auto opened = open(entry, std::move(own), std::move(witness), kPredecessorPatience);
            !opened)
            return tl::make_unexpected(opened.error());
    }
    return {};
}

Result<wire::ExportInfo> WorkerStores::add(const Json& store, Fd own, Fd witness) {
    if (has(ExportId(store.at("id").get<std::uint32_t>())))
        return errorFrom(EEXIST, "offer", store.at("path").get<std::string>());
    return open(store, std::move(own), std::move(witness), Duration::zero());
}

Result<wire::ExportInfo> WorkerStores::open(const Json& config, Fd own, Fd witness,
                                            Duration patience) {
    const ExportId id(config.at("id").get<std::uint32_t>());
    store::StoreOptions options;
    options.path = config.at("path").get<std::string>();
    options.readOnly = config.at("readOnly").get<bool>();
    options.blockSize = config.at("blockSize").get<std::uint32_t>();
    options.stateDir = stateDir_;
    options.witness = witness.get();
    auto store = openStore(ring_, own.get(), options, patience);
    if (!store)
        return tl::make_unexpected(store.error());
    engine_.addStore(id, config.at("label").get<std::string>(), std::move(*store));
    const auto exports = engine_.exports();
    const auto info = std::ranges::find(exports, id, &wire::ExportInfo::id);
    stores_[id] = {config, std::move(witness), *info};
    return *info;
}

void WorkerStores::remove(ExportId id, std::function<void()> done) {
    if (stores_.erase(id) == 0)
        return;
    engine_.retireStore(id);
    // Its last requests end with the session, or when the store has done them.
    struct Waiter {
        static void look(WorkerStores& stores, ExportId id, const std::function<void()>& done) {
            if (stores.engine_.removeStore(id))
                done();
            else
                stores.ring_.callAfter(kRetry, [&stores, id, done] { look(stores, id, done); });
        }
    };
    Waiter::look(*this, id, done);
}

Json WorkerStores::list() const {
    Json list = Json::array();
    for (const auto& [id, store] : stores_) {
        Json entry = store.config;
        entry["export"] = toJson(store.info);
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
