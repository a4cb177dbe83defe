#include "helper/supervisor/command.h"

#include "helper/supervisor/words.h"

namespace belay::helper {

Result<Command> commandFrom(const Json& request) {
    Command command;
    const auto what = request.at("command").get<std::string>();
    if (what == "status")
        return command;
    if (what == "attach") {
        command.kind = Command::Kind::Attach;
        command.share = request.at("share").get<std::string>();
        return command;
    }
    command.device = DeviceId(request.at("device").get<std::uint32_t>());
    if (what == "stop") {
        command.kind = Command::Kind::Stop;
        command.force = request.at("force").get<bool>();
    } else if (what == "recover") {
        command.kind = Command::Kind::Recover;
        command.acceptLoss = request.at("acceptLoss").get<bool>();
    } else if (what == "policy") {
        command.kind = Command::Kind::SetPolicy;
        const auto word = request.at("policy").get<std::string>();
        const auto policy = policyFrom(word);
        if (!policy)
            return failure("not a policy", word);
        command.policy = *policy;
    } else if (what == "rescan") {
        command.kind = Command::Kind::Rescan;
    } else {
        return failure("unknown command", what);
    }
    return command;
}

}  // namespace belay::helper
