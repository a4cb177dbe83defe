#pragma once

#include "core/base/ring.h"
#include "core/engine/target_engine.h"
#include "helper/supervisor/channel.h"

#include <map>
#include <string>

namespace belay::helper {

// The stores that a worker offers through its target engine: those of its configuration, and those
// that come and go while it runs. For each the supervisor gives two descriptors: see
// StoreSet::openForWorker() and Lending.
class WorkerStores {
 public:
    // `stateDir`: where stores keep their write-back state.
    WorkerStores(Ring& ring, engine::TargetEngine& engine, std::string stateDir)
        : ring_(ring), engine_(engine), stateDir_(std::move(stateDir)) {}

    // The "stores" of a configuration ({id, label, readOnly, path, blockSize}), from descriptor
    // `firstFd` on. A store that a dead predecessor still holds is waited for, for at most five
    // seconds.
    Result<void> offer(const Json& stores, int firstFd);
    // One more. EBUSY: somebody holds it; try again.
    Result<wire::ExportInfo> add(const Json& store, Fd own, Fd witness);
    // Takes one back: `done` is called when it is closed. Does nothing if there is none.
    void remove(ExportId id, std::function<void()> done);

    bool has(ExportId id) const { return stores_.contains(id); }
    bool empty() const { return stores_.empty(); }
    // The witness of one that is there.
    const Fd& witness(ExportId id) const { return stores_.at(id).witness; }
    // As configured, each with its export: for a supervisor that knows nothing yet.
    Json list() const;
    Json report(bool withRequests) const;

 private:
    struct Offered {
        Json config;
        Fd witness;
        wire::ExportInfo info;
    };

    Result<wire::ExportInfo> open(const Json& store, Fd own, Fd witness, Duration patience);

    Ring& ring_;
    engine::TargetEngine& engine_;
    const std::string stateDir_;
    std::map<ExportId, Offered> stores_;
};

}  // namespace belay::helper
