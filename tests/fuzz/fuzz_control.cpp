// The native ep0 messages: whatever decodes encodes to the very bytes it came from, and an OPEN
// is judged without harm.

#include "core/wire/control_codec.h"
#include "tests/fuzz/fuzz.h"

namespace belay::fuzz {
namespace {

template <class Decoded>
void survives(const Bytes& message, const Decoded& decoded) {
    if (!decoded) {
        require(!decoded.error().what.empty());
        return;
    }
    const auto again = wire::encode(*decoded);
    require(std::equal(again.begin(), again.end(), message.begin(), message.end()));
}

void check(const Bytes& message) {
    survives(message, wire::decodeHello(message));
    survives(message, wire::decodeOpened(message));
    survives(message, wire::decodeStatus(message));
    const auto open = wire::decodeOpen(message);
    survives(message, open);
    const wire::Hello offer{
        .features = wire::kFeaturePayloadCrc, .maxTransfer = 1 << 20, .maxOutstanding = 64};
    const auto reason = wire::judgeOpen(message, offer);
    require(open || reason == wire::RefusedReason::BadMessage ||
            reason == wire::RefusedReason::Version);
    if (reason == wire::RefusedReason::None)
        require(open->maxTransfer <= offer.maxTransfer && open->epoch.value != 0);
}

}  // namespace
}  // namespace belay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto message = belay::fuzz::copyOf(data, size);
    belay::fuzz::check(message);
    belay::fuzz::check(belay::fuzz::sealed(message));
    return 0;
}
