#include "helper/gadget/target_worker.h"

#include "core/engine/gadget_target_session.h"
#include "core/ffs/aio_guard.h"
#include "helper/gadget/function_end.h"
#include "helper/worker/worker_main.h"
#include "helper/worker/worker_stores.h"

namespace belay::helper {
namespace {

class GadgetTargetWorker {
 public:
    GadgetTargetWorker(Ring& ring, const Json& config)
        : ring_(ring),
          supervisor_(
              ring, Fd(kSupervisorFd), false,
              [this](const Json& message, std::vector<Fd> fds) { handle(message, fds); },
              [this] { greet(); }, endWorker),
          function_(supervisor_),
          engine_(ring),
          stores_(ring, engine_, config.at("stateDir").get<std::string>(),
                  {[this](const Json& message, const std::vector<int>& fds) {
                       supervisor_.send(message, fds);
                   },
                   // The session tells the host.
                   [] {}}),
          session_(ring, helloFrom(config, wire::kRoleAttach), function_, engine_) {}

    Result<void> open(const Json& config) {
        return session_.open(config.at("mount").get<std::string>(), ffs::Kind::Attach);
    }

    int run() { return runWorker(ring_, supervisor_); }

 private:
    void greet() {
        supervisor_.send({{"type", "ready"}});
        function_.tellReady();
    }

    void handle(const Json& message, std::vector<Fd>& fds) {
        if (stores_.handle(message, fds))
            return;
        const auto type = message.at("type").get<std::string>();
        if (type == "recover") {
            engine_.endSession({"asked to recover", {}, 0, {}});
        } else if (type == "report") {
            const bool withRequests = message.at("requests").get<bool>();
            supervisor_.send({{"type", "report"},
                              {"requests", withRequests},
                              {"stores", stores_.report(withRequests)}});
        }
    }

    Ring& ring_;
    SupervisorLink supervisor_;
    FunctionEnd function_;
    engine::TargetEngine engine_;
    WorkerStores stores_;
    engine::GadgetTargetSession session_;
};

Result<int> serveStores(const Json& config) {
    if (auto guarded = ffs::AioGuard::start(Fd(kAliveFd)); !guarded)
        return tl::make_unexpected(guarded.error());
    auto ring = makeWorkerRing(WorkerRole::Target);
    if (!ring)
        return tl::make_unexpected(ring.error());
    GadgetTargetWorker worker(**ring, config);
    // FunctionFS's files are root's: they are opened before the privileges go.
    if (auto opened = worker.open(config); !opened)
        return tl::make_unexpected(opened.error());
    if (auto confined = confineWorker(config, Side::Gadget, WorkerRole::Target,
                                      config.at("stateDir").get<std::string>(), false);
        !confined)
        return tl::make_unexpected(confined.error());
    return worker.run();
}

}  // namespace

int gadgetTargetMain(const std::string& config) {
    return workerMain("belay-gadget", WorkerRole::Target, config, serveStores);
}

}  // namespace belay::helper
