#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace belay::helper {

using Json = nlohmann::json;

// What our processes say to each other and keep in files. Nothing if it does not parse, or if it
// has a number that is not whole: none of ours has, and what becomes of one that is converted to an
// integer which cannot hold it is undefined.
std::optional<Json> parseJson(std::string_view text);

}  // namespace belay::helper
