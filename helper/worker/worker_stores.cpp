#include "helper/worker/worker_stores.h"

#include <fcntl.h>
#include <unistd.h>

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
                                                const store::StoreOptions& options) {
    static NoListener nobody;
    const TimePoint deadline = Clock::now() + kPredecessorPatience;
    for (;;) {
        // adopt() takes the descriptor even when it fails, so each try has its own.
        Fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
        if (!own)
            return systemError("pass on", options.path);
        auto store = store::Store::adopt(ring, std::move(own), options, nobody);
        if (store || store.error().code != EBUSY || Clock::now() > deadline)
            return store;
        std::this_thread::sleep_for(kRetry);
    }
}

}  // namespace

Result<void> offerStores(Ring& ring, engine::TargetEngine& engine, const Json& stores, int firstFd,
                         const std::string& stateDir) {
    int fd = firstFd;
    for (const Json& entry : stores) {
        store::StoreOptions options;
        options.path = entry.at("path").get<std::string>();
        options.readOnly = entry.at("readOnly").get<bool>();
        options.blockSize = entry.at("blockSize").get<std::uint32_t>();
        options.stateDir = stateDir;
        const Fd own(fd++);
        const Fd witness(fd++);
        options.witness = witness.get();
        auto store = openStore(ring, own.get(), options);
        if (!store)
            return tl::make_unexpected(store.error());
        engine.addStore(ExportId(entry.at("id").get<std::uint32_t>()),
                        entry.at("label").get<std::string>(), std::move(*store));
    }
    return {};
}

}  // namespace belay::helper
