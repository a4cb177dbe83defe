#pragma once

#include "core/base/error.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace belay::helper {

using Json = nlohmann::json;

// What our processes say to each other and keep in files. Nothing if it does not parse, or if it
// has a number that is not whole: none of ours has, and what becomes of one that is converted to an
// integer which cannot hold it is undefined.
std::optional<Json> parseJson(std::string_view text);

// An error as our processes tell it to each other.
Json toJson(const Error& error);
// Throws Json::exception for what is missing or of another type.
Error errorFromJson(const Json& json);

}  // namespace belay::helper
