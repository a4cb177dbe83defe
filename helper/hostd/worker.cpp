#include "helper/hostd/worker.h"

#include "core/base/log.h"
#include "core/engine/host_initiator_session.h"
#include "core/engine/host_target_session.h"
#include "helper/worker/confine.h"
#include "helper/worker/device_server.h"
#include "helper/worker/worker_stores.h"

#include <unistd.h>

#include <array>

namespace belay::helper {
namespace {

constexpr int kChannelFd = 3;
constexpr int kFirstStoreFd = 4;
constexpr unsigned kRingEntries = 2048;

class HostWorker {
 public:
    HostWorker(Ring& ring, const Json& config, std::unique_ptr<ublk::ServerControl> control)
        : ring_(ring),
          control_(std::move(control)),
          channel_(
              ring, Fd(kChannelFd),
              [this](const Json& message, std::vector<Fd> fds) { handle(message, std::move(fds)); },
              [this](const Error& reason) { end(reason); }),
          target_(ring) {
        terms_.host = Uuid::parse(config.at("host").get<std::string>()).value_or(Uuid::random());
        terms_.payloadCrc = config.at("payloadCrc").get<bool>();
        lend_ = !config.at("stores").empty();
        if (control_) {
            control_->watch(ring);
            devices_ = std::make_unique<DeviceServer>(ring, *control_, channel_,
                                                      [this](const Error& reason) { end(reason); });
        }
    }

    Result<void> offer(const Json& config) {
        return offerStores(ring_, target_, config.at("stores"), kFirstStoreFd,
                           config.at("stateDir").get<std::string>());
    }

    int run() {
        channel_.send({{"type", "ready"}});
        if (auto ran = ring_.run(); !ran)
            end(ran.error());
        return EXIT_SUCCESS;
    }

 private:
    void handle(const Json& message, std::vector<Fd> fds) {
        if (devices_ && devices_->handle(message))
            return;
        const auto type = message.at("type").get<std::string>();
        if (type == "gadget" && fds.size() == 1)
            gadgetFound(std::move(fds.front()), message.at("name").get<std::string>());
        else if (type == "gadget-gone")
            gadgetGone();
        else if (type == "recover")
            recover();
        else if (type == "report")
            report(message.at("requests").get<bool>());
    }

    void report(bool withRequests) {
        channel_.send({{"type", "report"},
                       {"devices", devices_ ? devices_->report(withRequests) : Json::array()}});
    }

    void gadgetFound(Fd usbfs, const std::string& name) {
        gadgetGone();
        std::vector<std::byte> bytes(usb::kMaxDescriptorBytes);
        const ssize_t length = ::pread(usbfs.get(), bytes.data(), bytes.size(), 0);
        if (length < 0) {
            log::error("{}", systemError("read the descriptors of", name).value().message());
            return;
        }
        bytes.resize(static_cast<std::size_t>(length));
        const auto descriptors = usb::parseInterfaces(bytes);
        auto device = usb::Device::open(ring_, std::move(usbfs), name);
        if (!descriptors || !device) {
            log::error("{}: {}", name,
                       (descriptors ? device.error() : descriptors.error()).message());
            return;
        }
        // The old sessions go only when the new ones have taken their place with the engines.
        auto oldInitiator = std::move(initiatorSession_);
        auto oldTarget = std::move(targetSession_);
        for (const usb::Interface& interface : descriptors->interfaces) {
            if (interface.role == usb::Role::Attach && devices_ && !initiatorSession_)
                initiatorSession_ = std::make_unique<engine::HostInitiatorSession>(
                    *device, interface, terms_, devices_->engine(), devices_->exportsListener());
            else if (interface.role == usb::Role::Lend && lend_ && !targetSession_)
                targetSession_ = std::make_unique<engine::HostTargetSession>(*device, interface,
                                                                             terms_, target_);
        }
        if (initiatorSession_)
            initiatorSession_->start();
        if (targetSession_)
            targetSession_->start();
        if (!initiatorSession_ && !targetSession_)
            log::warning("{} offers nothing that was asked for", name);
    }

    // The sessions stay until the next gadget comes: their links are going down.
    void gadgetGone() {
        if (initiatorSession_)
            initiatorSession_->stop();
        if (targetSession_)
            targetSession_->stop();
    }

    void recover() {
        if (initiatorSession_)
            initiatorSession_->restart();
        if (targetSession_)
            targetSession_->restart();
    }

    // A half-dead server is the one thing that no kernel notices: all or nothing.
    [[noreturn]] void end(const Error& reason) {
        log::error("{}", reason.message());
        ::_exit(EXIT_FAILURE);
    }

    Ring& ring_;
    std::unique_ptr<ublk::ServerControl> control_;
    Channel channel_;
    engine::TargetEngine target_;
    std::unique_ptr<DeviceServer> devices_;
    engine::HostTerms terms_;
    bool lend_ = false;
    std::unique_ptr<engine::HostInitiatorSession> initiatorSession_;
    std::unique_ptr<engine::HostTargetSession> targetSession_;
};

Result<int> serve(const Json& config) {
    const auto identity = identityOf(config.at("user").get<std::string>());
    if (!identity)
        return tl::make_unexpected(identity.error());
    std::unique_ptr<ublk::ServerControl> control;
    if (config.at("attach").get<bool>()) {
        auto created = ublk::ServerControl::create();
        if (!created)
            return tl::make_unexpected(created.error());
        control = std::move(*created);
    }
    joinWriteBackPath();
    auto ring = Ring::create(kRingEntries);
    if (!ring)
        return tl::make_unexpected(ring.error());
    HostWorker worker(**ring, config, std::move(control));
    if (auto offered = worker.offer(config); !offered)
        return tl::make_unexpected(offered.error());
    if (auto dropped = giveUpPrivileges(*identity); !dropped)
        return tl::make_unexpected(dropped.error());
    return worker.run();
}

}  // namespace

int hostWorkerMain(const std::string& config) {
    nameProcess("belay-hostd");
    log::setup("belay-hostd[worker]", log::Level::Notice);
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
