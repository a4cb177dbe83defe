// Messages between our processes: commands, and exports as workers tell them. What is no good is an
// error or a Json::exception, which closes the connection; an export survives being sent on.

#include "helper/protocol/export_json.h"
#include "helper/supervisor/command.h"
#include "tests/fuzz/fuzz.h"

namespace belay::fuzz {
namespace {

using helper::Json;

void checkCommand(const Json& message) {
    const auto command = helper::commandFrom(message);
    if (!command) {
        require(!command.error().message().empty());
        return;
    }
    require(command->policy.limit >= Duration::zero());
    lifecycle::PolicyClock clock(command->policy);
    clock.start(Clock::now());
    require(!clock.deadline() || *clock.deadline() >= *clock.since());
}

void checkExport(const Json& message) {
    const wire::ExportInfo info = helper::exportFromJson(message);
    require(helper::exportFromJson(helper::toJson(info)) == info);
    require(!helper::toJson(info).dump().empty());
}

template <class Check>
void mayThrow(Check check, const Json& message) {
    try {
        check(message);
    } catch (const Json::exception&) {
    }
}

}  // namespace
}  // namespace belay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belay::fuzz;
    const auto message = belay::helper::parseJson({reinterpret_cast<const char*>(data), size});
    if (!message || !message->is_object())
        return 0;
    mayThrow(checkCommand, *message);
    mayThrow(checkExport, *message);
    return 0;
}
