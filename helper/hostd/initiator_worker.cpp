#include "helper/hostd/initiator_worker.h"

#include "core/engine/host_initiator_session.h"
#include "helper/hostd/gadget_on_bus.h"
#include "helper/worker/device_server.h"
#include "helper/worker/worker_main.h"

namespace belay::helper {
namespace {

class HostInitiatorWorker {
 public:
    HostInitiatorWorker(Ring& ring, ublk::ServerControl& control, const Json& config)
        : ring_(ring),
          supervisor_(
              ring, Fd(kSupervisorFd), config.at("lasting").get<bool>(),
              [this](const Json& message, std::vector<Fd> fds) { handle(message, fds); },
              [this] { greet(); }, endWorker),
          devices_(ring, control, supervisor_, endWorker),
          gadget_(ring, supervisor_, usb::Role::Attach, false,
                  [this, terms = hostTermsFrom(config)](const auto& device, const auto& interface) {
                      return std::make_unique<engine::HostInitiatorSession>(
                          device, interface, terms, devices_.engine(), devices_.exportsListener());
                  }) {}

    int run() { return runWorker(ring_, supervisor_); }

 private:
    // A supervisor that has just come knows nothing.
    void greet() {
        supervisor_.send(
            {{"type", "ready"}, {"devices", devices_.served()}, {"gadget", gadget_.name()}});
        devices_.tellAll();
        gadget_.tellStanding();
    }

    void handle(const Json& message, std::vector<Fd>& fds) {
        if (devices_.handle(message, fds) || gadget_.handle(message, fds))
            return;
        if (message.at("type").get<std::string>() != "report")
            return;
        const bool withRequests = message.at("requests").get<bool>();
        supervisor_.send({{"type", "report"},
                          {"requests", withRequests},
                          {"devices", devices_.report(withRequests)}});
    }

    Ring& ring_;
    SupervisorLink supervisor_;
    DeviceServer devices_;
    GadgetOnBus gadget_;
};

Result<int> serveDevices(const Json& config) {
    auto control = ublk::ServerControl::create();
    if (!control)
        return tl::make_unexpected(control.error());
    auto ring = makeWorkerRing(WorkerRole::Initiator);
    if (!ring)
        return tl::make_unexpected(ring.error());
    (*control)->watch(**ring);
    HostInitiatorWorker worker(**ring, **control, config);
    if (auto confined = confineWorker(config, Side::Host, WorkerRole::Initiator, {},
                                      config.at("lasting").get<bool>());
        !confined)
        return tl::make_unexpected(confined.error());
    return worker.run();
}

}  // namespace

int hostInitiatorMain(const std::string& config) {
    return workerMain("belay-hostd", WorkerRole::Initiator, config, serveDevices);
}

}  // namespace belay::helper
