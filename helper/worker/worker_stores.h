#pragma once

#include "core/base/ring.h"
#include "core/engine/target_engine.h"
#include "helper/supervisor/channel.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace belay::helper {

// The stores that a worker offers through its target engine, which come and go while it runs. For
// each the supervisor gives two descriptors: see OfferedFile.
//
// Messages it takes:
//   store-add  store, patienceMs  (with two descriptors)   offer one more: {id, label, readOnly,
//                                 path, blockSize, lastBlockSize, uuid, replaced, losses,
//                                 witnessProves}. One that somebody holds, as a rule a dead worker
//                                 with I/O under way, is waited for so long
//   store-remove  id              offer it no more
//   witness  id                   hand its witness out
// Messages it sends:
//   store-added  id, export, blockSizeReason (see list())  it is open
//   store-failed  id, error       it is not
//   store-leaving  id             it takes no more requests, but has some under way
//   store-removed  id             its last request is done, and it is closed or never was open
//   witness  id  (with its descriptor)
class WorkerStores {
 public:
    struct Hooks {
        std::function<void(const Json& message, const std::vector<int>& fds)> send;
        // What is offered has changed, which the engine's session knows. Of those that come
        // together, and whose file systems are well, it is called once.
        std::function<void()> changed;
    };

    // `stateDir`: where stores keep their write-back state.
    WorkerStores(Ring& ring, engine::TargetEngine& engine, std::string stateDir, Hooks hooks);
    ~WorkerStores();
    WorkerStores(const WorkerStores&) = delete;
    WorkerStores& operator=(const WorkerStores&) = delete;

    // False if the message is none of the above.
    bool handle(const Json& message, std::vector<Fd>& fds);
    // A new supervisor knows nothing of what its predecessor still waited for.
    void dropPending();

    // The ids of those of which "store-removed" has still to come.
    Json leaving() const;
    bool empty() const { return stores_.empty(); }
    // As they came, each with its export and the reason for its block size ("asked", "remembered",
    // "partition-table" or "usual"): for a supervisor that knows nothing yet.
    Json list() const;
    Json report(bool withRequests) const;

 private:
    struct Offered {
        Json config;
        Fd witness;
        wire::ExportInfo info;
        store::BlockSizeReason reason;
    };
    // One on its way, from its descriptors to a store that is settled.
    struct Adding final : store::StoreListener {
        Json config;
        Fd own;
        Fd witness;
        TimePoint deadline;  // for its last user to let go of it
        std::unique_ptr<store::Store> store;
        WorkerStores* stores = nullptr;

        void storeDone(std::uint64_t, int) override {}
        void storeSettled() override { stores->settled(*this); }
    };

    void add(const Json& message, std::vector<Fd>& fds);
    Result<void> open(Adding& adding);
    void tryToAdd(ExportId id);
    void settled(Adding& adding);
    void take(ExportId id);
    void tellAdded(ExportId id);
    void changed();
    void tellChanged();
    void drop(ExportId id);
    void remove(ExportId id);
    void failed(ExportId id, const Error& error);
    void passWitness(ExportId id);
    void poll();
    void pollSoon();

    Ring& ring_;
    engine::TargetEngine& engine_;
    const std::string stateDir_;
    const Hooks hooks_;
    std::map<ExportId, Offered> stores_;
    std::map<ExportId, std::unique_ptr<Adding>> adding_;
    std::map<const Adding*, std::unique_ptr<Adding>> dropped_;  // until they are settled
    std::set<ExportId> retiring_;  // taken back, with requests under way
    std::optional<Ring::TimerId> poll_;
    std::optional<Ring::TimerId> tell_;  // while a change has still to be told
};

}  // namespace belay::helper
