#include "helper/hostd/chosen_gadget.h"

#include "core/base/log.h"

#include <fmt/format.h>

namespace belay::helper {
namespace {

constexpr int kVersion = 1;

}  // namespace

std::string productOf(const usb::Gadget& gadget) {
    const std::string& name = gadget.product.empty() ? gadget.manufacturer : gadget.product;
    return name.empty() ? "gadget" : name;
}

ChosenGadget::ChosenGadget(std::string path) : file_(std::move(path), kVersion) {
    Choice choice;
    bool found = false;
    const bool good = file_.load([&](const Json& document) {
        choice.gadget.vendorId = document.at("vendorId").get<std::uint16_t>();
        choice.gadget.productId = document.at("productId").get<std::uint16_t>();
        choice.gadget.manufacturer = document.at("manufacturer").get<std::string>();
        choice.gadget.product = document.at("product").get<std::string>();
        choice.gadget.serial = document.at("serial").get<std::string>();
        choice.gadget.port = document.at("port").get<std::string>();
        choice.borrowed = document.at("borrowed").get<bool>();
        found = true;
    });
    if (good && found)
        chosen_ = std::move(choice);
}

bool ChosenGadget::is(const usb::Gadget& gadget) const {
    return chosen_ && chosen_->gadget.vendorId == gadget.vendorId &&
           chosen_->gadget.productId == gadget.productId &&
           chosen_->gadget.serial == gadget.serial &&
           (!gadget.serial.empty() || chosen_->gadget.port == gadget.port);
}

void ChosenGadget::choose(const usb::Gadget& gadget) {
    chosen_ = Choice{.gadget = gadget, .borrowed = is(gadget) && chosen_->borrowed};
    save();
}

void ChosenGadget::borrowed() {
    if (!chosen_ || std::exchange(chosen_->borrowed, true))
        return;
    save();
}

std::string ChosenGadget::name() const {
    if (!chosen_)
        return {};
    const usb::Gadget& gadget = chosen_->gadget;
    return gadget.serial.empty() ? fmt::format("{} on port {}", productOf(gadget), gadget.port)
                                 : fmt::format("{} {}", productOf(gadget), gadget.serial);
}

void ChosenGadget::forget() {
    chosen_.reset();
    file_.remove();
}

void ChosenGadget::save() const {
    const usb::Gadget& gadget = chosen_->gadget;
    if (auto saved = file_.save({{"vendorId", gadget.vendorId},
                                 {"productId", gadget.productId},
                                 {"manufacturer", gadget.manufacturer},
                                 {"product", gadget.product},
                                 {"serial", gadget.serial},
                                 {"port", gadget.port},
                                 {"borrowed", chosen_->borrowed}});
        !saved)
        log::error("{}", saved.error().message());
}

}  // namespace belay::helper
