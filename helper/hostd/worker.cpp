#include "helper/hostd/worker.h"

#include "core/base/log.h"
#include "core/engine/host_initiator_session.h"
#include "core/engine/host_target_session.h"
#include "helper/worker/confine.h"
#include "helper/worker/device_server.h"
#include "helper/worker/supervisor_link.h"
#include "helper/worker/syscall_filter.h"
#include "helper/worker/worker_stores.h"

#include <unistd.h>

#include <algorithm>

namespace belay::helper {
namespace {

constexpr int kSupervisorFd = 3;
constexpr int kFirstStoreFd = 4;
constexpr unsigned kRingEntries = 2048;
constexpr auto kLookAgain = std::chrono::milliseconds(20);

const char* wordFor(engine::HostSession::Standing standing) {
    switch (standing) {
        case engine::HostSession::Standing::Connecting:
            return "connecting";
        case engine::HostSession::Standing::Open:
            return "open";
        case engine::HostSession::Standing::Lost:
            return "lost";
        case engine::HostSession::Standing::Refused:
            break;
    }
    return "refused";
}

class HostWorker {
 public:
    HostWorker(Ring& ring, const Json& config, std::unique_ptr<ublk::ServerControl> control)
        : ring_(ring),
          control_(std::move(control)),
          supervisor_(
              ring, Fd(kSupervisorFd), config.at("lasting").get<bool>(),
              [this](const Json& message, std::vector<Fd> fds) { handle(message, std::move(fds)); },
              [this] { greet(); }, [this](const Error& reason) { end(reason); }),
          target_(ring),
          stores_(ring, target_, config.at("stateDir").get<std::string>(),
                  {[this](const Json& message, const std::vector<int>& fds) {
                       supervisor_.send(message, fds);
                   },
                   [this] { storesChanged(); }}) {
        terms_.host = Uuid::parse(config.at("host").get<std::string>()).value_or(Uuid::random());
        terms_.payloadCrc = config.at("payloadCrc").get<bool>();
        terms_.smooWriteBack = config.at("smooWriteBack").get<bool>();
        mimicFastboot_ = config.at("mimicFastboot").get<bool>();
        if (control_) {
            control_->watch(ring);
            devices_ = std::make_unique<DeviceServer>(ring, *control_, supervisor_,
                                                      [this](const Error& reason) { end(reason); });
        }
    }

    Result<void> offer(const Json& config) {
        return stores_.offer(config.at("stores"), kFirstStoreFd, config.at("mayLack").get<bool>());
    }

    int run() {
        supervisor_.begin();
        if (auto ran = ring_.run(); !ran)
            end(ran.error());
        return EXIT_SUCCESS;
    }

 private:
    // A supervisor that has just come knows nothing.
    void greet() {
        if (std::exchange(greeted_, true))
            stores_.dropPending();
        supervisor_.send({{"type", "ready"},
                          {"attach", devices_ != nullptr},
                          {"devices", devices_ ? devices_->served() : Json::array()},
                          {"stores", stores_.list()},
                          {"pendingStores", stores_.pending()},
                          {"gadget", gadget_}});
        if (devices_)
            devices_->tellAll();
        for (const engine::HostSession* session :
             {sessionOf(usb::Role::Attach), sessionOf(usb::Role::Lend)})
            if (session != nullptr)
                tellStanding(*session);
    }

    void handle(const Json& message, std::vector<Fd> fds) {
        if ((devices_ && devices_->handle(message, fds)) || stores_.handle(message, fds))
            return;
        const auto type = message.at("type").get<std::string>();
        if (type == "gadget" && fds.size() == 1)
            gadgetFound(std::move(fds.front()), message.at("name").get<std::string>());
        else if (type == "gadget-gone")
            gadgetGone();
        else if (type == "recover")
            recover();
        else if (type == "let-go")
            letGo(message.at("number").get<unsigned>());
        else if (type == "report")
            report(message.at("requests").get<bool>());
    }

    void report(bool withRequests) {
        supervisor_.send({{"type", "report"},
                          {"requests", withRequests},
                          {"devices", devices_ ? devices_->report(withRequests) : Json::array()},
                          {"stores", stores_.report(withRequests)}});
    }

    void storesChanged() {
        if (!targetSession_) {
            openLend();
        } else if (stores_.empty()) {
            targetSession_->stop();
            // Its link goes down first.
            retired_ = std::move(targetSession_);
        }
    }

    // -- the gadget

    void gadgetFound(Fd usbfs, const std::string& name) {
        gadgetGone();
        std::vector<std::byte> bytes(usb::kMaxDescriptorBytes);
        const ssize_t length = ::pread(usbfs.get(), bytes.data(), bytes.size(), 0);
        if (length < 0) {
            cannotOpen(name, systemError("read the descriptors of", name).value());
            return;
        }
        bytes.resize(static_cast<std::size_t>(length));
        const auto descriptors = usb::parseInterfaces(bytes);
        auto device = usb::Device::open(ring_, std::move(usbfs), name);
        if (!descriptors || !device) {
            cannotOpen(name, descriptors ? device.error() : descriptors.error());
            return;
        }
        gadget_ = name;
        device_ = *device;
        interfaces_ = descriptors->interfaces;
        // The old sessions go only when the new ones have taken their place with the engines.
        const auto oldInitiator = std::move(initiatorSession_);
        const auto oldTarget = std::move(targetSession_);
        if (const auto* interface = interfaceFor(usb::Role::Attach); interface && devices_) {
            initiatorSession_ = std::make_unique<engine::HostInitiatorSession>(
                device_, *interface, terms_, devices_->engine(), devices_->exportsListener());
            begin(*initiatorSession_);
        }
        openLend();
        if (!initiatorSession_ && !interfaceFor(usb::Role::Lend))
            log::warning("{} offers nothing that was asked for", name);
    }

    void cannotOpen(const std::string& name, const Error& reason) {
        log::error("{}: {}", name, reason.message());
        supervisor_.send({{"type", "gadget-failed"}, {"name", name}, {"error", reason.message()}});
    }

    void openLend() {
        const auto* interface = interfaceFor(usb::Role::Lend);
        if (interface == nullptr || stores_.empty())
            return;
        targetSession_ =
            std::make_unique<engine::HostTargetSession>(device_, *interface, terms_, target_);
        begin(*targetSession_);
        retired_.reset();
    }

    void begin(engine::HostSession& session) {
        session.watch([this, &session](auto, const std::string&) { tellStanding(session); });
        session.setPortReset([this](bool byUser) {
            supervisor_.send({{"type", "reset-port"}, {"byUser", byUser}});
        });
        session.start();
        tellStanding(session);
    }

    void tellStanding(const engine::HostSession& session) {
        const bool attach = &session == sessionOf(usb::Role::Attach);
        const bool open = session.standing() == engine::HostSession::Standing::Open;
        supervisor_.send({{"type", "session"},
                          {"direction", attach ? "attach" : "lend"},
                          {"state", wordFor(session.standing())},
                          {"protocol", open ? session.protocol() : ""},
                          {"reason", session.reason()}});
    }

    const engine::HostSession* sessionOf(usb::Role role) const {
        if (role == usb::Role::Attach)
            return initiatorSession_.get();
        return targetSession_.get();
    }

    const usb::Interface* interfaceFor(usb::Role role) const {
        const auto found = std::ranges::find(interfaces_, role, &usb::Interface::role);
        if (device_ && found != interfaces_.end())
            return &*found;
        const bool another = role == usb::Role::Lend && mimicFastboot_;
        return another ? interfaceFor(usb::Role::Fastboot) : nullptr;
    }

    // The sessions stay until the next gadget comes: their links are going down.
    void gadgetGone() {
        gadget_.clear();
        lettingGo_ = 0;
        device_.reset();
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

    // -- for a reset of the port

    void letGo(unsigned number) {
        letGoNumber_ = number;
        lettingGo_ = 1;
        for (engine::HostSession* session : {base(initiatorSession_), base(targetSession_)}) {
            if (session == nullptr)
                continue;
            ++lettingGo_;
            session->stop([this] { oneLetGo(); });
        }
        oneLetGo();
    }

    void oneLetGo() {
        // At 0 another gadget has come meanwhile, or this one is gone.
        if (lettingGo_ == 0 || --lettingGo_ > 0)
            return;
        const auto open = device_ ? device_->openHandle() : std::weak_ptr<const void>();
        gadget_.clear();
        device_.reset();
        initiatorSession_.reset();
        targetSession_.reset();
        retired_.reset();
        tellWhenClosed(open, letGoNumber_);
    }

    // A store that hangs still has memory of the device.
    void tellWhenClosed(const std::weak_ptr<const void>& open, unsigned number) {
        if (open.expired())
            supervisor_.send({{"type", "let-go"}, {"number", number}});
        else
            ring_.callAfter(kLookAgain, [this, open, number] { tellWhenClosed(open, number); });
    }

    template <class Session>
    static engine::HostSession* base(const std::unique_ptr<Session>& session) {
        return session.get();
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
    WorkerStores stores_;
    std::unique_ptr<DeviceServer> devices_;
    engine::HostTerms terms_;
    bool mimicFastboot_ = false;
    bool greeted_ = false;
    unsigned lettingGo_ = 0;  // sessions whose links are going down
    unsigned letGoNumber_ = 0;
    std::string gadget_;
    std::shared_ptr<usb::Device> device_;
    std::vector<usb::Interface> interfaces_;
    std::unique_ptr<engine::HostInitiatorSession> initiatorSession_;
    std::unique_ptr<engine::HostTargetSession> targetSession_;
    std::unique_ptr<engine::HostTargetSession> retired_;
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
    auto ring = Ring::create(kRingEntries, kRingOperations);
    if (!ring)
        return tl::make_unexpected(ring.error());
    HostWorker worker(**ring, config, std::move(control));
    if (auto offered = worker.offer(config); !offered)
        return tl::make_unexpected(offered.error());
    // Stores come while it runs, and each has its write-back state.
    const auto writable = config.at("stateDir").get<std::string>();
    if (auto dropped = giveUpPrivileges(*identity, writable, config.at("lasting").get<bool>());
        !dropped)
        return tl::make_unexpected(dropped.error());
    if (auto filtered = filterSystemCalls(Side::Host); !filtered)
        return tl::make_unexpected(filtered.error());
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
