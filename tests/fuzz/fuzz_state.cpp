// State files: what is taken for good can be made a device of, and time can pass for it.

#include "core/lifecycle/machine.h"
#include "helper/supervisor/state_file.h"
#include "tests/fuzz/fuzz.h"

namespace belay::fuzz {
namespace {

void check(const std::string& text) {
    const helper::StateFile file("unused");
    const auto records = file.parse(text);
    if (!records)
        return;
    for (const helper::DeviceRecord& record : *records) {
        const TimePoint now = Clock::now();
        lifecycle::Device device(record.lifecycle, record.policy, now);
        require(device.state() == record.lifecycle.state);
        device.setShutdown(now);
        for (int i = 0; i < 8 && device.deadline() != TimePoint::max(); ++i)
            static_cast<void>(device.poll(std::max(now, device.deadline())));
        device.handle(lifecycle::Event::UserForceStop, now);
        require(device.state() == lifecycle::State::Stopping ||
                device.state() == lifecycle::State::Gone);
    }
}

}  // namespace
}  // namespace belay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    belay::fuzz::check(std::string(reinterpret_cast<const char*>(data), size));
    return 0;
}
