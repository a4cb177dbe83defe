#include "helper/supervisor/gadget_presence.h"

#include "core/base/fd.h"
#include "core/base/log.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace belay::helper {
namespace {

constexpr auto kHandOverAgain = std::chrono::seconds(3);

// What tells one plugging in from the next.
std::string nameOf(const usb::Gadget& gadget) {
    const std::string& name = gadget.product.empty() ? gadget.manufacturer : gadget.product;
    return fmt::format("{} {} (port {}, {})", name.empty() ? "gadget" : name, gadget.serial,
                       gadget.port, gadget.devnode);
}

}  // namespace

GadgetPresence::GadgetPresence(Ring& ring, PresenceHooks hooks)
    : ring_(ring),
      hooks_(std::move(hooks)),
      portReset_(ring, {.tellWorkers =
                            [this](const Json& message) {
                                hooks_.tellWorker(message, {});
                                return hooks_.workerReady() ? 1U : 0U;
                            },
                        .over =
                            [this] {
                                handedOver_.clear();
                                handOver();
                            }}) {}

GadgetPresence::~GadgetPresence() {
    forgetTrouble();
}

void GadgetPresence::plugged(const usb::Gadget& gadget) {
    gadget_ = gadget;
    handOver();
}

void GadgetPresence::unplugged() {
    gadget_.reset();
    portReset_.unplugged();
    workerDied();
    hooks_.tellWorker({{"type", "gadget-gone"}}, {});
}

void GadgetPresence::workerReady(const std::string& has) {
    handedOver_ = has;
    handOver();
}

void GadgetPresence::workerDied() {
    portReset_.workerDied();
    handedOver_.clear();
    sessions_.clear();
    forgetTrouble();
}

void GadgetPresence::handOver() {
    if (!gadget_ || !hooks_.workerReady() || handedOver_ == nameOf(*gadget_) ||
        portReset_.isUnderWay())
        return;
    forgetTrouble();
    const Fd node(::open(gadget_->devnode.c_str(), O_RDWR | O_CLOEXEC));
    if (!node) {
        failed(systemError("open", gadget_->devnode).value().message());
        return;
    }
    handedOver_ = nameOf(*gadget_);
    hooks_.tellWorker({{"type", "gadget"}, {"name", handedOver_}}, {node.get()});
}

bool GadgetPresence::handle(const std::string& type, const Json& message) {
    if (type == "gadget-failed") {
        // Of one that was unplugged since, nobody wants to know.
        if (gadget_ && message.at("name").get<std::string>() == handedOver_)
            failed(message.at("error").get<std::string>());
        return true;
    }
    if (portReset_.handle(type, message, gadget_ ? gadget_->devnode : std::string()))
        return true;
    if (type != "session")
        return false;
    sessions_[message.at("direction").get<std::string>()] = {
        message.at("state").get<std::string>(), message.at("reason").get<std::string>()};
    if (const auto protocol = message.at("protocol").get<std::string>(); !protocol.empty())
        protocol_ = protocol;
    hooks_.changed();
    return true;
}

void GadgetPresence::failed(const std::string& reason) {
    log::error("{}: {}", nameOf(*gadget_), reason);
    handedOver_.clear();
    forgetTrouble();
    trouble_ = reason;
    again_ = ring_.callAfter(kHandOverAgain, [this] {
        again_.reset();
        handOver();
    });
    hooks_.changed();
}

void GadgetPresence::forgetTrouble() {
    trouble_.clear();
    if (again_)
        ring_.cancel(*std::exchange(again_, std::nullopt));
}

bool GadgetPresence::isOpen(const std::string& direction) const {
    const auto session = sessions_.find(direction);
    return session != sessions_.end() && session->second.state == "open";
}

const GadgetPresence::Session* GadgetPresence::sessionIn(const char* state) const {
    const auto found = std::ranges::find_if(
        sessions_, [&](const auto& item) { return item.second.state == state; });
    return found == sessions_.end() ? nullptr : &found->second;
}

void GadgetPresence::fill(GadgetView& view) const {
    view.present = gadget_.has_value();
    view.speedMbps = gadget_ ? gadget_->speedMbps : 0;
    view.protocol = protocol_;
    if (!gadget_) {
        view.link = "absent";
    } else if (!trouble_.empty()) {
        view.link = "trouble";
        view.trouble = trouble_;
    } else if (sessionIn("open") != nullptr) {
        view.link = "open";
    } else if (const Session* refused = sessionIn("refused")) {
        view.link = "refused";
        view.trouble = refused->reason;
    } else if (const Session* lost = sessionIn("lost")) {
        view.link = "trouble";
        view.trouble = lost->reason;
    } else {
        view.link = "connecting";
    }
}

}  // namespace belay::helper
