#include "core/engine/native_dialect.h"

#include "core/wire/native.h"

namespace belay::engine {

wire::MessageFraming NativeDialect::framing(std::size_t maxPacketBytes) const {
    return wire::MessageFraming::native(maxPacketBytes);
}

Result<void> NativeDialect::encode(const wire::Request& request, ByteSpan out) {
    wire::encode(request, out.first<wire::NativeLayout::kBytes>());
    return {};
}

Result<void> NativeDialect::encode(const wire::Response& response, ByteSpan out) {
    wire::encode(response, out.first<wire::NativeLayout::kBytes>());
    return {};
}

Result<wire::Request> NativeDialect::decodeRequest(ConstByteSpan message) {
    return wire::decodeRequest(message);
}

Result<wire::Response> NativeDialect::decodeResponse(ConstByteSpan message) {
    return wire::decodeResponse(message);
}

}  // namespace belay::engine
