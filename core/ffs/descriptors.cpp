#include "core/ffs/descriptors.h"

#include "core/base/bytes.h"

#include <linux/usb/functionfs.h>

#include <concepts>

namespace belay::ffs {
namespace {

// bInterfaceSubClass and bInterfaceProtocol; the class is "vendor specific".
struct Names {
    std::uint8_t subClass;
    std::uint8_t protocol;
};
constexpr Names kLend{0x53, 0x4d};
constexpr Names kAttach{0x53, 0x4e};
constexpr Names kFastboot{0x42, 0x03};
constexpr std::uint16_t kUsEnglishId = 0x0409;

// Packets a bulk endpoint may send without waiting at SuperSpeed, minus one: the most there is.
// Messages get no burst: UDCs with small FIFOs set memory aside for it.
constexpr std::uint8_t kPayloadBurst = 15;

bool isIn(Endpoint endpoint) {
    return endpoint == Endpoint::MessageIn || endpoint == Endpoint::PayloadIn;
}

bool isPayload(Endpoint endpoint) {
    return endpoint == Endpoint::PayloadIn || endpoint == Endpoint::PayloadOut;
}

bool isInterrupt(Kind kind, Endpoint endpoint) {
    return kind == Kind::Lend && !isPayload(endpoint);
}

class Writer {
 public:
    template <std::unsigned_integral T>
    Writer& put(T value) {
        bytes_.resize(bytes_.size() + sizeof value);
        storeLe(bytes_, bytes_.size() - sizeof value, value);
        return *this;
    }
    Writer& text(std::string_view text) {
        for (const char c : text)
            bytes_.push_back(static_cast<std::byte>(c));
        return *this;
    }
    // Both of FunctionFS's heads have the length of the whole at offset 4.
    std::vector<std::byte> finish() {
        storeLe(ByteSpan(bytes_), 4, static_cast<std::uint32_t>(bytes_.size()));
        return std::move(bytes_);
    }

 private:
    std::vector<std::byte> bytes_;
};

Names namesOf(Kind kind, LendTriple triple) {
    if (kind == Kind::Attach)
        return kAttach;
    return triple == LendTriple::Fastboot ? kFastboot : kLend;
}

void putInterface(Writer& writer, const Names& names) {
    writer.put<std::uint8_t>(USB_DT_INTERFACE_SIZE)
        .put<std::uint8_t>(USB_DT_INTERFACE)
        .put<std::uint8_t>(0)  // bInterfaceNumber: the kernel's
        .put<std::uint8_t>(0)  // bAlternateSetting
        .put<std::uint8_t>(kEndpoints)
        .put<std::uint8_t>(USB_CLASS_VENDOR_SPEC)
        .put(names.subClass)
        .put(names.protocol)
        .put<std::uint8_t>(1);  // iInterface: the first of strings()
}

void putEndpoint(Writer& writer, Kind kind, Endpoint endpoint, Speed speed) {
    const bool interrupt = isInterrupt(kind, endpoint);
    const auto number = static_cast<std::uint8_t>(static_cast<std::uint8_t>(endpoint) + 1);
    const std::uint16_t maxPacket = maxPacketBytes(speed);
    writer.put<std::uint8_t>(USB_DT_ENDPOINT_SIZE)
        .put<std::uint8_t>(USB_DT_ENDPOINT)
        // A place holder but for the direction; different numbers, as FunctionFS tells the
        // endpoints of the three speeds apart by them.
        .put(static_cast<std::uint8_t>(number | (isIn(endpoint) ? USB_DIR_IN : USB_DIR_OUT)))
        .put<std::uint8_t>(interrupt ? USB_ENDPOINT_XFER_INT : USB_ENDPOINT_XFER_BULK)
        .put(maxPacket)
        // Interrupt: every frame, every microframe (2^(n-1)) from high speed on.
        .put<std::uint8_t>(interrupt ? 1 : 0);
    if (speed != Speed::Super)
        return;
    writer.put<std::uint8_t>(USB_DT_SS_EP_COMP_SIZE)
        .put<std::uint8_t>(USB_DT_SS_ENDPOINT_COMP)
        .put<std::uint8_t>(isPayload(endpoint) ? kPayloadBurst : 0)
        .put<std::uint8_t>(0)  // bmAttributes: no streams
        .put<std::uint16_t>(interrupt ? maxPacket : 0);
}

}  // namespace

std::string_view name(Kind kind) {
    return kind == Kind::Lend ? "lend" : "attach";
}

std::uint16_t maxPacketBytes(Speed speed) {
    switch (speed) {
        case Speed::Full:
            return 64;
        case Speed::High:
            return 512;
        case Speed::Super:
            break;
    }
    return 1024;
}

std::vector<std::byte> descriptors(Kind kind, LendTriple triple) {
    constexpr std::uint32_t kPerSpeed = 1 + kEndpoints;
    constexpr std::uint32_t kWithCompanions = 1 + 2 * kEndpoints;
    Writer writer;
    writer.put<std::uint32_t>(FUNCTIONFS_DESCRIPTORS_MAGIC_V2)
        .put<std::uint32_t>(0)
        .put<std::uint32_t>(FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC |
                            FUNCTIONFS_HAS_SS_DESC)
        .put(kPerSpeed)
        .put(kPerSpeed)
        .put(kWithCompanions);
    for (const Speed speed : {Speed::Full, Speed::High, Speed::Super}) {
        putInterface(writer, namesOf(kind, triple));
        for (const Endpoint endpoint : kAllEndpoints)
            putEndpoint(writer, kind, endpoint, speed);
    }
    return writer.finish();
}

std::vector<std::byte> strings(Kind kind) {
    Writer writer;
    writer.put<std::uint32_t>(FUNCTIONFS_STRINGS_MAGIC)
        .put<std::uint32_t>(0)
        .put<std::uint32_t>(1)  // strings
        .put<std::uint32_t>(1)  // languages
        .put(kUsEnglishId)
        .text("Belay ")
        .text(name(kind))
        .put<std::uint8_t>(0);
    return writer.finish();
}

}  // namespace belay::ffs
