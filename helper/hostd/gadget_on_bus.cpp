#include "helper/hostd/gadget_on_bus.h"

#include "core/base/log.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace belay::helper {
namespace {

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

}  // namespace

GadgetOnBus::GadgetOnBus(Ring& ring, SupervisorLink& supervisor, usb::Role role, bool mimicFastboot,
                         MakeSession makeSession)
    : ring_(ring),
      supervisor_(supervisor),
      role_(role),
      mimicFastboot_(mimicFastboot),
      makeSession_(std::move(makeSession)) {}

GadgetOnBus::~GadgetOnBus() = default;

bool GadgetOnBus::handle(const Json& message, std::vector<Fd>& fds) {
    const auto type = message.at("type").get<std::string>();
    if (type == "gadget" && fds.size() == 1)
        found(std::move(fds.front()), message.at("name").get<std::string>());
    else if (type == "gadget-gone")
        gone();
    else if (type == "let-go")
        letGo(message.at("number").get<unsigned>());
    else if (type == "recover" && session_)
        session_->restart();
    else
        return type == "recover";
    return true;
}

void GadgetOnBus::found(Fd usbfs, const std::string& name) {
    gone();
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
    name_ = name;
    device_ = *device;
    interfaces_ = descriptors->interfaces;
    if (interfaceFor(role_) == nullptr)
        log::warning("{} does not offer {}", name,
                     role_ == usb::Role::Attach ? "anything to attach" : "to borrow anything");
    // The old session goes only when the new one has taken its place with the engine.
    const auto old = std::move(session_);
    openSession();
}

void GadgetOnBus::cannotOpen(const std::string& name, const Error& reason) {
    log::error("{}: {}", name, reason.message());
    supervisor_.send({{"type", "gadget-failed"}, {"name", name}, {"error", reason.message()}});
}

void GadgetOnBus::openSession() {
    const usb::Interface* interface = interfaceFor(role_);
    if (interface == nullptr)
        return;
    session_ = makeSession_(device_, *interface);
    if (!session_)
        return;
    session_->watch([this](auto, const std::string&) { tellStanding(); });
    session_->setPortReset([this](bool byUser) {
        supervisor_.send({{"type", "reset-port"}, {"byUser", byUser}});
    });
    session_->start();
    tellStanding();
    retired_.reset();
}

void GadgetOnBus::changed() {
    if (!session_)
        openSession();
}

void GadgetOnBus::endSession() {
    if (!session_)
        return;
    session_->stop();
    retired_ = std::move(session_);
}

void GadgetOnBus::tellStanding() {
    if (!session_)
        return;
    const bool open = session_->standing() == engine::HostSession::Standing::Open;
    supervisor_.send({{"type", "session"},
                      {"direction", role_ == usb::Role::Attach ? "attach" : "lend"},
                      {"state", wordFor(session_->standing())},
                      {"protocol", open ? session_->protocol() : ""},
                      {"reason", session_->reason()}});
}

const usb::Interface* GadgetOnBus::interfaceFor(usb::Role role) const {
    const auto found = std::ranges::find(interfaces_, role, &usb::Interface::role);
    if (device_ && found != interfaces_.end())
        return &*found;
    const bool another = role == usb::Role::Lend && mimicFastboot_;
    return another ? interfaceFor(usb::Role::Fastboot) : nullptr;
}

// The session stays until the next gadget comes: its link is going down.
void GadgetOnBus::gone() {
    name_.clear();
    lettingGo_ = false;
    device_.reset();
    if (session_)
        session_->stop();
}

void GadgetOnBus::letGo(unsigned number) {
    lettingGo_ = true;
    const auto done = [this, number] {
        // Another gadget has come meanwhile, or this one is gone.
        if (!std::exchange(lettingGo_, false))
            return;
        const auto open = device_ ? device_->openHandle() : std::weak_ptr<const void>();
        name_.clear();
        device_.reset();
        session_.reset();
        retired_.reset();
        tellWhenClosed(open, number);
    };
    if (session_)
        session_->stop(done);
    else
        done();
}

// A store that hangs still has memory of the device.
void GadgetOnBus::tellWhenClosed(const std::weak_ptr<const void>& open, unsigned number) {
    if (open.expired())
        supervisor_.send({{"type", "let-go"}, {"number", number}});
    else
        ring_.callAfter(kLookAgain, [this, open, number] { tellWhenClosed(open, number); });
}

engine::HostTerms hostTermsFrom(const Json& config) {
    engine::HostTerms terms;
    terms.host = Uuid::parse(config.at("host").get<std::string>()).value_or(Uuid::random());
    terms.payloadCrc = config.at("payloadCrc").get<bool>();
    terms.smooWriteBack = config.at("smooWriteBack").get<bool>();
    return terms;
}

}  // namespace belay::helper
