#include "helper/gadget/initiator_worker.h"

#include "core/engine/gadget_initiator_session.h"
#include "core/ffs/aio_guard.h"
#include "helper/gadget/function_end.h"
#include "helper/worker/device_server.h"
#include "helper/worker/worker_main.h"

namespace belay::helper {
namespace {

class GadgetInitiatorWorker {
 public:
    GadgetInitiatorWorker(Ring& ring, ublk::ServerControl& control, const Json& config)
        : ring_(ring),
          supervisor_(
              ring, Fd(kSupervisorFd), false,
              [this](const Json& message, std::vector<Fd> fds) { handle(message, fds); },
              [this] { greet(); }, endWorker),
          function_(supervisor_),
          devices_(ring, control, supervisor_, endWorker),
          session_(ring, helloFrom(config, wire::kRoleLend), function_, devices_.engine(),
                   devices_.exportsListener()) {}

    Result<void> open(const Json& config) {
        const auto triple = config.at("mimicFastboot").get<bool>() ? ffs::LendTriple::Fastboot
                                                                   : ffs::LendTriple::Own;
        return session_.open(config.at("mount").get<std::string>(), ffs::Kind::Lend, triple);
    }

    int run() { return runWorker(ring_, supervisor_); }

 private:
    void greet() {
        supervisor_.send({{"type", "ready"}, {"devices", devices_.served()}});
        function_.tellReady();
    }

    void handle(const Json& message, std::vector<Fd>& fds) {
        if (devices_.handle(message, fds))
            return;
        const auto type = message.at("type").get<std::string>();
        if (type == "recover") {
            devices_.engine().endSession({"asked to recover", {}, 0, {}});
        } else if (type == "report") {
            const bool withRequests = message.at("requests").get<bool>();
            supervisor_.send({{"type", "report"},
                              {"requests", withRequests},
                              {"devices", devices_.report(withRequests)}});
        }
    }

    Ring& ring_;
    SupervisorLink supervisor_;
    FunctionEnd function_;
    DeviceServer devices_;
    engine::GadgetInitiatorSession session_;
};

Result<int> serveDevices(const Json& config) {
    if (auto guarded = ffs::AioGuard::start(Fd(kAliveFd)); !guarded)
        return tl::make_unexpected(guarded.error());
    auto control = ublk::ServerControl::create();
    if (!control)
        return tl::make_unexpected(control.error());
    auto ring = makeWorkerRing(WorkerRole::Initiator);
    if (!ring)
        return tl::make_unexpected(ring.error());
    (*control)->watch(**ring);
    GadgetInitiatorWorker worker(**ring, **control, config);
    // FunctionFS's files are root's: they are opened before the privileges go.
    if (auto opened = worker.open(config); !opened)
        return tl::make_unexpected(opened.error());
    if (auto confined = confineWorker(config, Side::Gadget, WorkerRole::Initiator, {}, false);
        !confined)
        return tl::make_unexpected(confined.error());
    return worker.run();
}

}  // namespace

int gadgetInitiatorMain(const std::string& config) {
    return workerMain("belay-gadget", WorkerRole::Initiator, config, serveDevices);
}

}  // namespace belay::helper
