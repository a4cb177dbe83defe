#pragma once

#include "core/base/error.h"
#include "core/wire/message.h"
#include "core/wire/smoo.h"

namespace belay::wire::smoo {

// Between the protocol-neutral messages (bytes, sequences, epochs) and v0's (blocks, request ids).
//
// `blockSize` is the export's, in bytes; anything that isn't a block size is refused, like every
// offset and length that does not convert exactly. v0 has no place for epoch, verifier, payload
// CRC and stable-up-to: they are dropped on the way out and left at 0 on the way in.

// Initiator. Refuses write zeroes and FUA, which v0 cannot say: the caller sends a write of zeroes
// or a write and a flush. The other flags are dropped. A flush goes out with lba 0.
Result<Request> toSmoo(const wire::Request& request, std::uint32_t requestId,
                       std::uint32_t blockSize);
// Initiator. The sequence is the request id and the epoch `epoch`, for the caller to look up and
// replace. Offset and length of a flush are 0 whatever came.
Result<wire::Response> fromSmoo(const Response& response, Epoch epoch, std::uint32_t blockSize);

// Target. As above: the sequence is the request id, a flush has offset and length 0.
Result<wire::Request> fromSmoo(const Request& request, Epoch epoch, std::uint32_t blockSize);
// Target. Refuses write zeroes, which no v0 request can have asked for. DURABLE is dropped.
// For a flush the request's own lba is lost; real gadgets do not compare it.
Result<Response> toSmoo(const wire::Response& response, std::uint32_t requestId,
                        std::uint32_t blockSize);

// The status byte to send for an errno. A real host sends 0, EIO, EINVAL and EOPNOTSUPP; a real
// gadget hands any other to its block layer as an errno. ENOSPC is sent as it is, because the
// block layer has a meaning for it; all the rest become EIO. A status received needs no mapping.
std::uint8_t statusToSmoo(int error);

}  // namespace belay::wire::smoo
