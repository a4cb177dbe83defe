#include "helper/gadget/worker.h"

#include "core/base/log.h"
#include "core/engine/gadget_initiator_session.h"
#include "core/engine/gadget_target_session.h"
#include "core/ffs/aio_guard.h"
#include "helper/worker/confine.h"
#include "helper/worker/device_server.h"
#include "helper/worker/supervisor_link.h"
#include "helper/worker/syscall_filter.h"
#include "helper/worker/worker_stores.h"

#include <unistd.h>

#include <fstream>

namespace belay::helper {
namespace {

constexpr int kSupervisorFd = 3;
constexpr int kAliveFd = 4;
constexpr int kFirstStoreFd = 5;
constexpr unsigned kRingEntries = 2048;

constexpr std::uint32_t kMaxTransfer = 1 << 20;
constexpr std::uint16_t kMaxOutstanding = 256;
constexpr std::uint16_t kMaxExports = 256;

Uuid bootId() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string text;
    file >> text;
    return Uuid::parse(text).value_or(Uuid{});
}

wire::Hello helloOf(const Json& config) {
    wire::Hello hello;
    hello.features = wire::kFeaturePayloadCrc | wire::kFeaturePerExport;
    hello.maxTransfer = kMaxTransfer;
    hello.maxOutstanding = kMaxOutstanding;
    hello.maxExports = kMaxExports;
    hello.gadget = Uuid::parse(config.at("gadget").get<std::string>()).value_or(Uuid::random());
    hello.bootId = bootId();
    return hello;
}

wire::Hello withRole(wire::Hello hello, std::uint16_t role) {
    hello.roles = role;
    return hello;
}

class GadgetWorker final : public engine::GadgetListener {
 public:
    GadgetWorker(Ring& ring, std::unique_ptr<ublk::ServerControl> control)
        : ring_(ring),
          control_(std::move(control)),
          supervisor_(
              ring, Fd(kSupervisorFd), false,
              [this](const Json& message, std::vector<Fd> fds) { handle(message, fds); },
              [this] { greet(); }, [this](const Error& reason) { end(reason); }),
          target_(ring) {}

    Result<void> open(const Json& config) {
        const wire::Hello hello = helloOf(config);
        stores_.emplace(
            ring_, target_, config.at("stateDir").get<std::string>(),
            WorkerStores::Hooks{
                .send = [this](const Json& message,
                               const std::vector<int>& fds) { supervisor_.send(message, fds); },
                // The session tells the host.
                .changed = [] {}});
        if (auto offered = stores_->offer(config.at("stores"), kFirstStoreFd,
                                          config.at("mayLack").get<bool>());
            !offered)
            return offered;
        if (const auto mount = config.at("attachMount").get<std::string>(); !mount.empty()) {
            targetSession_ = std::make_unique<engine::GadgetTargetSession>(
                ring_, withRole(hello, wire::kRoleAttach), *this, target_);
            if (auto opened = targetSession_->open(mount, ffs::Kind::Attach); !opened)
                return opened;
        }
        if (const auto mount = config.at("lendMount").get<std::string>(); !mount.empty()) {
            control_->watch(ring_);
            devices_ = std::make_unique<DeviceServer>(ring_, *control_, supervisor_,
                                                      [this](const Error& reason) { end(reason); });
            initiatorSession_ = std::make_unique<engine::GadgetInitiatorSession>(
                ring_, withRole(hello, wire::kRoleLend), *this, devices_->engine(),
                devices_->exportsListener());
            const auto triple = config.at("mimicFastboot").get<bool>() ? ffs::LendTriple::Fastboot
                                                                       : ffs::LendTriple::Own;
            if (auto opened = initiatorSession_->open(mount, ffs::Kind::Lend, triple); !opened)
                return opened;
        }
        return {};
    }

    int run() {
        supervisor_.begin();
        if (auto ran = ring_.run(); !ran)
            end(ran.error());
        return EXIT_SUCCESS;
    }

 private:
    void greet() {
        supervisor_.send({{"type", "ready"},
                          {"stores", stores_->list()},
                          {"pendingStores", stores_->pending()}});
        supervisor_.send({{"type", "functions-ready"}});
    }

    void gadgetBound(bool bound) override { supervisor_.send({{"type", "bound"}, {"yes", bound}}); }
    void gadgetFailed(const Error& reason) override { end(reason); }

    void handle(const Json& message, std::vector<Fd>& fds) {
        if ((devices_ && devices_->handle(message, fds)) || stores_->handle(message, fds))
            return;
        const auto type = message.at("type").get<std::string>();
        if (type == "recover") {
            target_.endSession({"asked to recover", {}, 0, {}});
            if (devices_)
                devices_->engine().endSession({"asked to recover", {}, 0, {}});
        } else if (type == "report") {
            supervisor_.send(
                {{"type", "report"},
                 {"requests", message.at("requests").get<bool>()},
                 {"devices", devices_ ? devices_->report(message.at("requests")) : Json::array()},
                 {"stores", stores_->report(message.at("requests"))}});
        }
    }

    // A half-dead server is the one thing that no kernel notices: all or nothing.
    [[noreturn]] void end(const Error& reason) {
        log::error("{}", reason.message());
        ::_exit(EXIT_FAILURE);
    }

    Ring& ring_;
    std::unique_ptr<ublk::ServerControl> control_;
    SupervisorLink supervisor_;
    engine::TargetEngine target_;
    std::optional<WorkerStores> stores_;
    std::unique_ptr<DeviceServer> devices_;
    std::unique_ptr<engine::GadgetTargetSession> targetSession_;
    std::unique_ptr<engine::GadgetInitiatorSession> initiatorSession_;
};

Result<int> serve(const Json& config) {
    if (auto guarded = ffs::AioGuard::start(Fd(kAliveFd)); !guarded)
        return tl::make_unexpected(guarded.error());
    const auto identity = identityOf(config.at("user").get<std::string>());
    if (!identity)
        return tl::make_unexpected(identity.error());
    std::unique_ptr<ublk::ServerControl> control;
    if (!config.at("lendMount").get<std::string>().empty()) {
        auto created = ublk::ServerControl::create();
        if (!created)
            return tl::make_unexpected(created.error());
        control = std::move(*created);
    }
    joinWriteBackPath();
    auto ring = Ring::create(kRingEntries, kRingOperations);
    if (!ring)
        return tl::make_unexpected(ring.error());
    GadgetWorker worker(**ring, std::move(control));
    // FunctionFS's files are root's: they are opened before the privileges go.
    if (auto opened = worker.open(config); !opened)
        return tl::make_unexpected(opened.error());
    if (auto dropped = giveUpPrivileges(*identity, config.at("stateDir").get<std::string>(), false);
        !dropped)
        return tl::make_unexpected(dropped.error());
    if (auto filtered = filterSystemCalls(Side::Gadget); !filtered)
        return tl::make_unexpected(filtered.error());
    return worker.run();
}

}  // namespace

int gadgetWorkerMain(const std::string& config) {
    nameProcess("belay-gadget");
    log::setup("belay-gadget[worker]", log::Level::Notice);
    const Json parsed = Json::parse(config, nullptr, false);
    try {
        const auto served = serve(parsed);
        if (served)
            return *served;
        log::error("{}", served.error().message());
    } catch (const Json::exception& error) {
        log::error("bad configuration: {}", error.what());
    }
    return EXIT_FAILURE;
}

}  // namespace belay::helper
