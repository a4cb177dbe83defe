#pragma once

#include "core/base/error.h"
#include "core/base/units.h"
#include "core/lifecycle/policy.h"
#include "helper/supervisor/channel.h"

#include <string>

namespace belay::helper {

// What a message on the command socket asks for.
struct Command {
    enum class Kind { Status, Attach, Stop, Recover, SetPolicy, Rescan };

    Kind kind = Kind::Status;
    DeviceId device;    // of all but Status and Attach
    std::string share;  // Attach: label or uuid
    bool force = false;
    bool acceptLoss = false;
    lifecycle::Policy policy;
};

// An error for a command or a policy that there is not. Throws Json::exception for what is missing
// or of another type, as a Channel's handler may.
Result<Command> commandFrom(const Json& request);

}  // namespace belay::helper
