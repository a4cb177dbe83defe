#pragma once

#include "core/base/bytes.h"

#include <cstdint>

namespace belay {

// CRC-32C (Castagnoli, reflected 0x82F63B78, as in RFC 3720 appendix B.4) of `bytes`.
// `seed` continues an earlier value, so that a payload can be summed in pieces.
std::uint32_t crc32c(ConstByteSpan bytes, std::uint32_t seed = 0);

}  // namespace belay
