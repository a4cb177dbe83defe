#include "helper/supervisor/settings.h"

#include "core/base/log.h"
#include "helper/supervisor/words.h"

namespace belay::helper {
namespace {

Json lendToJson(const LendSetting& lend) {
    return {{"path", lend.path},
            {"label", lend.label},
            {"readOnly", lend.readOnly},
            {"blockSize", lend.blockSize}};
}

LendSetting lendFromJson(const Json& json) {
    LendSetting lend;
    lend.path = json.at("path").get<std::string>();
    lend.label = json.at("label").get<std::string>();
    lend.readOnly = json.at("readOnly").get<bool>();
    // Not in files of the first versions.
    lend.blockSize = json.value("blockSize", std::uint32_t{0});
    if (lend.blockSize != 0)
        needKnown(isOfferedBlockSize(lend.blockSize) ? std::optional(lend.blockSize)
                                                     : std::nullopt);
    return lend;
}

Json gadgetToJson(const std::string& id, const GadgetSettings& gadget) {
    Json lends = Json::array();
    for (const LendSetting& lend : gadget.lends)
        lends.push_back(lendToJson(lend));
    return {{"id", id},
            {"name", gadget.name},
            {"manufacturer", gadget.manufacturer},
            {"serial", gadget.serial},
            {"port", gadget.port},
            {"vendor", gadget.vendorId},
            {"product", gadget.productId},
            {"autoAttach", gadget.autoAttach},
            {"lends", lends}};
}

GadgetSettings gadgetFromJson(const Json& json) {
    GadgetSettings gadget;
    gadget.name = json.at("name").get<std::string>();
    gadget.manufacturer = json.at("manufacturer").get<std::string>();
    gadget.serial = json.at("serial").get<std::string>();
    gadget.port = json.at("port").get<std::string>();
    gadget.vendorId = json.at("vendor").get<std::uint16_t>();
    gadget.productId = json.at("product").get<std::uint16_t>();
    gadget.autoAttach = json.at("autoAttach").get<bool>();
    for (const Json& lend : json.at("lends"))
        gadget.lends.push_back(lendFromJson(lend));
    return gadget;
}

}  // namespace

void Settings::load() {
    decltype(gadgets) newGadgets;
    decltype(policies) newPolicies;
    const bool good = file_.load([&](const Json& document) {
        for (const Json& entry : document.at("gadgets"))
            newGadgets[entry.at("id").get<std::string>()] = gadgetFromJson(entry);
        for (const Json& entry : document.at("policies")) {
            const Uuid uuid = needKnown(Uuid::parse(entry.at("export").get<std::string>()));
            newPolicies[uuid] = {
                needKnown(lifecycle::policyNamed(entry.at("policy").get<std::string>())),
                std::chrono::seconds(entry.at("seconds").get<std::uint32_t>())};
        }
    });
    if (!good)
        return;
    gadgets = std::move(newGadgets);
    policies = std::move(newPolicies);
    saved_ = toJson();
}

Json Settings::toJson() const {
    Json known = Json::array();
    for (const auto& [id, gadget] : gadgets)
        known.push_back(gadgetToJson(id, gadget));
    Json kept = Json::array();
    for (const auto& [uuid, policy] : policies)
        kept.push_back({{"export", uuid.toString()},
                        {"policy", std::string(lifecycle::nameOf(policy.kind))},
                        {"seconds", policy.limit / std::chrono::seconds(1)}});
    return {{"gadgets", known}, {"policies", kept}};
}

void Settings::save() {
    Json document = toJson();
    if (document == saved_)
        return;
    if (auto saved = file_.save(document); !saved)
        log::error("{}", saved.error().message());
    else
        saved_ = std::move(document);
}

}  // namespace belay::helper
