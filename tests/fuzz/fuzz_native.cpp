// Native messages: whatever decodes encodes to the very bytes it came from, and nothing is both a
// request and a response.

#include "core/wire/native.h"
#include "tests/fuzz/fuzz.h"

namespace belay::fuzz {
namespace {

template <class Decoded>
bool survives(const Bytes& message, const Decoded& decoded) {
    if (!decoded) {
        require(!decoded.error().what.empty());
        return false;
    }
    std::array<std::byte, wire::NativeLayout::kBytes> again;
    wire::encode(*decoded, again);
    require(std::equal(again.begin(), again.end(), message.begin(), message.end()));
    return true;
}

void check(const Bytes& message) {
    const bool isRequest = survives(message, wire::decodeRequest(message));
    const bool isResponse = survives(message, wire::decodeResponse(message));
    require(!isRequest || !isResponse);
}

}  // namespace
}  // namespace belay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto message = belay::fuzz::copyOf(data, size);
    belay::fuzz::check(message);
    belay::fuzz::check(belay::fuzz::sealed(message));
    return 0;
}
