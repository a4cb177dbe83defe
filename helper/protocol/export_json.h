#pragma once

#include "core/wire/message.h"
#include "helper/supervisor/channel.h"

namespace belay::helper {

// An export as our processes tell it to each other and keep it in state files.
Json toJson(const wire::ExportInfo& info);
// Throws Json::exception for what is missing or of another type, or is no export.
wire::ExportInfo exportFromJson(const Json& json);

}  // namespace belay::helper
