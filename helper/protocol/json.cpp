#include "helper/protocol/json.h"

namespace belay::helper {

std::optional<Json> parseJson(std::string_view text) {
    bool whole = true;
    const auto look = [&](int, Json::parse_event_t event, const Json& parsed) {
        whole = whole && (event != Json::parse_event_t::value || !parsed.is_number_float());
        return true;
    };
    Json document = Json::parse(text.begin(), text.end(), look, false);
    if (document.is_discarded() || !whole)
        return std::nullopt;
    return document;
}

Json toJson(const Error& error) {
    return {
        {"what", error.what}, {"object", error.object}, {"code", error.code}, {"hint", error.hint}};
}

Error errorFromJson(const Json& json) {
    // A worker outlives an upgrade, and one of an earlier version has words only.
    if (json.is_string())
        return {json.get<std::string>(), {}, 0, {}};
    return {json.at("what").get<std::string>(), json.at("object").get<std::string>(),
            json.at("code").get<int>(), json.at("hint").get<std::string>()};
}

}  // namespace belay::helper
