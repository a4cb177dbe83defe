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
      portReset_(ring, {.tellWorkers = [this](const Json& message) { return tellWorkers(message); },
                        .over =
                            [this] {
                                for (const WorkerRole role : kWorkerRoles) {
                                    ends_[role].handedOver.clear();
                                    handOver(role);
                                }
                            }}) {}

GadgetPresence::~GadgetPresence() {
    for (auto& [role, end] : ends_)
        forgetTrouble(end);
}

void GadgetPresence::plugged(const usb::Gadget& gadget) {
    gadget_ = gadget;
    for (const WorkerRole role : kWorkerRoles)
        handOver(role);
}

void GadgetPresence::unplugged() {
    gadget_.reset();
    portReset_.unplugged();
    for (const WorkerRole role : kWorkerRoles) {
        workerDied(role);
        hooks_.tellWorker(role, {{"type", "gadget-gone"}}, {});
    }
}

void GadgetPresence::workerReady(WorkerRole role, const std::string& has) {
    ends_[role].handedOver = has;
    handOver(role);
}

void GadgetPresence::workerDied(WorkerRole role) {
    portReset_.workerDied(role);
    forgetTrouble(ends_[role]);
    ends_.erase(role);
}

std::set<WorkerRole> GadgetPresence::tellWorkers(const Json& message) {
    std::set<WorkerRole> told;
    for (const WorkerRole role : kWorkerRoles)
        if (hooks_.workerReady(role)) {
            hooks_.tellWorker(role, message, {});
            told.insert(role);
        }
    return told;
}

void GadgetPresence::handOver(WorkerRole role) {
    if (!gadget_ || !hooks_.workerReady(role) || ends_[role].handedOver == nameOf(*gadget_) ||
        portReset_.isUnderWay())
        return;
    forgetTrouble(ends_[role]);
    const Fd node(::open(gadget_->devnode.c_str(), O_RDWR | O_CLOEXEC));
    if (!node) {
        failed(role, systemError("open", gadget_->devnode).value().message());
        return;
    }
    ends_[role].handedOver = nameOf(*gadget_);
    hooks_.tellWorker(role, {{"type", "gadget"}, {"name", nameOf(*gadget_)}}, {node.get()});
}

bool GadgetPresence::handle(WorkerRole role, const std::string& type, const Json& message) {
    End& end = ends_[role];
    if (type == "gadget-failed") {
        // Of one that was unplugged since, nobody wants to know.
        if (gadget_ && message.at("name").get<std::string>() == end.handedOver)
            failed(role, message.at("error").get<std::string>());
        return true;
    }
    if (portReset_.handle(role, type, message, gadget_ ? gadget_->devnode : std::string()))
        return true;
    if (type != "session")
        return false;
    end.state = message.at("state").get<std::string>();
    end.reason = message.at("reason").get<std::string>();
    if (const auto protocol = message.at("protocol").get<std::string>(); !protocol.empty())
        protocol_ = protocol;
    hooks_.changed();
    return true;
}

void GadgetPresence::failed(WorkerRole role, const std::string& reason) {
    log::error("{}: {}", nameOf(*gadget_), reason);
    End& end = ends_[role];
    end.handedOver.clear();
    forgetTrouble(end);
    end.trouble = reason;
    end.again = ring_.callAfter(kHandOverAgain, [this, role] {
        ends_[role].again.reset();
        handOver(role);
    });
    hooks_.changed();
}

void GadgetPresence::forgetTrouble(End& end) {
    end.trouble.clear();
    if (end.again)
        ring_.cancel(*std::exchange(end.again, std::nullopt));
}

bool GadgetPresence::isOpen(WorkerRole role) const {
    const auto end = ends_.find(role);
    return end != ends_.end() && end->second.state == "open";
}

const GadgetPresence::End* GadgetPresence::endIn(const char* state) const {
    const auto found =
        std::ranges::find_if(ends_, [&](const auto& item) { return item.second.state == state; });
    return found == ends_.end() ? nullptr : &found->second;
}

void GadgetPresence::fill(GadgetView& view) const {
    view.present = gadget_.has_value();
    view.speedMbps = gadget_ ? gadget_->speedMbps : 0;
    view.protocol = protocol_;
    const auto troubled =
        std::ranges::find_if(ends_, [](const auto& item) { return !item.second.trouble.empty(); });
    if (!gadget_) {
        view.link = "absent";
    } else if (troubled != ends_.end()) {
        view.link = "trouble";
        view.trouble = troubled->second.trouble;
    } else if (endIn("open") != nullptr) {
        view.link = "open";
    } else if (const End* refused = endIn("refused")) {
        view.link = "refused";
        view.trouble = refused->reason;
    } else if (const End* lost = endIn("lost")) {
        view.link = "trouble";
        view.trouble = lost->reason;
    } else {
        view.link = "connecting";
    }
}

}  // namespace belay::helper
