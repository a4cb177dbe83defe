#pragma once

#include "core/engine/dialect.h"

namespace belay::engine {

// v1: 64-byte messages, several to a transfer.
class NativeDialect final : public Dialect {
 public:
    explicit NativeDialect(bool payloadCrc) : payloadCrc_(payloadCrc) {}

    wire::MessageFraming framing(std::size_t maxPacketBytes) const override;
    Result<void> encode(const wire::Request& request, ByteSpan out) override;
    Result<void> encode(const wire::Response& response, ByteSpan out) override;
    Result<wire::Request> decodeRequest(ConstByteSpan message) override;
    Result<wire::Response> decodeResponse(ConstByteSpan message) override;
    bool checksPayloads() const override { return payloadCrc_; }
    bool refusesOutOfRange() const override { return true; }
    bool ignoresOddTransfers() const override { return false; }

 private:
    bool payloadCrc_;
};

}  // namespace belay::engine
