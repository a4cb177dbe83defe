#include "core/usb/interface.h"

#include "core/wire/geometry.h"

#include <algorithm>
#include <array>
#include <optional>

namespace belay::usb {
namespace {

// USB 2.0, table 9-5 and 9.6: descriptor types, the lengths of their fixed parts, offsets.
constexpr std::uint8_t kDeviceType = 1;
constexpr std::uint8_t kConfigurationType = 2;
constexpr std::uint8_t kInterfaceType = 4;
constexpr std::uint8_t kEndpointType = 5;
constexpr std::size_t kDeviceBytes = 18;
constexpr std::size_t kConfigurationBytes = 9;
constexpr std::size_t kInterfaceBytes = 9;
constexpr std::size_t kEndpointBytes = 7;

constexpr std::uint8_t kAddressMask = 0x0f;
constexpr std::uint8_t kKindMask = 0x03;
constexpr std::uint8_t kBulk = 2;
constexpr std::uint8_t kInterrupt = 3;
// wMaxPacketSize: above these bits are a high-speed endpoint's extra transactions.
constexpr std::uint16_t kPacketMask = 0x07ff;
constexpr std::uint16_t kMaxPacketBytes = 1024;

struct Wanted {
    wire::InterfaceTriple triple;
    Role role;
};
constexpr std::array kWanted = {
    Wanted{{0xff, 0x53, 0x4d}, Role::Lend},
    Wanted{{0xff, 0x53, 0x4e}, Role::Attach},
    Wanted{{0xff, 0x42, 0x03}, Role::Fastboot},
};

std::uint8_t byteAt(ConstByteSpan bytes, std::size_t offset) {
    return loadLe<std::uint8_t>(bytes, offset);
}

tl::unexpected<Error> bad(const char* what) {
    return failure("read USB descriptors", {}, std::string("They are damaged: ") + what + ".");
}

// Gathers one interface's endpoints.
class Collector {
 public:
    // Starts over with the interface that this descriptor begins.
    void begin(std::uint8_t configuration, ConstByteSpan descriptor) {
        *this = Collector();
        if (byteAt(descriptor, 3) != 0)
            return;
        const wire::InterfaceTriple triple{byteAt(descriptor, 5), byteAt(descriptor, 6),
                                           byteAt(descriptor, 7)};
        const auto wanted = std::ranges::find(kWanted, triple, &Wanted::triple);
        if (wanted == kWanted.end())
            return;
        interface_ = Interface{.role = wanted->role,
                               .configuration = configuration,
                               .number = byteAt(descriptor, 2),
                               .messageIn = {},
                               .messageOut = {},
                               .payloadIn = {},
                               .payloadOut = {}};
    }

    void add(ConstByteSpan descriptor) {
        if (!interface_)
            return;
        const std::uint8_t address = byteAt(descriptor, 2);
        const std::uint8_t kind = byteAt(descriptor, 3) & kKindMask;
        const auto packet =
            static_cast<std::uint16_t>(loadLe<std::uint16_t>(descriptor, 4) & kPacketMask);
        if ((kind != kBulk && kind != kInterrupt) || (address & kAddressMask) == 0 || packet == 0 ||
            packet > kMaxPacketBytes)
            return;
        const Endpoint endpoint{
            .address = address, .interrupt = kind == kInterrupt, .maxPacketBytes = packet};
        if ((address & kDirectionIn) != 0)
            place(endpoint, interface_->messageIn, interface_->payloadIn);
        else
            place(endpoint, interface_->messageOut, interface_->payloadOut);
    }

    std::optional<Interface> finish() const {
        if (!interface_ || duplicate_ || interface_->messageIn.address == 0 ||
            interface_->messageOut.address == 0 || interface_->payloadIn.address == 0 ||
            interface_->payloadOut.address == 0)
            return std::nullopt;
        return interface_;
    }

 private:
    void place(const Endpoint& endpoint, Endpoint& message, Endpoint& payload) {
        duplicate_ = duplicate_ || endpoint.address == message.address ||
                     endpoint.address == payload.address;
        const bool messagesAreBulk = interface_->role == Role::Attach;
        if (message.address == 0 && endpoint.interrupt != messagesAreBulk)
            message = endpoint;
        else if (payload.address == 0 && !endpoint.interrupt)
            payload = endpoint;
    }

    std::optional<Interface> interface_;
    bool duplicate_ = false;
};

void keep(const Collector& collector, std::vector<Interface>& found) {
    const auto interface = collector.finish();
    if (!interface)
        return;
    const bool have = std::ranges::any_of(found, [&](const Interface& other) {
        return other.role == interface->role && other.configuration == interface->configuration;
    });
    if (!have)
        found.push_back(*interface);
}

// `bytes` is one configuration with all that belongs to it.
Result<void> parseConfiguration(ConstByteSpan bytes, std::vector<Interface>& found) {
    const std::uint8_t configuration = byteAt(bytes, 5);
    Collector collector;
    for (std::size_t at = byteAt(bytes, 0); at < bytes.size();) {
        const ConstByteSpan rest = bytes.subspan(at);
        if (rest.size() < 2 || byteAt(rest, 0) < 2 || byteAt(rest, 0) > rest.size())
            return bad("a descriptor is longer than its configuration");
        const ConstByteSpan descriptor = rest.first(byteAt(rest, 0));
        switch (byteAt(descriptor, 1)) {
            case kInterfaceType:
                if (descriptor.size() < kInterfaceBytes)
                    return bad("an interface descriptor is too short");
                keep(collector, found);
                collector.begin(configuration, descriptor);
                break;
            case kEndpointType:
                if (descriptor.size() < kEndpointBytes)
                    return bad("an endpoint descriptor is too short");
                collector.add(descriptor);
                break;
            case kDeviceType:
            case kConfigurationType:
                return bad("a configuration contains another one");
            default:
                break;
        }
        at += descriptor.size();
    }
    keep(collector, found);
    return {};
}

}  // namespace

Result<Descriptors> parseInterfaces(ConstByteSpan bytes) {
    if (bytes.size() > kMaxDescriptorBytes)
        return bad("there are more than 64 KiB of them");
    if (bytes.size() < kDeviceBytes || byteAt(bytes, 0) != kDeviceBytes ||
        byteAt(bytes, 1) != kDeviceType)
        return bad("they do not start with a device descriptor");
    Descriptors result{.vendorId = loadLe<std::uint16_t>(bytes, 8),
                       .productId = loadLe<std::uint16_t>(bytes, 10),
                       .interfaces = {}};
    for (std::size_t at = kDeviceBytes; at < bytes.size();) {
        const ConstByteSpan rest = bytes.subspan(at);
        if (rest.size() < kConfigurationBytes || byteAt(rest, 0) < kConfigurationBytes ||
            byteAt(rest, 1) != kConfigurationType)
            return bad("a configuration descriptor is missing");
        const std::size_t total = loadLe<std::uint16_t>(rest, 2);
        if (total < byteAt(rest, 0) || total > rest.size())
            return bad("a configuration has not the length it says");
        if (auto parsed = parseConfiguration(rest.first(total), result.interfaces); !parsed)
            return tl::unexpected(parsed.error());
        at += total;
    }
    return result;
}

}  // namespace belay::usb
