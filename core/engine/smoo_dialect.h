#pragma once

#include "core/engine/dialect.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace belay::engine {

// v0: the smoo protocol's 28-byte messages, one to a transfer.
//
// - v0 has no epoch on the wire: every message is taken to be of the session it came in, which
//   only a clean pipe at the session's start makes true.
// - Initiator: the request id is the low half of the sequence, so an id is not used again for four
//   thousand million requests, changed by the session's epoch, so that a late response of an older
//   session matches nothing, not even the same request sent again.
// - Target: ids are unique per export only, so the sequence is export id and request id together.
//   v0 agrees on no longest request; what is longer than kMostIoBytes is refused.
class SmooDialect final : public Dialect {
 public:
    // What a target makes of a write. A smoo gadget's device has no volatile cache, so its kernel
    // takes whatever was answered for durable and never flushes.
    enum class Writes : std::uint8_t {
        Durable,    // each is, before it is answered (FUA)
        WriteBack,  // some time after
    };

    // Finds the request under way whose sequence has these low 32 bits.
    using Lookup = std::function<std::optional<Sequence>(std::uint32_t low)>;

    // `epoch`: random. `blockSizes`: bytes per block of each export. The one is an initiator's, the
    // other a target's.
    SmooDialect(Epoch epoch, std::map<ExportId, std::uint32_t> blockSizes, Lookup lookup);
    SmooDialect(Epoch epoch, std::map<ExportId, std::uint32_t> blockSizes, Writes writes);

    wire::MessageFraming framing(std::size_t maxPacketBytes) const override;
    Result<void> encode(const wire::Request& request, ByteSpan out) override;
    Result<void> encode(const wire::Response& response, ByteSpan out) override;
    Result<wire::Request> decodeRequest(ConstByteSpan message) override;
    Result<wire::Response> decodeResponse(ConstByteSpan message) override;
    bool checksPayloads() const override { return false; }
    bool refusesOutOfRange() const override { return false; }
    bool ignoresOddTransfers() const override { return true; }

 private:
    Result<std::uint32_t> blockSize(ExportId id) const;
    std::uint32_t generation() const { return static_cast<std::uint32_t>(epoch_.value >> 32); }

    Epoch epoch_;
    std::map<ExportId, std::uint32_t> blockSizes_;
    Lookup lookup_;
    Writes writes_ = Writes::Durable;
};

}  // namespace belay::engine
