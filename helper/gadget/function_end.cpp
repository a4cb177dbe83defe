#include "helper/gadget/function_end.h"

#include "helper/worker/worker_main.h"

#include <fstream>
#include <string>

namespace belay::helper {
namespace {

constexpr std::uint32_t kMaxTransfer = 1 << 20;
constexpr std::uint16_t kMaxOutstanding = 256;
constexpr std::uint16_t kMaxExports = 256;

Uuid bootId() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string text;
    file >> text;
    return Uuid::parse(text).value_or(Uuid{});
}

}  // namespace

wire::Hello helloFrom(const Json& config, std::uint16_t role) {
    wire::Hello hello;
    hello.features = wire::kFeaturePayloadCrc | wire::kFeaturePerExport;
    hello.maxTransfer = kMaxTransfer;
    hello.maxOutstanding = kMaxOutstanding;
    hello.maxExports = kMaxExports;
    hello.gadget = Uuid::parse(config.at("gadget").get<std::string>()).value_or(Uuid::random());
    hello.bootId = bootId();
    hello.roles = role;
    return hello;
}

void FunctionEnd::gadgetBound(bool bound) {
    supervisor_.send({{"type", "bound"}, {"yes", bound}});
}

void FunctionEnd::gadgetFailed(const Error& reason) {
    endWorker(reason);
}

}  // namespace belay::helper
