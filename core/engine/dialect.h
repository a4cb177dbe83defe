#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/wire/link.h"
#include "core/wire/message.h"

#include <cstddef>

namespace belay::engine {

// How neutral messages look on the message pipes of one session: v0 or v1.
// Decoding is strict: whatever it refuses ends the session.
class Dialect {
 public:
    virtual ~Dialect() = default;

    virtual wire::MessageFraming framing(std::size_t maxPacketBytes) const = 0;

    // `out` has framing().messageBytes bytes.
    virtual Result<void> encode(const wire::Request& request, ByteSpan out) = 0;
    virtual Result<void> encode(const wire::Response& response, ByteSpan out) = 0;
    virtual Result<wire::Request> decodeRequest(ConstByteSpan message) = 0;
    virtual Result<wire::Response> decodeResponse(ConstByteSpan message) = 0;

    // True when payloads are checked by the CRC in their message.
    virtual bool checksPayloads() const = 0;
    // True when a target answers a request past the end of its export with an error, by itself: v0
    // says nothing of it.
    virtual bool refusesOutOfRange() const = 0;
    // What a transfer that is no whole number of messages means: true to drop it quietly (v0
    // peers tolerate strangers' probes on their interrupt pipes), false to end the session.
    virtual bool ignoresOddTransfers() const = 0;
};

}  // namespace belay::engine
