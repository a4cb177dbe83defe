#include "core/wire/link.h"
#include "core/wire/native.h"
#include "core/wire/smoo.h"

#include <algorithm>

namespace belay::wire {
namespace {

// USB 2.0, 5.8.3: the bulk packet of a full-speed link is at most this long.
constexpr std::size_t kFullSpeedPacketBytes = 64;
// A multiple of every bulk packet size (USB 2.0: 512; USB 3: 1024), so that a full receive ends
// with a full packet.
constexpr std::size_t kBatchBytes = 4096;

}  // namespace

MessageFraming MessageFraming::smoo() {
    return {.messageBytes = smoo::MessageLayout::kBytes,
            .transferBytes = smoo::MessageLayout::kBytes};
}

MessageFraming MessageFraming::native(std::size_t maxPacketBytes) {
    const bool oneByOne = maxPacketBytes <= kFullSpeedPacketBytes;
    return {.messageBytes = NativeLayout::kBytes,
            .transferBytes = oneByOne ? NativeLayout::kBytes : kBatchBytes};
}

std::size_t MessageFraming::batch(std::size_t waiting, std::size_t maxPacketBytes) const {
    const std::size_t whole = transferBytes / messageBytes;
    if (waiting >= whole)
        return whole;
    for (std::size_t count = waiting; count > 1; --count) {
        if (maxPacketBytes == 0 || count * messageBytes % maxPacketBytes != 0)
            return count;
    }
    return std::min<std::size_t>(waiting, 1);
}

}  // namespace belay::wire
