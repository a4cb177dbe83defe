#include "helper/hostd/target_worker.h"

#include "core/engine/host_target_session.h"
#include "helper/hostd/gadget_on_bus.h"
#include "helper/worker/worker_main.h"
#include "helper/worker/worker_stores.h"

namespace belay::helper {
namespace {

class HostTargetWorker {
 public:
    HostTargetWorker(Ring& ring, const Json& config)
        : ring_(ring),
          supervisor_(
              ring, Fd(kSupervisorFd), config.at("lasting").get<bool>(),
              [this](const Json& message, std::vector<Fd> fds) { handle(message, fds); },
              [this] { greet(); }, endWorker),
          engine_(ring),
          stores_(ring, engine_, config.at("stateDir").get<std::string>(),
                  {[this](const Json& message, const std::vector<int>& fds) {
                       supervisor_.send(message, fds);
                   },
                   [this] { storesChanged(); }}),
          gadget_(ring, supervisor_, usb::Role::Lend, config.at("mimicFastboot").get<bool>(),
                  [this, terms = hostTermsFrom(config)](const auto& device, const auto& interface) {
                      return stores_.empty() ? nullptr
                                             : std::make_unique<engine::HostTargetSession>(
                                                   device, interface, terms, engine_);
                  }) {}

    int run() { return runWorker(ring_, supervisor_); }

 private:
    // A supervisor that has just come knows nothing.
    void greet() {
        if (std::exchange(greeted_, true))
            stores_.dropPending();
        supervisor_.send({{"type", "ready"},
                          {"stores", stores_.list()},
                          {"leavingStores", stores_.leaving()},
                          {"gadget", gadget_.name()}});
        gadget_.tellStanding();
    }

    void handle(const Json& message, std::vector<Fd>& fds) {
        if (stores_.handle(message, fds) || gadget_.handle(message, fds))
            return;
        if (message.at("type").get<std::string>() != "report")
            return;
        const bool withRequests = message.at("requests").get<bool>();
        supervisor_.send({{"type", "report"},
                          {"requests", withRequests},
                          {"stores", stores_.report(withRequests)}});
    }

    void storesChanged() {
        if (stores_.empty())
            gadget_.endSession();
        else
            gadget_.changed();
    }

    Ring& ring_;
    SupervisorLink supervisor_;
    engine::TargetEngine engine_;
    WorkerStores stores_;
    GadgetOnBus gadget_;
    bool greeted_ = false;
};

Result<int> serveStores(const Json& config) {
    auto ring = makeWorkerRing(WorkerRole::Target);
    if (!ring)
        return tl::make_unexpected(ring.error());
    HostTargetWorker worker(**ring, config);
    // Stores come while it runs, and each has its write-back state.
    if (auto confined = confineWorker(config, Side::Host, WorkerRole::Target,
                                      config.at("stateDir").get<std::string>(),
                                      config.at("lasting").get<bool>());
        !confined)
        return tl::make_unexpected(confined.error());
    return worker.run();
}

}  // namespace

int hostTargetMain(const std::string& config) {
    return workerMain("belay-hostd", WorkerRole::Target, config, serveStores);
}

}  // namespace belay::helper
